"""How long to wait before trying a lost server again."""

import random

_GROWTH = 1.6
_SPREAD = 0.2


class Backoff:
    """Waits that grow from `first_s` to `most_s`, each jittered by 20 % so that a fleet does not come back in step."""

    def __init__(self, first_s: float = 0.1, most_s: float = 1.0) -> None:
        self._first_s, self._most_s = first_s, most_s
        self._next_s = first_s

    def next_s(self) -> float:
        """The wait before the next try, in seconds."""
        wait_s, self._next_s = self._next_s, min(self._next_s * _GROWTH, self._most_s)
        return wait_s * random.uniform(1 - _SPREAD, 1 + _SPREAD)

    def reset(self) -> None:
        """Starts again from the first wait: the server has answered."""
        self._next_s = self._first_s
