"""What this process uses of its machine."""

import functools
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

EVERY_S = 0.1


class Usage:
    """Resident memory in bytes, and CPU time as a share of one core since the sample before.

    Sampled at most every EVERY_S, as each costs a few system calls.
    """

    def __init__(self) -> None:
        self.memory_bytes, self.cpu = 0, 0.0
        self._sampled_s = self._used_s = 0.0

    def sample(self, now: float) -> None:
        """Takes a new sample, if the last one is old enough."""
        passed_s = now - self._sampled_s
        if self._sampled_s and passed_s < EVERY_S:
            return
        used_s = time.process_time()
        self.cpu = (used_s - self._used_s) / passed_s if self._sampled_s else 0.0
        self.memory_bytes = _resident_memory()()
        self._sampled_s, self._used_s = now, used_s


@functools.cache
def cores() -> float:
    """How many cores this process may use: those it may run on, or its container's share of them."""
    usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    quota, _, period = _cgroup("cpu.max").partition(" ")
    return min(float(usable), int(quota) / int(period)) if quota.isdecimal() else float(usable)


@functools.cache
def memory_limit() -> int:
    """How many bytes this process may hold: its machine's, or its container's share of them."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = _cgroup("memory.max")
    return min(physical, int(limit)) if limit.isdecimal() else physical


def _cgroup(name: str) -> str:
    try:
        return Path("/sys/fs/cgroup", name).read_text().strip()
    except OSError:
        return ""


@functools.cache
def _resident_memory() -> Callable[[], int]:
    """A way to ask for this process's resident bytes. On Linux a file that stays open, as psutil's answer costs four
    times as much, several times a second in every backend."""
    if sys.platform == "linux":
        statm, page = os.open("/proc/self/statm", os.O_RDONLY), os.sysconf("SC_PAGE_SIZE")
        return lambda: int(os.pread(statm, 128, 0).split()[1]) * page
    import psutil

    process = psutil.Process()
    return lambda: int(process.memory_info().rss)
