"""Time for an engine: one timer, set to its next deadline; and what the engine says happened, logged or passed on."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable

from lbsuite import _core, effects
from lbsuite.wire.tickets import Tickets

_log = logging.getLogger(__name__)
LEAST_S = 0.001
SOON_S = 0.01
_KINDS = ("lost", "back", "stale", "fresh", "expired", "ejected", "returned")


class Alarm:
    """Drives one engine's `expire`. expired(address): an endpoint's lease ran out, the engine has let it go.
    probe(address): the engine asks for a probe; None: it is one whose host gives none."""

    def __init__(
        self, engine: _core.Engine, expired: Callable[[str], None], probe: Callable[[str], None] | None = None
    ) -> None:
        self._engine = engine
        self._expired = expired
        self._probe = probe
        self.tickets = Tickets(engine)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self.due = float("inf")
        """When the timer rings."""
        self.happened = Counter(dict.fromkeys(_KINDS, 0))
        """How often what the engine says of endpoints has happened, by kind."""

    def settle(self, now: float) -> None:
        """After any call that may have changed the engine: takes its effects, and rings at its next deadline."""
        for effect in self._engine.effects():
            if effect.ticket is not None:
                self.tickets.told(effect)
                continue
            if effect.kind == "probe" and self._probe is not None:
                self._probe(effect.address)
                continue
            self.happened[effect.kind] += 1
            _log.log(effects.level(effect), "%s", effects.words(effect))
            if effect.kind == "expired":
                self._expired(effect.address)
        self.ring_by(self._engine.next_deadline(), now)

    def soon(self, now: float) -> None:
        """As `settle`, a moment later and for many calls at once: for what changes the engine often and says little."""
        if now + SOON_S < self.due:
            self.ring_by(now + SOON_S, now)

    async def wait(self, ticket: _core.Ticket, now: float) -> _core.Pick | None:
        """The pick that a new ticket is answered with, None if it waits in vain; Refused where the host stops."""
        told = self.tickets.hold(ticket)
        self.settle(now)
        return await self.tickets.wait(ticket, told)

    def ring_by(self, deadline: float, now: float) -> None:
        """Rings no later than `deadline`. An earlier ring is kept: it costs one call, moving it costs one each time."""
        if deadline < self.due:
            self.cancel()
            self.due = deadline
            self._timer = self._loop.call_later(max(LEAST_S, deadline - now), self._ring)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.due = float("inf")

    def _ring(self) -> None:
        self.due = float("inf")
        now = time.monotonic()
        self._engine.expire(now)
        self.settle(now)
