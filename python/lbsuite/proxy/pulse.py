"""The engine's time, and what it says happened: threads that hold no GIL cannot wake Python, so it looks."""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable

from lbsuite import _core, effects

EVERY_S = 0.05

_log = logging.getLogger(__name__)


class Pulse:
    """Drives one engine's `expire`, and takes its effects. lost(address): a connection there was refused."""

    def __init__(self, engine: _core.Engine, lost: Callable[[str], None]) -> None:
        self._engine = engine
        self._lost = lost
        self.happened: Counter[str] = Counter()
        """How often what the engine says of endpoints has happened, by kind."""
        self.recent: deque[_core.Effect] = deque(maxlen=256)
        """What has happened last, oldest first."""

    async def run(self) -> None:
        """For ever."""
        while True:
            self.beat(time.monotonic())
            await asyncio.sleep(EVERY_S)

    def beat(self, now: float) -> None:
        if self._engine.next_deadline() <= now:
            self._engine.expire(now)
        for effect in self._engine.effects():
            self.happened[effect.kind] += 1
            self.recent.append(effect)
            _log.log(effects.level(effect), "%s", effects.words(effect))
            if effect.kind == "lost":
                self._lost(effect.address)
