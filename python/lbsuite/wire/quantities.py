"""The numbers in a task, as callers write them: plain decimals, no signs, no exponents."""

import re

_UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SIZE = re.compile(r"([0-9]+)(B|KiB|MiB|GiB|)")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?|\.[0-9]+")


def whole(text: str, most: int) -> int:
    """0..most; raises ValueError."""
    if not (text.isascii() and text.isdecimal() and int(text) <= most):
        raise ValueError(f"not a whole number n in 0..{most}: {text!r}")
    return int(text)


def number(text: str, what: str, least: float, most: float) -> float:
    """least..most; raises ValueError, which says what was asked for."""
    if not _NUMBER.fullmatch(text) or not least <= float(text) <= most:
        raise ValueError(f"not {what} in {least:g}..{most:g}: {text!r}")
    return float(text)


def seconds(text: str, most: float) -> float:
    """0..most; raises ValueError."""
    return number(text, "a number of seconds", 0, most)


def size(text: str) -> int:
    """Bytes, as `1048576`, `64KiB`, `64MiB` or `1GiB`; raises ValueError."""
    if not (match := _SIZE.fullmatch(text)):
        raise ValueError(f"not a size such as 64MiB: {text!r}")
    return int(match[1]) * _UNITS[match[2]]


def size_up_to(text: str, most: int) -> int:
    """1..most bytes; raises ValueError."""
    if not 1 <= (found := size(text)) <= most:
        raise ValueError(f"memory out of 1..{most} bytes: {text!r}")
    return found
