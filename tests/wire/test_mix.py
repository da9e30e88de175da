"""Tasks of random sizes, as callers write them and as they come out."""

import re
import statistics
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsuite import _core
from lbsuite.wire import tasks
from lbsuite.wire.mix import DISTRIBUTIONS, Mix, Work

LONGEST_S, MOST = 60.0, 1 << 30


def parse(text: str) -> Mix:
    return Mix.parse(text, LONGEST_S, MOST)


def draw(text: str) -> Work:
    return parse(text).draw(LONGEST_S, MOST)


def test_what_is_not_said_is_usual() -> None:
    assert parse("exp:0.05") == Mix("exp", 0.05)
    assert parse("lognormal:2") == Mix("lognormal", 2.0, shape=1.0)
    assert parse("pareto:.5") == Mix("pareto", 0.5, shape=2.1)


def test_settings_come_in_any_order() -> None:
    found = parse("pareto:0.05:seed=7:memory=16MiB:cpu=0.5:shape=1.5")
    assert found == Mix("pareto", 0.05, shape=1.5, cpu=0.5, memory_bytes=16 << 20, seed=7)
    assert found == parse("pareto:0.05:shape=1.5:cpu=0.5:memory=16MiB:seed=7")


@given(st.sampled_from(sorted(DISTRIBUTIONS)), st.integers(0, 2**64 - 1))
def test_a_seed_gives_the_same_task_each_time(distribution: str, seed: int) -> None:
    text = f"{distribution}:0.05:cpu=0.5:memory=1MiB:seed={seed}"
    assert draw(text) == draw(text)


def test_tasks_without_a_seed_differ() -> None:
    assert len({draw("exp:0.05") for _ in range(10)}) == 10


@given(st.integers(0, 2**64 - 1), st.floats(0, 1))
def test_the_share_of_cpu_splits_the_time(seed: int, share: float) -> None:
    whole, split = draw(f"exp:0.05:seed={seed}"), draw(f"exp:0.05:seed={seed}:cpu={share:.9f}")
    assert (whole.cpu_s, whole.memory_bytes) == (0.0, 0)
    assert split.cpu_s + split.sleep_s == pytest.approx(whole.sleep_s)
    assert split.cpu_s == pytest.approx(share * whole.sleep_s, abs=1e-6)


@given(st.sampled_from(sorted(DISTRIBUTIONS)), st.integers(0, 2**64 - 1))
def test_no_task_is_larger_than_the_bounds(distribution: str, seed: int) -> None:
    work = parse(f"{distribution}:0.05:memory=1MiB:seed={seed}").draw(0.06, 1 << 20)
    assert 0 <= work.cpu_s + work.sleep_s <= 0.06
    assert 1 <= work.memory_bytes <= 1 << 20


def test_time_and_memory_are_drawn_apart_with_the_means_that_were_asked_for() -> None:
    drawn = [draw(f"exp:0.05:memory=1MiB:seed={seed}") for seed in range(10_000)]
    times, sizes = [work.sleep_s for work in drawn], [float(work.memory_bytes) for work in drawn]
    assert statistics.fmean(times) == pytest.approx(0.05, rel=0.05)
    assert statistics.fmean(sizes) == pytest.approx(1 << 20, rel=0.05)
    assert abs(statistics.correlation(times, sizes)) < 0.05


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("", "''"),
        ("normal:0.05", "'normal'"),
        ("exp", "''"),
        ("exp:", "''"),
        ("exp:-1", "'-1'"),
        ("exp:61", "'61'"),
        ("exp:0.05:", "''"),
        ("exp:0.05:seed", "'seed'"),
        ("exp:0.05:seed=", "''"),
        ("exp:0.05:seed=-1", "'-1'"),
        (f"exp:0.05:seed={2**64}", str(2**64)),
        ("exp:0.05:seed=1:seed=2", "'seed=2'"),
        ("exp:0.05:shape=1", "'shape=1'"),
        ("exp:0.05:cpu=1.1", "'1.1'"),
        ("exp:0.05:cpu=nan", "'nan'"),
        ("exp:0.05:memory=0", "'0'"),
        ("exp:0.05:memory=2GiB", "'2GiB'"),
        ("exp:0.05:memory=1MB", "'1MB'"),
        ("exp:0.05:colour=red", "'colour=red'"),
        ("lognormal:0.05:shape=5", "'5'"),
        ("pareto:0.05:shape=1", "'1'"),
    ],
)
def test_what_is_no_mix_is_refused_with_its_value(text: str, bad: str) -> None:
    with pytest.raises(ValueError, match=re.escape(bad)) as refusal:
        parse(text)
    assert "\n" not in str(refusal.value)


def test_a_mix_is_a_task() -> None:
    text = "mix:lognormal:0.002:shape=0.5:cpu=0.5:memory=64KiB:seed=18446744073709551615"
    assert len(text) <= tasks.MAX_BYTES
    before_s = _core.thread_cpu_s()
    assert tasks.parse(text, tasks.Bounds())(_core.Cancel()) == tasks.expected(text) == tasks.DONE
    assert _core.thread_cpu_s() - before_s >= draw(text.removeprefix("mix:")).cpu_s


def test_a_run_of_a_mix_numbers_its_tasks_and_repeats_all_others() -> None:
    numbered = ["mix:exp:0.05:seed=0", "mix:exp:0.05:seed=1", "mix:exp:0.05:seed=2"]
    assert list(islice(tasks.series("mix:exp:0.05"), 3)) == numbered
    for text in ("mix:exp:0.05:seed=7", "35", "sleep:0.05", "fib_big:10:text"):
        assert list(islice(tasks.series(text), 2)) == [text, text]
