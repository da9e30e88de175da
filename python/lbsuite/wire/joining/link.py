"""One backend's side of the talk with one balancer."""

import asyncio
import contextlib
import logging

import grpc
import grpc.aio

from lbsuite import background
from lbsuite.backoff import Backoff
from lbsuite.wire import messages, services
from lbsuite.wire.dial import dial

CALL_S = 1.0
"""Deadline of every call to a balancer."""

_OPTIONS = (
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 2_000),
)
_NOT_FOUND = grpc.StatusCode.NOT_FOUND
_PATIENCE = 2
"""How often a balancer that hears of us through the registry may not know us yet, before we register with it."""

_log = logging.getLogger(__name__)


class Link:
    """Registers with a balancer and sends it reports, one at a time and always the newest, until closed.

    A balancer that is away is asked again with growing pauses, for ever; one that does not know us (any more) is
    registered with. register: begin by that.
    """

    def __init__(self, address: str, info: messages.ServerInfo, load: messages.ServerLoad, *, register: bool) -> None:
        self.address, self.tried = address, asyncio.Event()
        """tried: the balancer was asked at least once."""
        self._info, self._load = info, load
        self._patience = 0 if register else _PATIENCE
        self._register = register
        self._news = asyncio.Event()
        self._backoff = Backoff()
        self._trouble: grpc.StatusCode | None = None
        self._channel = dial(address, _OPTIONS)
        self._balancer = services.stub(self._channel, "LoadBalancer")
        self._running = background.start(self._run(), f"link to {address}")

    def send(self) -> None:
        """The report was written anew: it goes out as soon as the one before is answered."""
        self._news.set()

    async def deregister(self) -> None:
        """Sends the last report and says good-bye, if the balancer is there, and closes."""
        await self._stop()
        with contextlib.suppress(grpc.aio.AioRpcError):
            await self._balancer.ReportLoad(self._load, timeout=CALL_S)
            await self._balancer.Deregister(self._info, timeout=CALL_S)
        await self._channel.close()

    async def close(self) -> None:
        """Ends the talk without a word."""
        await self._stop()
        await self._channel.close()

    async def _stop(self) -> None:
        self._running.cancel()
        await asyncio.wait({self._running})

    async def _run(self) -> None:
        while True:
            try:
                await self._advance()
            except grpc.aio.AioRpcError as error:
                if self._failed(error):
                    await asyncio.sleep(self._backoff.next_s())
            else:
                self._answered()

    async def _advance(self) -> None:
        if self._register:
            await self._balancer.RegisterServer(self._info, timeout=CALL_S)
            self._register = False
            self._news.set()
        else:
            await self._news.wait()
            self._news.clear()
            await self._balancer.ReportLoad(self._load, timeout=CALL_S)

    def _answered(self) -> None:
        self.tried.set()
        self._backoff.reset()
        if self._trouble is not None:
            _log.info("balancer %s answers again", self.address)
            self._trouble = None

    def _failed(self, error: grpc.aio.AioRpcError) -> bool:
        """What to do next time; True if that has to wait."""
        code = error.code()
        self.tried.set()
        self._news.set()
        if code is not _NOT_FOUND or self._register:
            if code is not self._trouble:
                _log.warning("balancer %s: %s, %r; trying on", self.address, code.name, error.details())
                self._trouble = code
        elif self._patience > 0:
            self._patience -= 1
        else:
            self._register = True
            return False
        return True
