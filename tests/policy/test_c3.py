from collections import Counter

import pytest
from ends import chosen, ended, picked_where_one_fails
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsuite import _core

A, B, C, D = (f"127.0.0.1:{port}" for port in range(4001, 4005))


def of(*addresses: str, policy: str = "c3", accounting: str = "done") -> _core.Engine:
    engine = _core.Engine(policy, accounting=accounting)
    for address in addresses:
        engine.join(address, 0.0)
    engine.pick_address(0.0)  # it hears of nothing before its first pick
    return engine


def test_the_score_is_response_less_service_plus_queue_cubed_times_service() -> None:
    """A answers in 0.1 s, alone: R = S = 0.1, and n of its own tasks score 0.1 (1 + n)^3. B's 2.8 are met at n = 3."""
    engine = of(A, B)
    ended(engine, A, 0.0, 0.1)
    ended(engine, B, 0.0, 2.8)
    assert [engine.pick(0.0).endpoint for _ in range(4)] == [A, A, A, B]


@pytest.mark.parametrize(("exponent", "picks"), [(1, 9), (2, 3), (3, 2)])
def test_the_exponent_is_a_setting(exponent: int, picks: int) -> None:
    engine = of(A, B, policy=f"c3:exponent={exponent}")
    ended(engine, A, 0.0, 0.1)
    ended(engine, B, 0.0, 0.95)
    assert [engine.pick(0.0).endpoint for _ in range(10)].index(B) == picks


def test_own_tasks_count_for_every_picker() -> None:
    engine = of(A, B)
    engine.pickers(3, 0.0)
    ended(engine, A, 0.0, 0.1)
    ended(engine, B, 0.0, 2.8)
    assert [engine.pick(0.0).endpoint for _ in range(2)] == [A, B]  # 1 + 3 tasks, cubed, make 6.4 s


@pytest.mark.parametrize(("alpha", "winner"), [(0.9, A), (0.3, B)])
def test_averages_weigh_the_newest_by_alpha(alpha: float, winner: str) -> None:
    engine = of(A, B, policy=f"c3:alpha={alpha}")
    ended(engine, A, 0.0, 1.0)
    ended(engine, A, 0.0, 0.1)  # 0.19 with .9, 0.73 with .3
    ended(engine, B, 0.0, 0.4)
    assert chosen(engine) == {winner}


def test_what_reports_tell_of_queue_and_service_time_is_believed() -> None:
    engine = of(A, B, accounting="reported")
    for address in (A, B):
        engine.report(address, 1.0, own_finished=1, own_latency_s=0.1, finished=10, busy_s=1.0)
    engine.report(A, 2.0, tasks=3, own_finished=1, own_latency_s=0.1, finished=10, busy_s=1.0)
    assert chosen(engine, 2.0) == {B}
    engine.report(A, 3.0, own_finished=1, own_latency_s=0.1, finished=30, busy_s=1.2)  # 20 tasks, 10 ms each
    engine.report(A, 3.0, own_finished=1, own_latency_s=0.1, finished=30, busy_s=1.2)
    picks = Counter(engine.pick(3.0).endpoint for _ in range(3))
    assert picks[A] >= 2


def test_one_not_heard_of_yet_is_tried_once_and_then_waited_for() -> None:
    engine = of(A, B)
    for address in (A, B):
        ended(engine, address, 0.0, 0.1)
    engine.join(C, 0.0)
    assert Counter(engine.pick(1.0).endpoint for _ in range(30))[C] == 1


@settings(max_examples=150, deadline=None, derandomize=True)
@given(history=st.lists(st.tuples(st.floats(0.001, 10), st.booleans(), st.floats(0, 20)), min_size=1, max_size=12))
def test_an_error_never_counts_as_faster_than_a_success(history: list[tuple[float, bool, float]]) -> None:
    engine = of(A, B)
    now = 0.0
    for latency_s, fails, pause_s in [(0.1, False, 0.0), *history]:
        now += pause_s
        ended(engine, A, now, latency_s)
        ended(engine, B, now, latency_s, failed=fails)
        assert A in chosen(engine, now)


def test_one_that_fails_at_once_gets_little_however_idle_it_looks() -> None:
    engine = of(A, B, C)
    for address in (A, B, C):
        ended(engine, address, 0.0, 0.05)
    engine.join(D, 0.0)
    counts = picked_where_one_fails(engine, D, a_second=100)
    assert counts[D] < 3000 * 0.15  # an equal share is a quarter, and its tasks end at once
