"""A grpc.aio.Channel over all endpoints of a service."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from lbsuite import _core
from lbsuite.channels.attempts import Attempts
from lbsuite.channels.endpoint import AioConnection, Told
from lbsuite.channels.hedge import Hedge
from lbsuite.channels.hedged import HedgedUnaryUnary
from lbsuite.channels.methods import Key
from lbsuite.channels.probes import Probes
from lbsuite.channels.retry import Retry
from lbsuite.channels.service import Service
from lbsuite.channels.settings import STAGES, Options, ServiceSettings, connector, plain_method, settings_of
from lbsuite.channels.status import ChannelStatus
from lbsuite.channels.streams import StreamStream, StreamUnary
from lbsuite.channels.unary import UnaryStream, UnaryUnary
from lbsuite.registry.source import Source

Serializer = Callable[[Any], bytes]
Deserializer = Callable[[bytes], Any]


class Channel(grpc.aio.Channel):
    """Made by `lbsuite.channel`; belongs to the event loop that runs then."""

    def __init__(
        self,
        settings: ServiceSettings,
        key: Callable[[Any], Key] | None,
        connect: Callable[[str], grpc.aio.Channel],
    ) -> None:
        self.key = key
        self.eager = settings.eager
        self.hedging = settings.hedging
        self.waiting: set[Attempts] = set()
        self._closed = False
        self._connect_to = connect
        self.service = Service(settings, self._connect, self._wake, lambda address: probes.send(address))
        probes = Probes(self.service)
        self.dispatch = self.service.dispatch
        self.endpoints = self.service.endpoints

    def __repr__(self) -> str:
        return f"<lbsuite.channel {self.service.target}>"

    def status(self) -> ChannelStatus:
        """Who serves, whether the list is still told, and how the calls have fared."""
        return self.service.status(len(self.waiting))

    def check_open(self) -> None:
        """Raises UsageError once the channel is closed."""
        if self._closed:
            raise grpc.aio.UsageError("Channel is closed.")

    async def close(self, grace: float | None = None) -> None:
        """See grpc.aio: calls under way have `grace` seconds."""
        if self._closed:
            return
        self._closed = True
        for call in list(self.waiting):
            call.cancel()
        await self.service.close(grace)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.close()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """READY while some endpoint's connection stands; see grpc.aio. The channel always tries to connect."""
        if self._closed:
            return grpc.ChannelConnectivity.SHUTDOWN
        return self.service.state()

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """See grpc.aio."""
        while self.get_state() is last_observed_state:
            self.service.changed.clear()
            await self.service.changed.wait()

    async def channel_ready(self) -> None:
        """Waits until some endpoint's connection stands."""
        while (state := self.get_state()) is not grpc.ChannelConnectivity.READY:
            self.check_open()
            await self.wait_for_state_change(state)

    def unary_unary(
        self,
        method: str,
        request_serializer: Serializer | None = None,
        response_deserializer: Deserializer | None = None,
        _registered_method: bool | None = False,
    ) -> UnaryUnary[Any, Any]:
        """See grpc.aio."""
        kind = HedgedUnaryUnary if self.hedging.covers(method) else UnaryUnary
        return kind(self, method, plain_method(request_serializer, response_deserializer, _registered_method))

    def unary_stream(
        self,
        method: str,
        request_serializer: Serializer | None = None,
        response_deserializer: Deserializer | None = None,
        _registered_method: bool | None = False,
    ) -> UnaryStream[Any, Any]:
        """See grpc.aio."""
        return UnaryStream(self, method, plain_method(request_serializer, response_deserializer, _registered_method))

    def stream_unary(
        self,
        method: str,
        request_serializer: Serializer | None = None,
        response_deserializer: Deserializer | None = None,
        _registered_method: bool | None = False,
    ) -> StreamUnary[Any, Any]:
        """See grpc.aio."""
        return StreamUnary(self, method, plain_method(request_serializer, response_deserializer, _registered_method))

    def stream_stream(
        self,
        method: str,
        request_serializer: Serializer | None = None,
        response_deserializer: Deserializer | None = None,
        _registered_method: bool | None = False,
    ) -> StreamStream[Any, Any]:
        """See grpc.aio."""
        return StreamStream(self, method, plain_method(request_serializer, response_deserializer, _registered_method))

    def _connect(self, address: str, told: Told) -> AioConnection:
        return AioConnection(self._connect_to(address), address, told)

    def _wake(self, now: float) -> None:
        for call in list(self.waiting):
            call.seek_again(now)


def channel(
    target: str | Source,
    *,
    policy: str | _core.Settings | _core.Policy = "least_load:choices=auto",
    retry: Retry | None = None,
    hedge: Hedge | None = None,
    key: Callable[[Any], Key] | None = None,
    stages: Sequence[str] = STAGES,
    queue_s: float = 0.0,
    credentials: grpc.ChannelCredentials | None = None,
    options: Options = (),
) -> Channel:
    """A channel for any generated stub that balances each call among all endpoints of a service, in this process.

    target: `lb://HOST:PORT[,...]/SERVICE`, `etcd://HOST:PORT[,...]/SERVICE`, `k8s://NAMESPACE/SERVICE:PORT`,
    `dns://NAME:PORT` or `static://HOST:PORT[,...]`; or a source of membership, which the channel closes. policy,
    stages: as lbsuite.Engine takes them. retry: which calls may be tried again, beside those whose handler cannot
    have begun. hedge: which go to a second endpoint, too, when they take long.
    key(request): what policies such as `hashed` go by, for requests without metadata `lbsuite-key`. queue_s: above 0,
    who finds all full waits so long at most for a slot. credentials, options: of every connection, as grpc.aio has
    them. Interceptors are not taken: one alone would cost a call more than all the rest of this.

    Needs a running event loop (RuntimeError). Raises ValueError for a target, policy or stage that makes no sense,
    TypeError for an argument of another kind.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError("lbsuite.channel needs a running event loop; without one there is sync_channel") from None
    settings = settings_of(target, policy, retry, hedge, stages, queue_s)
    connect = connector(grpc.aio.insecure_channel, grpc.aio.secure_channel, credentials, options)
    return Channel(settings, key, connect)
