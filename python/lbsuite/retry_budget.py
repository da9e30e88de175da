"""How much trying again a process may add to a fleet that is already in trouble."""

SHARE = 0.1
PER_S = 10.0
_RESERVE_S = 10.0


class RetryBudget:
    """Allows a second try for a share of the requests and so many times a second besides (SRE book, ch. 21).

    What is not used is kept for later, up to what 10 quiet seconds bring and `reserve` more. Times are seconds of one
    monotonic clock.
    """

    def __init__(self, now: float, share: float = SHARE, per_s: float = PER_S, reserve: float = 0.0) -> None:
        self._share, self._per_s = share, per_s
        self._most = per_s * _RESERVE_S + reserve
        self._tries = per_s
        self._now = now

    def earn(self) -> None:
        """A request begins."""
        self._tries += self._share

    def spend(self, now: float) -> bool:
        """Takes one try from the budget; False, and nothing is taken, when it is used up."""
        self._tries = min(self._tries + self._per_s * max(now - self._now, 0.0), self._most)
        self._now = max(now, self._now)
        if self._tries < 1.0:
            return False
        self._tries -= 1.0
        return True
