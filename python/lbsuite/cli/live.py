"""A table on the terminal, one line a backend: what the balancer knows of it, twice a second."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

import grpc
import grpc.aio

from lbsuite.wire import messages, services
from lbsuite.wire.dial import dial

if TYPE_CHECKING:
    from rich.table import Table

EVERY_S = 0.5
DEADLINE_S = 2.0


class Live:
    """Shown while the block runs, if stdout is a terminal: `async with Live(balancer, service, addresses): ...`.

    share: the part of all tasks finished since the start that this backend finished.
    """

    def __init__(self, balancer: str, service: str, addresses: Sequence[str]) -> None:
        self._balancer, self._service, self._addresses = balancer, service, addresses
        self._showing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if sys.stdout.isatty():
            self._showing = asyncio.create_task(self._show())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._showing:
            self._showing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._showing

    async def _show(self) -> None:
        from rich.live import Live as Screen

        async with dial(self._balancer) as channel:
            status = services.stub(channel, "LoadBalancer").Status
            with Screen(auto_refresh=False) as screen:
                while True:
                    try:
                        reply = await status(messages.StatusRequest(service=self._service), timeout=DEADLINE_S)
                        screen.update(self._table(reply), refresh=True)
                    except grpc.aio.AioRpcError as error:
                        screen.update(
                            f"the balancer at {self._balancer} does not answer: {error.code().name}", refresh=True
                        )
                    await asyncio.sleep(EVERY_S)

    def _table(self, reply: messages.StatusReply) -> "Table":
        from rich.table import Table

        table = Table("backend", "state", "tasks", "memory", "share", title=f"{self._balancer}  {reply.policy}")
        known = {endpoint.info.address: endpoint for endpoint in reply.endpoints}
        finished = sum(endpoint.last_report.finished for endpoint in reply.endpoints)
        for address in self._addresses:
            if (endpoint := known.get(address)) is None:
                table.add_row(address, "gone", "", "", "")
                continue
            report = endpoint.last_report
            table.add_row(
                address,
                messages.State.Name(endpoint.state).lower(),
                f"{report.load}/{endpoint.info.limit or '-'}",
                f"{report.memory_bytes / 2**20:.0f} MiB",
                f"{report.finished / finished:.1%}" if finished else "-",
            )
        return table
