"""A grpc.Channel over all endpoints of a service, for callers that block."""

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Literal, Self

import grpc

from lbsuite import _core
from lbsuite.channels.attempts import Attempts
from lbsuite.channels.dispatch import Dispatch
from lbsuite.channels.endpoint import Endpoint, Told
from lbsuite.channels.hedge import Hedge
from lbsuite.channels.loop_thread import START_S, LoopThread
from lbsuite.channels.methods import Key
from lbsuite.channels.probes import Probes
from lbsuite.channels.retry import Retry
from lbsuite.channels.service import Service
from lbsuite.channels.settings import STAGES, Options, ServiceSettings, connector, plain_method, settings_of
from lbsuite.channels.status import ChannelStatus
from lbsuite.channels.sync_endpoint import Awaited, SyncConnection, WatchedChannel
from lbsuite.channels.sync_methods import HedgedUnaryUnary, StreamStream, StreamUnary, UnaryStream, UnaryUnary
from lbsuite.registry.source import Source
from lbsuite.wire.alarm import SOON_S

Serializer = Callable[[Any], bytes]
Deserializer = Callable[[bytes], Any]
Heard = Callable[[grpc.ChannelConnectivity], None]


class SyncChannel(grpc.Channel):
    """Made by `lbsuite.sync_channel`. Calls come from any thread, each picks in its own; the list is followed in one
    more, which the first use starts and `close` ends."""

    thread: LoopThread
    service: Service
    dispatch: Dispatch
    endpoints: dict[str, Endpoint]

    def __init__(
        self, settings: ServiceSettings, key: Callable[[Any], Key] | None, connect: Callable[[str], grpc.Channel]
    ) -> None:
        self.key = key
        self.eager = settings.eager
        self.queues = settings.queue_s > 0
        self.hedging = settings.hedging
        self.waiting: set[Attempts] = set()
        self.closed = False
        self._settings = settings
        self._connect_to = connect
        self._lock = threading.Lock()
        self._hearers: dict[Heard, grpc.ChannelConnectivity | None] = {}

    def __repr__(self) -> str:
        return f"<lbsuite.sync_channel {self._settings.target}>"

    def __getattr__(self, name: str) -> Any:
        # What is not there yet is there from the first use on.
        if name not in ("thread", "service", "dispatch", "endpoints"):
            raise AttributeError(name)
        with self._lock:
            if "endpoints" not in self.__dict__:
                self._start()
        return self.__dict__[name]

    def _start(self) -> None:
        self.check_open()
        thread = LoopThread(f"members of {self._settings.target}", self.close)
        thread.run(self._serve(thread))

    async def _serve(self, thread: LoopThread) -> None:
        def settle(now: float) -> None:
            alarm = service.alarm
            if thread.here():
                alarm.settle(now)
            else:
                thread.call(alarm.settle, now)

        def soon(now: float) -> None:
            if now + SOON_S < service.alarm.due:
                thread.call(service.alarm.soon, now)

        def probe(address: str) -> None:
            probes.send(address)

        service = Service(self._settings, self._connect, self._wake, probe, settle, soon)
        probes = Probes(service, Awaited)
        self.thread, self.service = thread, service
        self.dispatch, self.endpoints = service.dispatch, service.endpoints

    def status(self) -> ChannelStatus:
        """Who serves, whether the list is still told, and how the calls have fared."""
        return self.service.status(len(self.waiting))

    def check_open(self) -> None:
        """Raises ValueError once the channel is closed."""
        if self.closed:
            raise ValueError("Cannot invoke RPC: Channel closed!")

    def close(self, grace: float | None = None) -> None:
        """See grpc.Channel: calls under way have `grace` seconds. Not for its own callbacks to call."""
        with self._lock:
            begun, self.closed, was_closed = "endpoints" in self.__dict__, True, self.closed
        if begun and not was_closed:
            try:
                self.thread.run(self._end(grace), START_S + (grace or 0.0))
            finally:
                self.thread.close()

    async def _end(self, grace_s: float | None) -> None:
        for call in list(self.waiting):
            call.cancel()
        await self.service.close(grace_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> Literal[False]:
        self.close()
        return False

    def subscribe(self, callback: Heard, try_to_connect: bool | None = None) -> None:
        """See grpc.Channel; the channel always tries to connect."""
        self._hearers[callback] = None
        self.thread.call(self._tell)

    def unsubscribe(self, callback: Heard) -> None:
        """See grpc.Channel."""
        self._hearers.pop(callback, None)

    def _tell(self) -> None:
        state = self.service.state()
        for callback, heard in list(self._hearers.items()):
            if heard is not state:
                self._hearers[callback] = state
                self.thread.aside(callback, state)

    def unary_unary(
        self,
        method: str,
        request_serializer: Serializer | None = None,
        response_deserializer: Deserializer | None = None,
        _registered_method: bool | None = False,
    ) -> UnaryUnary:
        """See grpc.Channel."""
        kind = HedgedUnaryUnary if self.hedging.covers(method) else UnaryUnary
        return kind(self, method, plain_method(request_serializer, response_deserializer, _registered_method))

    def unary_stream(
        self,
        method: str,
        request_serializer: Serializer | None = None,
        response_deserializer: Deserializer | None = None,
        _registered_method: bool | None = False,
    ) -> UnaryStream:
        """See grpc.Channel."""
        return UnaryStream(self, method, plain_method(request_serializer, response_deserializer, _registered_method))

    def stream_unary(
        self,
        method: str,
        request_serializer: Serializer | None = None,
        response_deserializer: Deserializer | None = None,
        _registered_method: bool | None = False,
    ) -> StreamUnary:
        """See grpc.Channel."""
        return StreamUnary(self, method, plain_method(request_serializer, response_deserializer, _registered_method))

    def stream_stream(
        self,
        method: str,
        request_serializer: Serializer | None = None,
        response_deserializer: Deserializer | None = None,
        _registered_method: bool | None = False,
    ) -> StreamStream:
        """See grpc.Channel."""
        return StreamStream(self, method, plain_method(request_serializer, response_deserializer, _registered_method))

    def _connect(self, address: str, told: Told) -> SyncConnection:
        endpoint = self.service.endpoints[address]
        plain: Any = WatchedChannel(self._connect_to(address), lambda: endpoint.in_flight <= 0)
        return SyncConnection(plain, address, told)

    def _wake(self, now: float) -> None:
        for call in list(self.waiting):
            call.seek_again(now)
        if self._hearers:
            self._tell()


def sync_channel(
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
) -> SyncChannel:
    """As `lbsuite.channel`, for stubs whose calls block, and their futures: for threads, without an event loop.

    Where calls may queue (queue_s), each is picked in the channel's own thread. Raises ValueError for a target, policy
    or stage that makes no sense, TypeError for an argument of another kind.
    """
    settings = settings_of(target, policy, retry, hedge, stages, queue_s)
    return SyncChannel(settings, key, connector(grpc.insecure_channel, grpc.secure_channel, credentials, options))
