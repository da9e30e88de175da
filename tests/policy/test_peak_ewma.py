import math
from collections import Counter

from ends import chosen, ended, picked_where_one_fails
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsuite import _core

A, B, C, D = (f"127.0.0.1:{port}" for port in range(4001, 4005))
LATENCIES = st.floats(0.001, 10)
HISTORIES = st.lists(st.tuples(LATENCIES, st.booleans(), st.floats(0, 20)), min_size=1, max_size=12)


def of(*addresses: str, policy: str = "peak_ewma") -> _core.Engine:
    """An engine that hears of ends from now on, one task ended at each endpoint, in 0.1 s."""
    engine = _core.Engine(policy)
    for address in addresses:
        engine.join(address, 0.0)
        ended(engine, address, 0.0, 0.1)
    return engine


def test_of_two_the_quicker_is_taken_until_its_tasks_make_up_for_it() -> None:
    engine = of(A, B)
    ended(engine, B, 0.0, 0.33)
    picks = [engine.pick(0.0) for _ in range(8)]
    # 0.1 x 1, 2, 3, then 0.33 x 1 against 0.1 x 4, and so on
    assert [pick.endpoint for pick in picks] == [A, A, A, B, A, A, A, B]


def test_a_peak_counts_at_once_and_a_low_only_with_time() -> None:
    engine = of(A, B)
    ended(engine, A, 0.0, 1.0)
    assert chosen(engine, 0.0) == {B}
    for _ in range(50):
        ended(engine, A, 0.0, 0.001)
    assert chosen(engine, 0.0) == {B}
    # Nobody else ends, so both decay alike; then A's mean of 1.0 and 0.001, the time being 3 decay_s, is below B's.
    assert chosen(engine, 29.9) == {B}
    ended(engine, A, 30.0, 0.001)
    ended(engine, B, 30.0, 0.1)
    kept = math.exp(-30 / 10)
    assert kept * 1.0 + (1 - kept) * 0.001 < 0.1
    assert chosen(engine, 30.0) == {A}


def test_the_decay_is_a_setting() -> None:
    engine = of(A, B, policy="peak_ewma:decay_s=1")
    ended(engine, A, 0.0, 1.0)
    ended(engine, A, 3.0, 0.001)
    ended(engine, B, 3.0, 0.1)
    assert chosen(engine, 3.0) == {A}


def test_one_not_heard_of_yet_is_tried_once_and_then_waited_for() -> None:
    engine = of(A, B)
    engine.join(C, 0.0)
    counts = Counter(engine.pick(1.0).endpoint for _ in range(60))
    assert counts[C] == 1


def test_two_distinct_ones_are_compared_so_the_dearest_of_all_is_never_taken() -> None:
    engine = of(A, B, C)
    ended(engine, B, 0.0, 5.0)
    assert chosen(engine, 0.0) == {A, C}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(history=HISTORIES, known=st.booleans())
def test_an_error_never_counts_as_faster_than_a_success(history: list[tuple[float, bool, float]], known: bool) -> None:
    """Two endpoints with one history, but that B fails where A does not: B is never the cheaper one."""
    engine = of(A, B) if known else of(C)
    for address in (A, B):
        engine.join(address, 0.0)
    now = 0.0
    for latency_s, fails, pause_s in history:
        now += pause_s
        ended(engine, A, now, latency_s)
        ended(engine, B, now, latency_s, failed=fails)
        engine.drain(C, now)
        assert A in chosen(engine, now)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(history=HISTORIES, haste_s=st.floats(0, 0.001))
def test_an_error_however_quick_never_makes_an_endpoint_cheaper(
    history: list[tuple[float, bool, float]], haste_s: float
) -> None:
    """Two endpoints with the same successes; B fails between them, too."""
    engine = of(A, B)
    now = 0.0
    for latency_s, fails, pause_s in history:
        now += pause_s
        for address in (A, B):
            ended(engine, address, now, latency_s)
        if fails:
            ended(engine, B, now, haste_s, failed=True)
        assert A in chosen(engine, now)


def test_one_that_fails_at_once_gets_little_however_idle_it_looks() -> None:
    """Three endpoints answer after 50 ms; D, which no success was ever seen of, fails within 1 ms."""
    engine = of(A, B, C)
    engine.join(D, 0.0)
    counts = picked_where_one_fails(engine, D, a_second=400)
    assert counts[D] < 3000 * 0.05
    assert min(counts[address] for address in (A, B, C)) > 3000 * 0.25


def test_one_that_failed_is_tried_again_in_time() -> None:
    engine = of(A, B)
    for _ in range(100):
        ended(engine, B, 0.0, 0.001, failed=True)
    assert chosen(engine, 1.0) == {A}
    for second in range(1, 60):
        ended(engine, A, float(second), 0.1)
    assert chosen(engine, 60.0) == {B}


def test_several_ends_told_at_once_count_as_so_many() -> None:
    """Where reports tell: the sum of latencies is that of the successes, as quick errors add nothing to it."""
    engine = _core.Engine("peak_ewma", accounting="reported")
    for address in (A, B, C):
        engine.join(address, 0.0)
    engine.pick_address(0.0)
    engine.report(A, 1.0, own_finished=10, own_latency_s=1.0)
    engine.report(B, 1.0, own_finished=10, own_failed=9, own_latency_s=0.1)
    engine.report(C, 1.0, own_finished=10, own_failed=10, own_latency_s=0.0)
    assert chosen(engine, 1.0) == {A, B}  # of B and C it is B, which has done something
    engine.drain(C, 1.0)
    assert chosen(engine, 1.0) == {A}
    engine.report(A, 2.0, own_finished=20, own_latency_s=101.0)  # ten more, of 10 s each
    assert chosen(engine, 2.0) == {B}
