"""What a run costs the machine: CPU of processes, idle time of the cores, CPU of one task."""

import asyncio
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from lbsuite import _core
from lbsuite.fleet import Process

CORES = len(os.sched_getaffinity(0))
_LAST_WORDS = re.compile(r"served (\d+) tasks, at most (\d+) at once, ([\d.]+) ms of CPU each, (\d+) refused")


def cpu_s(processes: Iterable[Process]) -> float:
    """CPU that these processes have used so far."""
    times = [psutil.Process(process.pid).cpu_times() for process in processes]
    return sum(time.user + time.system for time in times)


def children_cpu_s() -> float:
    """CPU that the children of this process that have ended have used."""
    times = os.times()
    return times.children_user + times.children_system


async def idle_share(after_s: float, during_s: float) -> float:
    """The share of all cores that did nothing, from `after_s` on."""
    await asyncio.sleep(after_s)
    idle, total = _jiffies()
    await asyncio.sleep(during_s)
    idle_then, total_then = _jiffies()
    return (idle_then - idle) / (total_then - total)


def _jiffies() -> tuple[int, int]:
    values = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return values[3] + values[4], sum(values)


def fibonacci_near(cpu_ms: float) -> int:
    """The n whose plain recursion takes about that much CPU here, now."""
    n = 22
    while (took := _cpu_of(n)) < cpu_ms / 1e3:
        n += 1
    return n if took - cpu_ms / 1e3 < cpu_ms / 1e3 - took / 1.618 else n - 1


def _cpu_of(n: int) -> float:
    begun = _core.thread_cpu_s()
    _core.fibonacci_recursive(n, _core.Cancel())
    return _core.thread_cpu_s() - begun


@dataclass(frozen=True, slots=True)
class Account:
    """What backends say at their end. task_cpu_s: CPU of all tasks, by the clocks of the threads that ran them."""

    served: int
    task_cpu_s: float
    most_at_once: int
    refused: int

    @classmethod
    def of(cls, backends: Iterable[Process]) -> "Account":
        """Reads the last words of backends that have been stopped; ValueError where one has said nothing."""
        served, cpu, most, refused = 0, 0.0, 0, 0
        for backend in backends:
            words = _LAST_WORDS.search(backend.stderr_tail)
            if words is None:
                raise ValueError(f"no account of {backend.address}: {backend.stderr_tail[-200:]!r}")
            served += int(words[1])
            most = max(most, int(words[2]))
            cpu += int(words[1]) * float(words[3]) / 1e3
            refused += int(words[4])
        return cls(served, cpu, most, refused)
