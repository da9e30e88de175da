"""How much trying again a process may add to a fleet that is already in trouble."""

SHARE = 0.1
PER_S = 10.0
_RESERVE_S = 10.0


class RetryBudget:
    """Allows a second try for 10 % of the requests and 10 times a second besides.

    What is not used is kept for later, up to what 10 quiet seconds bring. Times are seconds of one monotonic clock.
    """

    def __init__(self, now: float) -> None:
        self._tries = PER_S
        self._now = now

    def earn(self) -> None:
        """A request begins."""
        self._tries += SHARE

    def spend(self, now: float) -> bool:
        """Takes one try from the budget; False, and nothing is taken, when it is used up."""
        self._tries = min(self._tries + PER_S * max(now - self._now, 0.0), PER_S * _RESERVE_S)
        self._now = max(now, self._now)
        if self._tries < 1.0:
            return False
        self._tries -= 1.0
        return True
