"""Callers who wait for a slot: each has a ticket of the engine, and a future that hears what became of it."""

import asyncio
import time

import grpc

from lbsuite import _core
from lbsuite.wire.refusal import Refused

_STOPPED = "the balancer stops"


class Tickets:
    """Those of one engine; belongs to the running event loop."""

    def __init__(self, engine: _core.Engine) -> None:
        self._engine = engine
        self._waiting: dict[_core.Ticket, asyncio.Future[_core.Pick | None]] = {}
        self._stopped = False

    def __len__(self) -> int:
        return len(self._waiting)

    def hold(self, ticket: _core.Ticket) -> asyncio.Future[_core.Pick | None]:
        """What `told` will say of a ticket: a pick, or None if it has waited in vain. Refused once stopped."""
        told = asyncio.get_running_loop().create_future()
        self._waiting[ticket] = told
        if self._stopped:
            self.stop()
        return told

    async def wait(self, ticket: _core.Ticket, told: asyncio.Future[_core.Pick | None]) -> _core.Pick | None:
        """Awaits it; a caller who goes away gives up its place. A slot that it got at that very moment stays taken
        until the engine finds that the pick never arrived."""
        try:
            return await told
        except asyncio.CancelledError:
            self.give_up(ticket)
            raise

    def told(self, effect: _core.Effect) -> None:
        """Takes an effect of the engine; one without a ticket says nothing here."""
        if effect.ticket is None:
            return
        told = self._waiting.pop(effect.ticket, None)
        if told is not None and not told.done():
            told.set_result(effect.pick)

    def stop(self) -> None:
        """Whoever waits, and whoever would, is refused from now on."""
        self._stopped = True
        for ticket, told in list(self._waiting.items()):
            self.give_up(ticket)
            if not told.done():
                told.set_exception(Refused(grpc.StatusCode.UNAVAILABLE, _STOPPED))

    def give_up(self, ticket: _core.Ticket) -> None:
        """Its caller waits no longer. What became of a ticket that was answered already is still told."""
        if self._engine.cancel(ticket, time.monotonic()):
            self._waiting.pop(ticket, None)
