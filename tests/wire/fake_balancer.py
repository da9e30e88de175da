"""A balancer that picks nothing and remembers everything, for tests of those who report to one."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import grpc

from lbsuite.wire import messages
from scripted import Server

DEADLINE_S = 20.0


class FakeBalancer(Server):
    """Knows the endpoints that registered; reports of others are NOT_FOUND. hung: takes calls and answers none."""

    def __init__(self, listen: str = "127.0.0.1:0") -> None:
        super().__init__("LoadBalancer", listen)
        self.known: set[str] = set()
        self.registered: list[messages.ServerInfo] = []
        self.deregistered: list[str] = []
        self.reports: list[messages.ServerLoad] = []
        self.report_times: list[float] = []
        self.hung = False
        self._news = asyncio.Condition()

    @property
    def last(self) -> messages.ServerLoad:
        """The last report; an empty one before the first."""
        return self.reports[-1] if self.reports else messages.ServerLoad()

    async def RegisterServer(self, info: messages.ServerInfo, context: Any) -> messages.RegisterResponse:
        await self._hang()
        self.registered.append(info)
        self.known.add(info.address)
        await self._tell()
        return messages.RegisterResponse()

    async def ReportLoad(self, load: messages.ServerLoad, context: Any) -> messages.LoadResponse:
        await self._hang()
        self.report_times.append(time.monotonic())
        self.reports.append(load)
        await self._tell()
        if load.address not in self.known:
            await context.abort(grpc.StatusCode.NOT_FOUND, "not here")
        return messages.LoadResponse()

    async def Deregister(self, info: messages.ServerInfo, context: Any) -> messages.RegisterResponse:
        await self._hang()
        self.known.discard(info.address)
        self.deregistered.append(info.address)
        await self._tell()
        return messages.RegisterResponse()

    async def until(self, holds: Callable[[], object]) -> None:
        """Waits for what a call changes; TimeoutError after a while."""
        async with asyncio.timeout(DEADLINE_S), self._news:
            await self._news.wait_for(lambda: bool(holds()))

    async def reported(self, count: int) -> None:
        """Waits for so many more reports."""
        wanted = len(self.reports) + count
        await self.until(lambda: len(self.reports) >= wanted)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _hang(self) -> None:
        if self.hung:
            await asyncio.Event().wait()
