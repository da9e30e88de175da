"""Streams of a greatest age: one that goes on and on keeps to its endpoint while others have come."""

import math
import time
from typing import Any

import grpc

from lbsuite import _core
from lbsuite.channels.attempts import Attempts, Timer


class Aging(Attempts):
    """A call that ends when its pick should be made anew, with UNAVAILABLE, so that its caller begins another."""

    _ripe: Timer | None = None
    _instead: Any = None

    def _start(self, pick: _core.Pick, now: float) -> None:
        super()._start(pick, now)
        if math.isfinite(pick.until):
            self._forget_age()
            self._ripe = self._later(pick.until - now, self._grow_old)

    def _grow_old(self) -> None:
        lived_s = time.monotonic() - self._begun_s
        words = f"the stream is {lived_s:.1f} s old, the age at which this channel has it begun anew"
        self._instead = self.ended(grpc.StatusCode.UNAVAILABLE, words)
        if self._attempt is not None:
            self._attempt.cancel()

    def _end(self, attempt: Any) -> None:
        self._forget_age()
        super()._end(self._instead or attempt)

    def _forget_age(self) -> None:
        if self._ripe is not None:
            self._ripe.cancel()
            self._ripe = None
