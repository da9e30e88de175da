"""`--log-picks`: one line a pick, as far as a reader can follow."""

import logging

from lbsuite import _core

LINES_PER_S = 100

_log = logging.getLogger(__name__)


class PickLog:
    """Writes strategy, chosen endpoint and its load; beyond LINES_PER_S picks a second are only counted."""

    def __init__(self) -> None:
        self._second = 0
        self._lines = 0
        self._left_out = 0

    def note(self, engine: _core.Engine, policy: str | None, address: str, now: float) -> None:
        if int(now) != self._second:
            if self._left_out:
                _log.info("%d more picks not shown", self._left_out)
            self._second, self._lines, self._left_out = int(now), 0, 0
        if self._lines == LINES_PER_S:
            self._left_out += 1
            return
        self._lines += 1
        load = next((endpoint.estimate for endpoint in engine.endpoints(now) if endpoint.address == address), 0.0)
        _log.info("pick %s -> %s, load %.3g", policy or engine.policy, address, load)
