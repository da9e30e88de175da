"""What this process uses of its machine."""

import time

EVERY_S = 0.1


class Usage:
    """Resident memory in bytes, and CPU time as a share of one core since the sample before.

    Sampled at most every EVERY_S, as each costs a few system calls. psutil is imported by the first sample.
    """

    def __init__(self) -> None:
        self.memory_bytes, self.cpu = 0, 0.0
        self._sampled_s = self._used_s = 0.0

    def sample(self, now: float) -> None:
        """Takes a new sample, if the last one is old enough."""
        passed_s = now - self._sampled_s
        if self._sampled_s == 0.0:
            import psutil

            self._rss = psutil.Process().memory_info
        elif passed_s < EVERY_S:
            return
        used_s = time.process_time()
        self.cpu = (used_s - self._used_s) / passed_s if self._sampled_s else 0.0
        self.memory_bytes = self._rss().rss
        self._sampled_s, self._used_s = now, used_s
