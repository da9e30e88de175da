"""Where a server that joined answers what is no task: its health, probes, and streams of load reports."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # type: ignore[import-untyped]

from lbsuite.wire import messages
from lbsuite.wire.joining import inquiries
from lbsuite.wire.joining.enrolment import Enrolment
from lbsuite.wire.joining.servers import Handlers
from lbsuite.wire.orca_messages import OrcaLoadReport

MAX_STREAMS = 32
"""Streams of load reports that a server with threads sends at once: each takes a thread, none of the tasks' own."""
_LOOK_S = 1.0
_SERVING = health_pb2.HealthCheckResponse.SERVING


class Desk:
    """The desk of a grpc.aio server."""

    def __init__(self, enrolment: Enrolment, handlers: Handlers) -> None:
        self._enrolment, self._handlers = enrolment, handlers
        self._health = health.aio.HealthServicer()
        self._closing = asyncio.Event()

    async def open(self) -> None:
        """Answers from now on, whatever the user does not answer already."""
        for name in ("", *self._handlers.services):
            await self._health.set(name, _SERVING)
        self._handlers.add([*_health_handlers(self._health), *inquiries.handlers(self._probe, self._stream)])

    async def close(self) -> None:
        """Says that the server is going, and ends the streams, which would hold up its end."""
        await self._health.enter_graceful_shutdown()
        self._closing.set()

    async def _probe(self, request: bytes, context: Any) -> messages.ProbeReply:
        return inquiries.probe_reply(self._enrolment)

    async def _stream(self, request: inquiries.Asked, context: Any) -> AsyncIterator[OrcaLoadReport]:
        if request is False:
            await context.abort(*inquiries.NO_REQUEST)
            return
        while not self._closing.is_set():
            yield inquiries.load_report(self._enrolment)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(inquiries.interval_s(request, self._enrolment)):
                    await self._closing.wait()


class SyncDesk:
    """The desk of a server with threads. Its own threads answer, also while all others compute."""

    def __init__(self, enrolment: Enrolment, handlers: Handlers) -> None:
        self._enrolment, self._handlers = enrolment, handlers
        self._health = health.HealthServicer()
        self._streams: set[threading.Event] = set()
        self._lock = threading.Lock()
        self._closing = False

    def open(self) -> None:
        """As `Desk.open`."""
        for name in ("", *self._handlers.services):
            self._health.set(name, _SERVING)

        def probe(request: bytes, context: Any) -> messages.ProbeReply:
            return inquiries.probe_reply(self._enrolment)

        def stream(request: inquiries.Asked, context: Any) -> Iterator[OrcaLoadReport]:
            return self._stream(request, context)

        # One thread more than there are streams, to refuse the next.
        stream.experimental_thread_pool = ThreadPoolExecutor(MAX_STREAMS + 1, "orca")  # type: ignore[attr-defined]
        probe.experimental_thread_pool = ThreadPoolExecutor(1, "probe")  # type: ignore[attr-defined]
        self._handlers.add([*_health_handlers(self._health), *inquiries.handlers(probe, stream)])

    def close(self) -> None:
        """As `Desk.close`."""
        self._health.enter_graceful_shutdown()
        with self._lock:
            self._closing = True
            for over in self._streams:
                over.set()

    def _stream(self, request: inquiries.Asked, context: Any) -> Iterator[OrcaLoadReport]:
        if request is False:
            context.abort(*inquiries.NO_REQUEST)
            return
        over = threading.Event()
        with self._lock:
            if len(self._streams) >= MAX_STREAMS:
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"at most {MAX_STREAMS} streams of load reports")
            if self._closing:
                return
            self._streams.add(over)
        try:
            if context.add_callback(over.set):
                yield from self._reports(inquiries.interval_s(request, self._enrolment), over)
        finally:
            with self._lock:
                self._streams.discard(over)

    def _reports(self, interval_s: float, over: threading.Event) -> Iterator[OrcaLoadReport]:
        while not over.is_set():
            yield inquiries.load_report(self._enrolment)
            due_s = time.monotonic() + interval_s
            while not over.is_set() and (left_s := due_s - time.monotonic()) > 0:
                # The interpreter waits for the threads of a pool before it ends, and tells them nothing.
                if not threading.main_thread().is_alive():
                    return
                over.wait(min(left_s, _LOOK_S))


class _Generic:
    """Takes what a generated add_..._to_server adds: as generic handlers alone, which may come while a server runs."""

    def __init__(self) -> None:
        self.handlers: list[grpc.GenericRpcHandler] = []
        self.add_generic_rpc_handlers: Callable[[Iterable[grpc.GenericRpcHandler]], None] = self.handlers.extend

    def add_registered_method_handlers(self, service_name: str, method_handlers: object) -> None:
        pass


def _health_handlers(servicer: object) -> list[grpc.GenericRpcHandler]:
    taken = _Generic()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, taken)
    return taken.handlers
