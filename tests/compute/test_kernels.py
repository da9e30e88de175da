"""The kernels stop when told to, refuse nonsense, and let the rest of the process run."""

import math
import os
import threading
import time
from collections.abc import Callable

import psutil
import pytest

from lbsuite import _core

KERNELS: dict[str, Callable[[_core.Cancel], object]] = {
    "fibonacci": lambda cancel: _core.fibonacci_recursive(60, cancel),
    "sleep": lambda cancel: _core.sleep(600, cancel),
    "memory": lambda cancel: _core.hold_memory(1 << 20, 600, cancel),
    "mix, computing": lambda cancel: _core.mix(600, 0, 1 << 20, cancel),
    "mix, asleep": lambda cancel: _core.mix(0, 600, 1 << 20, cancel),
}
DEADLINE_S = 20.0


class Running(threading.Thread):
    """A kernel in a thread of its own: what it raised, and the CPU time it had used when it stopped."""

    def __init__(self, kernel: Callable[[_core.Cancel], object]) -> None:
        super().__init__()
        self.cancel, self.kernel, self.error, self.cpu_s = _core.Cancel(), kernel, None, 0.0
        self.begun = threading.Event()

    def run(self) -> None:
        self.begun.set()
        try:
            self.kernel(self.cancel)
        except _core.TaskCancelled as error:
            self.error = error
        self.cpu_s = _core.thread_cpu_s()

    def used_s(self) -> float:
        """CPU time so far, as the system counts it for this thread from outside."""
        return time.clock_gettime(time.pthread_getcpuclockid(self.ident or 0))


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_a_cancelled_kernel_burns_no_more_than_10_ms(kernel: Callable[[_core.Cancel], object]) -> None:
    running = Running(kernel)
    running.start()
    running.begun.wait(DEADLINE_S)
    before_s = running.used_s()
    running.cancel.set()
    running.join(DEADLINE_S)
    assert not running.is_alive()
    assert isinstance(running.error, _core.TaskCancelled)
    assert running.cpu_s - before_s <= 0.010


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_a_kernel_cancelled_before_it_begins_does_nothing(kernel: Callable[[_core.Cancel], object]) -> None:
    cancel = _core.Cancel()
    cancel.set()
    assert cancel.is_set()
    with pytest.raises(_core.TaskCancelled):
        kernel(cancel)


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_other_threads_of_python_run_beside_a_kernel(kernel: Callable[[_core.Cancel], object]) -> None:
    running = Running(kernel)
    running.start()
    turns = sum(1 for _ in range(100_000))
    assert running.is_alive()
    assert turns == 100_000
    running.cancel.set()
    running.join(DEADLINE_S)


def test_sleep_lasts_as_long_as_it_is_told() -> None:
    start = time.monotonic()
    _core.sleep(0.05, _core.Cancel())
    assert time.monotonic() - start >= 0.05


@pytest.mark.parametrize("seconds", [-1.0, -1e-9, math.nan, math.inf, 1e10])
def test_a_time_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds"):
        _core.sleep(seconds, _core.Cancel())
    with pytest.raises(ValueError, match="seconds"):
        _core.hold_memory(1 << 60, seconds, _core.Cancel())
    with pytest.raises(ValueError, match="seconds"):
        _core.mix(seconds, 0, 0, _core.Cancel())
    with pytest.raises(ValueError, match="seconds"):
        _core.mix(0, seconds, 0, _core.Cancel())


def test_a_mix_uses_its_cpu_and_then_sleeps() -> None:
    used_s, start_s = _core.thread_cpu_s(), time.monotonic()
    _core.mix(0.05, 0.05, 0, _core.Cancel())
    used_s = _core.thread_cpu_s() - used_s
    assert 0.05 <= used_s <= 0.07
    assert time.monotonic() - start_s >= 0.1


HOLDERS: dict[str, Callable[[int, _core.Cancel], object]] = {
    "memory": lambda size, cancel: _core.hold_memory(size, 600, cancel),
    "mix, computing": lambda size, cancel: _core.mix(600, 0, size, cancel),
    "mix, asleep": lambda size, cancel: _core.mix(0, 600, size, cancel),
}


@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_held_memory_is_resident_and_given_back(hold: Callable[[int, _core.Cancel], object]) -> None:
    process, size = psutil.Process(), 64 << 20
    before = process.memory_info().rss
    running = Running(lambda cancel: hold(size, cancel))
    running.start()
    deadline = time.monotonic() + DEADLINE_S
    while process.memory_info().rss < before + 0.9 * size and time.monotonic() < deadline:
        time.sleep(0.002)
    held = process.memory_info().rss
    running.cancel.set()
    running.join(DEADLINE_S)
    assert held >= before + 0.9 * size
    assert process.memory_info().rss < before + 0.5 * size


@pytest.mark.parametrize("size", [0, -1, -(10**30)])
def test_less_than_a_byte_cannot_be_held(size: int) -> None:
    with pytest.raises(ValueError, match="below 1"):
        _core.hold_memory(size, 0, _core.Cancel())
    if size:
        with pytest.raises(ValueError, match="below 1"):
            _core.mix(0, 0, size, _core.Cancel())


@pytest.mark.parametrize("size", [1 << 60, 10**30])
def test_more_than_there_is_cannot_be_held(size: int) -> None:
    with pytest.raises(MemoryError):
        _core.hold_memory(size, 0, _core.Cancel())
    with pytest.raises(MemoryError):
        _core.mix(0, 0, size, _core.Cancel())


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="niceness belongs to the process outside Linux")
def test_only_the_calling_thread_gets_a_lower_priority() -> None:
    nice: list[int] = []

    def run() -> None:
        _core.lower_priority(3)
        nice.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(DEADLINE_S)
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert nice == [min(own + 3, 19)]


@pytest.mark.parametrize("nice", [-1, 20])
def test_a_priority_cannot_be_raised(nice: int) -> None:
    with pytest.raises(ValueError, match=str(nice)):
        _core.lower_priority(nice)
