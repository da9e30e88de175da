"""The tasks that a backend computes, as callers write them.

35, fib:35           F(35) by the plain recursion: a CPU load
fib_fast:90          F(90) by fast doubling
sleep:0.05           waits that many seconds
memory:64MiB:0.2     holds resident memory for that many seconds
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from lbsuite import _core

MAX_BYTES = 128
LARGEST_N = 93
DONE = "done"
"""The result of a task that has no other."""

_LATER = ("fib_big", "mix")
_UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SIZE = re.compile(r"([0-9]+)(B|KiB|MiB|GiB|)")
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?|\.[0-9]+")

Kernel = Callable[[_core.Cancel], str]
"""Runs on a thread until it has its result or is cancelled."""


class NotYet(Exception):
    """A kind of task that has a name but no kernel; its text is one line fit for a caller."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one task may ask for. max_n: of the plain recursion. max_task_s: how long it may sleep or hold memory.

    slowdown: sleeps take that many times longer; so an experiment makes a slow backend of a quick one.
    """

    max_n: int = 45
    max_task_s: float = 60.0
    max_memory_bytes: int = 4 << 30
    slowdown: float = 1.0


def parse(text: str, bounds: Bounds) -> Kernel:
    """The kernel of a task; raises ValueError, with the value, for what is no task or out of bounds, and NotYet."""
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(f"a task of {len(text.encode())} bytes, above {MAX_BYTES}")
    kind, colon, argument = text.partition(":")
    if not colon:
        kind, argument = "fib", text
    if kind in _LATER:
        raise NotYet(f"tasks of kind {kind!r} are not implemented yet")
    if kind not in _KINDS:
        raise ValueError(f"no kind of task {kind!r}; there are {', '.join(_KINDS)}")
    return _KINDS[kind](argument, bounds)


def expected(text: str) -> str:
    """The right result of a task that `parse` takes, for a caller who checks; costs no load."""
    kind, colon, argument = text.partition(":")
    return DONE if kind in ("sleep", "memory") else str(_core.fibonacci(int(argument if colon else text)))


def size(text: str) -> int:
    """Bytes, as `1048576`, `64KiB`, `64MiB` or `1GiB`; raises ValueError."""
    if not (match := _SIZE.fullmatch(text)):
        raise ValueError(f"not a size such as 64MiB: {text!r}")
    return int(match[1]) * _UNITS[match[2]]


def _recursive(argument: str, bounds: Bounds) -> Kernel:
    n = _whole(argument, bounds.max_n)
    return lambda cancel: str(_core.fibonacci_recursive(n, cancel))


def _fast(argument: str, bounds: Bounds) -> Kernel:
    n = _whole(argument, LARGEST_N)
    return lambda cancel: str(_core.fibonacci(n))


def _sleep(argument: str, bounds: Bounds) -> Kernel:
    return _without_result(partial(_core.sleep, bounds.slowdown * _seconds(argument, bounds.max_task_s)))


def _memory(argument: str, bounds: Bounds) -> Kernel:
    amount, _, seconds = argument.partition(":")
    held = size(amount)
    if not 1 <= held <= bounds.max_memory_bytes:
        raise ValueError(f"memory out of 1..{bounds.max_memory_bytes} bytes: {amount!r}")
    return _without_result(partial(_core.hold_memory, held, _seconds(seconds, bounds.max_task_s)))


def _without_result(wait: Callable[[_core.Cancel], None]) -> Kernel:
    def run(cancel: _core.Cancel) -> str:
        wait(cancel)
        return DONE

    return run


def _whole(text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= most):
        raise ValueError(f"not a whole number n in 0..{most}: {text!r}")
    return int(text)


def _seconds(text: str, most: float) -> float:
    if not _SECONDS.fullmatch(text) or float(text) > most:
        raise ValueError(f"not a number of seconds in 0..{most:g}: {text!r}")
    return float(text)


_KINDS: Mapping[str, Callable[[str, Bounds], Kernel]] = {
    "fib": _recursive,
    "fib_fast": _fast,
    "sleep": _sleep,
    "memory": _memory,
}
