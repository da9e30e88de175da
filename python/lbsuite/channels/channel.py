"""A grpc.aio.Channel over all endpoints of a service."""

import asyncio
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from lbsuite import _core, background
from lbsuite.channels import status as statuses
from lbsuite.channels.call import BalancedCall
from lbsuite.channels.dispatch import Dispatch
from lbsuite.channels.endpoint import AioConnection, Told
from lbsuite.channels.follower import Follower
from lbsuite.channels.methods import Key
from lbsuite.channels.retry import Retry
from lbsuite.channels.target import source_of
from lbsuite.channels.unary import UnaryUnary
from lbsuite.registry.source import Source
from lbsuite.wire import dial
from lbsuite.wire.alarm import Alarm

PICKERS = 16
"""So many channels are taken to pick for a service at once; how many there are, nobody knows. It matters where reports
are old: a crowd that goes by the same old news must not choose the same endpoint, so 1 would be a bad guess."""
STAGES = ("outlier_ejection", "panic")

Options = Sequence[tuple[str, Any]]


class Channel(grpc.aio.Channel):
    """Made by `lbsuite.channel`; belongs to the event loop that runs then."""

    def __init__(
        self,
        target: str,
        source: Source,
        engine: _core.Engine,
        retry: Retry,
        key: Callable[[Any], Key] | None,
        connect: Callable[[str], grpc.aio.Channel],
    ) -> None:
        self.key = key
        self.waiting: set[BalancedCall] = set()
        self._target = target
        self._engine = engine
        self._source = source
        self._connect_to = connect
        self._closed = False
        self._changed = asyncio.Event()
        self._alarm = Alarm(engine, lambda address: None)
        self.dispatch = Dispatch(engine, retry, self._alarm.settle)
        self._follower = Follower(engine, self.dispatch.loads, self._connect, self._wake)
        self.endpoints = self._follower.endpoints
        engine.pickers(PICKERS, time.monotonic())
        self._following = background.start(self._follower.run(source), f"members of {target}")

    def status(self) -> statuses.ChannelStatus:
        """Who serves, whether the list is still told, and how the calls have fared."""
        now, follower = time.monotonic(), self._follower
        return statuses.ChannelStatus(
            target=self._target,
            policy=self._engine.policy,
            endpoints=statuses.endpoints(self._engine, follower, now),
            listed=follower.listed,
            heard=follower.contact.up,
            why_not=follower.contact.why,
            list_age_s=None if follower.heard_s is None else now - follower.heard_s,
            waiting=len(self.waiting),
            calls=self.dispatch.counts["calls"],
            retries=self.dispatch.counts["retries"],
            failed_first=self.dispatch.counts["failed_first"],
        )

    def lack(self, now: float) -> statuses.Lack | None:
        """Why a call finds nobody; None: it is worth to wait."""
        if self._closed:
            raise grpc.aio.UsageError("Channel is closed.")
        return statuses.lack(self._engine, self._follower, self._target, now)

    async def close(self, grace: float | None = None) -> None:
        """See grpc.aio: calls under way have `grace` seconds."""
        if self._closed:
            return
        self._closed = True
        self._following.cancel()
        for call in list(self.waiting):
            call.cancel()
        await self._follower.close(grace)
        await asyncio.gather(self._following, self._source.close(), return_exceptions=True)
        self._alarm.cancel()
        self._changed.set()

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
        states = {endpoint.state for endpoint in self.endpoints.values()}
        if "ready" in states:
            return grpc.ChannelConnectivity.READY
        if "connecting" in states or not self._follower.listed:
            return grpc.ChannelConnectivity.CONNECTING
        return grpc.ChannelConnectivity.TRANSIENT_FAILURE

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """See grpc.aio."""
        while self.get_state() is last_observed_state:
            self._changed.clear()
            await self._changed.wait()

    async def channel_ready(self) -> None:
        """Waits until some endpoint's connection stands."""
        while (state := self.get_state()) is not grpc.ChannelConnectivity.READY:
            if state is grpc.ChannelConnectivity.SHUTDOWN:
                raise grpc.aio.UsageError("Channel is closed.")
            await self.wait_for_state_change(state)

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> UnaryUnary[Any, Any]:
        """See grpc.aio."""
        return UnaryUnary(self, method, _plain(request_serializer, response_deserializer, _registered_method))

    def stream_stream(self, method: str, *args: Any, **named: Any) -> Any:
        raise NotImplementedError

    def stream_unary(self, method: str, *args: Any, **named: Any) -> Any:
        raise NotImplementedError

    def unary_stream(self, method: str, *args: Any, **named: Any) -> Any:
        raise NotImplementedError

    def _connect(self, address: str, told: Told) -> AioConnection:
        return AioConnection(self._connect_to(address), address, told)

    def _wake(self, now: float) -> None:
        self._alarm.settle(now)
        self._changed.set()
        waiting = list(self.waiting)
        for call in waiting:
            call.seek_again(now)


def _plain(serializer: Any, deserializer: Any, registered: bool | None) -> dict[str, Any]:
    """What a plain channel's method takes; `_registered_method` only from stubs that give it, as older ones do not."""
    plain = {"request_serializer": serializer, "response_deserializer": deserializer}
    return {**plain, "_registered_method": True} if registered else plain


def channel(
    target: str | Source,
    *,
    policy: str | _core.Settings | _core.Policy = "least_load:choices=auto",
    retry: Retry | None = None,
    key: Callable[[Any], Key] | None = None,
    stages: Sequence[str] = STAGES,
    credentials: grpc.ChannelCredentials | None = None,
    options: Options = (),
) -> Channel:
    """A channel for any generated stub that balances each call among all endpoints of a service, in this process.

    target: `static://`, `lb://`, `etcd://`, `dns://` or `k8s://`, as lbsuite.channels.target has it; or a source of
    membership, which the channel closes. policy, stages: as lbsuite.Engine takes them. retry: which calls may be tried
    again, beside those whose handler cannot have begun. key(request): what policies such as `hashed` go by, for
    requests without metadata `lbsuite-key`. credentials, options: of every connection, as grpc.aio has them.

    Needs a running event loop (RuntimeError). Raises ValueError for a target, policy or stage that makes no sense.
    """
    asyncio.get_running_loop()
    name = target if isinstance(target, str) else type(target).__name__
    engine = _core.Engine(policy, seed=_seed(), stages=stages)
    source = source_of(target) if isinstance(target, str) else target
    return Channel(name, source, engine, retry or Retry(), key, _connector(credentials, options))


def _seed() -> int:
    """Channels that begin alike must not choose alike."""
    return time.monotonic_ns()


def _connector(credentials: grpc.ChannelCredentials | None, options: Options) -> Callable[[str], grpc.aio.Channel]:
    # What was never sent gRPC itself may send again, over the same connection.
    kept = [each for each in dial.OPTIONS if each[0] != "grpc.enable_retries"]

    def connect(address: str) -> grpc.aio.Channel:
        with_options = (*kept, *options)
        if credentials is None:
            return grpc.aio.insecure_channel(dial.target(address), options=with_options)
        return grpc.aio.secure_channel(dial.target(address), credentials, options=with_options)

    return connect
