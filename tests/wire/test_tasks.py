"""Tasks as callers write them."""

import contextlib
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lbsuite import _core
from lbsuite.wire import quantities, tasks
from lbsuite.wire.client import WIDEST
from oracle import numbers

BOUNDS = tasks.Bounds(max_n=20, max_task_s=0.01, max_memory_bytes=1 << 20, max_big_n=2000)
WITH_GMP = pytest.mark.skipif(_core.gmp_release() is None, reason="built without GMP")


def run(text: str) -> str:
    return tasks.parse(text, BOUNDS)(_core.Cancel())


@given(st.integers(0, 20))
def test_a_bare_number_is_the_recursive_fibonacci(n: int) -> None:
    assert run(str(n)) == run(f"fib:{n}") == tasks.expected(str(n)) == str(_core.fibonacci(n))


@given(st.integers(0, 93))
def test_the_fast_fibonacci_reaches_to_93(n: int) -> None:
    assert run(f"fib_fast:{n}") == tasks.expected(f"fib_fast:{n}") == str(_core.fibonacci(n))


@pytest.mark.parametrize("text", ["sleep:0", "sleep:0.001", "sleep:.001", "memory:1:0", "memory:64KiB:0.001"])
def test_a_task_without_a_result_says_done(text: str) -> None:
    assert run(text) == tasks.expected(text) == "done"


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("21", "21"),
        ("-1", "-1"),
        ("1000000000", "1000000000"),
        ("", "''"),
        ("fib:", "''"),
        ("fib:1.5", "1.5"),
        ("\u0663", "\u0663"),
        ("fib_fast:94", "94"),
        ("fib_big:2001", "2001"),
        ("fib_big:2001:text", "2001"),
        ("fib_big:-1", "-1"),
        ("fib_big:1e3", "1e3"),
        ("fib_big:", "''"),
        ("fib_big:10:hex", "'hex'"),
        ("fib_big:10:", "''"),
        ("mix:exp:0.02", "0.02"),
        ("mix:exp:0.01:memory=2MiB", "2MiB"),
        ("sleep:nan", "nan"),
        ("sleep:-1", "-1"),
        ("sleep:1e-3", "1e-3"),
        ("sleep:0.02", "0.02"),
        ("memory:2MiB:0", "2MiB"),
        ("memory:0:0", "'0'"),
        ("memory:1MB:0", "1MB"),
        ("memory:1MiB", "''"),
        ("memory:1MiB:0:0", "0:0"),
        ("dance:3", "dance"),
        ("9" * 129, "129 bytes"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_its_value(text: str, bad: str) -> None:
    with pytest.raises(ValueError, match=re.escape(bad)) as refusal:
        tasks.parse(text, BOUNDS)
    assert "\n" not in str(refusal.value)


@WITH_GMP
@given(st.integers(0, 2000))
def test_a_big_fibonacci_tells_its_digits_and_its_hash_or_itself(n: int) -> None:
    number = _core.fibonacci(n)
    xxh64 = numbers.xxh64(number.to_bytes((number.bit_length() + 7) // 8, "little"), 0)
    said = f"digits={len(str(number))} xxh64={xxh64:016x}"
    assert run(f"fib_big:{n}") == tasks.expected(f"fib_big:{n}") == said
    assert run(f"fib_big:{n}:text") == tasks.expected(f"fib_big:{n}:text") == str(number)


@WITH_GMP
def test_the_longest_text_fits_into_a_message_of_grpc() -> None:
    bounds = tasks.Bounds(max_big_n=tasks.LARGEST_BIG_N)
    digits, _ = _core.fibonacci_digest(tasks.LARGEST_TEXT_N, _core.Cancel())
    assert digits < 4 * 1024 * 1024 - 100
    tasks.parse(f"fib_big:{tasks.LARGEST_TEXT_N}:text", bounds)
    tasks.parse(f"fib_big:{tasks.LARGEST_TEXT_N + 1}", bounds)
    with pytest.raises(ValueError, match=str(tasks.LARGEST_TEXT_N + 1)):
        tasks.parse(f"fib_big:{tasks.LARGEST_TEXT_N + 1}:text", bounds)


def test_a_kind_without_a_kernel_is_told_apart_from_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_core, "gmp_release", lambda: None)
    for text in ("fib_big:1000", "fib_big:10:text"):
        with pytest.raises(tasks.NoKernel, match="apt-get install libgmp-dev"):
            tasks.parse(text, BOUNDS)
    with pytest.raises(ValueError, match="2001"):
        tasks.parse("fib_big:2001", BOUNDS)


@given(st.text() | st.from_regex(r"(fib|fib_fast|fib_big|sleep|memory|mix):[0-9a-zA-Z.:=-]*", fullmatch=True))
@example("fib:\x00")
@example("\ud800")
def test_any_text_is_a_task_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError, tasks.NoKernel):
        assert callable(tasks.parse(text, BOUNDS))


@pytest.mark.parametrize(
    ("text", "size"), [("17", 17), ("17B", 17), ("2KiB", 2048), ("3MiB", 3 << 20), ("4GiB", 4 << 30)]
)
def test_sizes_have_binary_units(text: str, size: int) -> None:
    assert quantities.size(text) == size


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("32", 10),
        ("fib:42", 1230),
        ("fib:93", 4_294_967_295),
        ("fib_fast:90", 1),
        ("fib_big:10000000", 33),
        ("fib_big:10000000:text", 250),
        ("sleep:0", 1),
        ("sleep:0.05", 50),
        ("memory:64MiB:0.2", 200),
        ("mix:exp:0.05:cpu=0.5:memory=1MiB:seed=1", 83),
    ],
)
def test_a_task_costs_about_its_milliseconds(text: str, ms: int) -> None:
    tasks.parse(text, WIDEST)
    assert tasks.cost(text) == ms


def test_a_slowdown_makes_sleeps_longer_and_nothing_else() -> None:
    slow = tasks.Bounds(slowdown=10.0)
    begun = time.monotonic()
    assert tasks.parse("sleep:0.01", slow)(_core.Cancel()) == tasks.DONE
    assert time.monotonic() - begun >= 0.1
    assert tasks.parse("10", slow)(_core.Cancel()) == "55"
