"""The tasks that a backend computes, as callers write them.

35, fib:35           F(35) by the plain recursion: a CPU load
fib_fast:90          F(90) by fast doubling
fib_big:1000000      how many digits F(1000000) has, and their hash; needs GMP
fib_big:1000:text    F(1000) itself, in decimal
sleep:0.05           waits that many seconds
memory:64MiB:0.2     holds resident memory for that many seconds
mix:exp:0.05         a random time of sleep, CPU and memory: see mix
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from lbsuite import _core
from lbsuite.wire import quantities
from lbsuite.wire.mix import Mix

MAX_BYTES = 128
LARGEST_N = 93
LARGEST_BIG_N = 100_000_000
"""Half a second of CPU, 50 MB; the last multiplication, which no cancel interrupts, is half of the time."""
LARGEST_TEXT_N = 20_000_000
"""Its 4,179,753 digits are what gRPC's usual bound of 4 MiB a message leaves room for."""
WITHOUT_GMP = (
    "fib_big needs GMP, which this lbsuite was built without: apt-get install libgmp-dev, then install it anew"
)
MAX_COST = (1 << 32) - 1
"""What a request's field holds."""
DONE = "done"
"""The result of a task that has no other."""

Kernel = Callable[[_core.Cancel], str]
"""Runs on a thread until it has its result or is cancelled."""


class NoKernel(Exception):
    """This build has no kernel for that kind of task; the text is one line fit for a caller."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one task may ask for. max_n: of the plain recursion. max_task_s: how long it may sleep or hold memory.

    max_big_n: of fib_big; 10 million take 33 ms of CPU (in decimal 0.25 s) and 10 MB, and a cancelled one goes on for
    15 ms at most (in decimal 40 ms). slowdown: sleeps take that many times longer; so an experiment makes a slow
    backend of a quick one.
    """

    max_n: int = 45
    max_task_s: float = 60.0
    max_memory_bytes: int = 4 << 30
    slowdown: float = 1.0
    max_big_n: int = 10_000_000


def parse(text: str, bounds: Bounds) -> Kernel:
    """The kernel of a task; raises ValueError, with the value, for what is no task or out of bounds, and NoKernel."""
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(f"a task of {len(text.encode())} bytes, above {MAX_BYTES}")
    kind, argument = _split(text)
    if kind not in _KINDS:
        raise ValueError(f"no kind of task {kind!r}; there are {', '.join(_KINDS)}")
    return _KINDS[kind](argument, bounds)


def expected(text: str) -> str:
    """The right result of a task that `parse` takes, for a caller who checks; costs no load but that of fib_big."""
    kind, argument = _split(text)
    if kind == "fib_big":
        return _big(argument, Bounds(max_big_n=LARGEST_BIG_N))(_core.Cancel())
    return str(_core.fibonacci(int(argument))) if kind in ("fib", "fib_fast") else DONE


def cost(text: str) -> int:
    """About how many milliseconds a task that `parse` takes runs alone, 1 at least: what it may say that it costs."""
    kind, argument = _split(text)
    seconds = _COSTS_S[kind](argument)
    return min(max(1, round(1e3 * seconds)), MAX_COST)


def series(text: str) -> Iterator[str]:
    """The tasks of a run, without end: all alike, but those of a mix without a seed have the seeds 0, 1, 2, ..."""
    kind, argument = _split(text)
    if kind != "mix" or "seed=" in argument:
        return itertools.repeat(text)
    return (f"{text}:seed={seed}" for seed in itertools.count())


def _split(text: str) -> tuple[str, str]:
    kind, colon, argument = text.partition(":")
    return (kind, argument) if colon else ("fib", text)


def _recursive(argument: str, bounds: Bounds) -> Kernel:
    n = quantities.whole(argument, bounds.max_n)
    return lambda cancel: str(_core.fibonacci_recursive(n, cancel))


def _fast(argument: str, bounds: Bounds) -> Kernel:
    n = quantities.whole(argument, LARGEST_N)
    return lambda cancel: str(_core.fibonacci(n))


def _big(argument: str, bounds: Bounds) -> Kernel:
    number, colon, form = argument.partition(":")
    if colon and form != "text":
        raise ValueError(f"not `text`, nor nothing: {form!r}")
    n = quantities.whole(number, min(bounds.max_big_n, LARGEST_TEXT_N) if colon else bounds.max_big_n)
    if _core.gmp_release() is None:
        raise NoKernel(WITHOUT_GMP)
    return partial(_core.fibonacci_text, n) if colon else partial(_digest, n)


def _digest(n: int, cancel: _core.Cancel) -> str:
    digits, xxh64 = _core.fibonacci_digest(n, cancel)
    return f"digits={digits} xxh64={xxh64:016x}"


def _sleep(argument: str, bounds: Bounds) -> Kernel:
    asleep_s = quantities.seconds(argument, bounds.max_task_s)
    return _without_result(partial(_core.sleep, bounds.slowdown * asleep_s))


def _memory(argument: str, bounds: Bounds) -> Kernel:
    amount, _, held_s = argument.partition(":")
    held = quantities.size_up_to(amount, bounds.max_memory_bytes)
    return _without_result(partial(_core.hold_memory, held, quantities.seconds(held_s, bounds.max_task_s)))


def _mix(argument: str, bounds: Bounds) -> Kernel:
    limits = bounds.max_task_s, bounds.max_memory_bytes
    work = Mix.parse(argument, *limits).draw(*limits)
    return _without_result(partial(_core.mix, work.cpu_s, bounds.slowdown * work.sleep_s, work.memory_bytes))


def _recursive_s(argument: str) -> float:
    return 0.010 * float(((1 + math.sqrt(5)) / 2) ** (int(argument) - 32))


def _big_s(argument: str) -> float:
    number, in_decimal, _ = argument.partition(":")
    return int(number) * (25e-9 if in_decimal else 3.3e-9)


def _mix_s(argument: str) -> float:
    work = Mix.parse(argument, math.inf, MAX_COST).draw(math.inf, MAX_COST)
    return work.cpu_s + work.sleep_s


def _without_result(wait: Callable[[_core.Cancel], None]) -> Kernel:
    def run(cancel: _core.Cancel) -> str:
        wait(cancel)
        return DONE

    return run


_KINDS: Mapping[str, Callable[[str, Bounds], Kernel]] = {
    "fib": _recursive,
    "fib_fast": _fast,
    "fib_big": _big,
    "sleep": _sleep,
    "memory": _memory,
    "mix": _mix,
}
_COSTS_S: Mapping[str, Callable[[str], float]] = {
    "fib": _recursive_s,
    "fib_fast": lambda _: 0.0,
    "fib_big": _big_s,
    "sleep": lambda argument: quantities.seconds(argument, math.inf),
    "memory": lambda argument: quantities.seconds(argument.partition(":")[2], math.inf),
    "mix": _mix_s,
}
