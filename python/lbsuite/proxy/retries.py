"""How often a request may be tried again."""

from lbsuite.proxy.settings import DoorSettings


class Retries:
    """They cost at most a share of requests and a few a second beside (SRE book, ch. 21)."""

    def __init__(self, settings: DoorSettings) -> None:
        self._share = settings.retry_share
        self._per_s = settings.retries_per_s
        self._most = 10 * settings.retries_per_s + 100
        self._tokens = settings.retries_per_s
        self._last: float | None = None

    def request(self) -> None:
        self._tokens = min(self._tokens + self._share, self._most)

    def retry(self, now: float) -> bool:
        """Takes one, if there is any."""
        if self._last is not None:
            self._tokens = min(self._tokens + (now - self._last) * self._per_s, self._most)
        self._last = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
