"""Limits: no more tasks in flight than are borne, learnt as by Netflix's concurrency-limits; the least important shed
first; and retries within a budget."""

import itertools
import threading
from collections import Counter
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lbsuite
from lbsuite import _core
from oracle.limits import Aimd, Gradient2

A, B = "127.0.0.1:4000", "127.0.0.1:4001"


def fleet(*stages: str, endpoints: int = 1, limit: int = 0, accounting: str = "done") -> _core.Engine:
    engine = _core.Engine("round_robin", accounting=accounting, stages=stages)
    for i in range(endpoints):
        engine.join(f"127.0.0.1:{4000 + i}", 0.0, limit=limit)
    return engine


def fill(engine: _core.Engine, now: float, most: int = 1000, **request: int) -> list[_core.Pick]:
    """Picks until nobody is found."""
    return list(itertools.takewhile(bool, (engine.pick(now, **request) for _ in range(most))))


def limit_of(engine: _core.Engine, now: float = 0.0) -> int:
    return engine.endpoints(now)[0].limit


STEPS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.01, 0.02, 0.3, 6.0]), st.integers(0, 9), st.integers(1, 40)),
    min_size=20,
    max_size=120,
)


TWINS = [
    Aimd(least=1),
    Aimd(least=20, most=24),
    Aimd(limit=30, least=5, timeout_s=0.015, backoff=0.6),
    Gradient2(least=1, window_s=0.5),
    Gradient2(least=20, window_s=0.05),
    Gradient2(limit=12, least=3, window_s=0.05, queue=7, tolerance=2.5, smoothing=0.6, long_windows=3),
]


@pytest.mark.parametrize("settled", TWINS, ids=str)
@settings(max_examples=20, deadline=None)
@given(steps=STEPS)
def test_a_limit_is_learnt_as_its_source_has_it(
    settled: Aimd | Gradient2, steps: list[tuple[bool, float, int, int]]
) -> None:
    twin, told = replace(settled), asdict(settled)
    spec = ",".join(f"{name}={value}" for name, value in told.items())
    engine, open_picks, now = fleet(f"endpoint_limit:kind={twin.kind},{spec}"), [], 0.0
    for more, latency_s, tenths, count in steps:
        now += 0.05
        if more:
            open_picks += fill(engine, now, count)
        for _ in open_picks[:count]:
            tasks = len(open_picks)
            failed = twin.kind == "aimd" and tenths == 0
            engine.done(open_picks.pop(0), now, latency_s, error="failed" if failed else None)
            twin.ended(tasks, latency_s, failed, now)
        assert limit_of(engine, now) == int(twin.limit)


def test_an_endpoint_has_no_more_than_it_told_and_no_more_than_it_bears() -> None:
    engine = fleet("endpoint_limit:kind=fixed,limit=3", endpoints=2)
    engine.join(A, 0.0, limit=2)
    assert Counter(pick.endpoint for pick in fill(engine, 1.0)) == {A: 2, B: 3}
    assert engine.why(1.0) == "all_full"
    engine.report(A, 1.0, limit=9)
    assert Counter(pick.endpoint for pick in fill(engine, 1.0)) == {A: 1}
    engine.report(A, 1.0, limit=0)
    assert limit_of(engine) == 3


def test_who_comes_again_is_learnt_anew() -> None:
    engine = fleet("endpoint_limit:kind=aimd,least=1")
    for _ in range(10):
        engine.done(engine.pick(1.0), 1.0, 0.1, error="failed")
    assert limit_of(engine) < 10
    engine.leave(A, 2.0)
    engine.join(A, 2.0)
    assert limit_of(engine) == 20


def test_limits_are_learnt_from_the_counts_in_reports() -> None:
    engine = fleet("endpoint_limit:kind=aimd,least=1", accounting="reported")
    assert len(fill(engine, 1.0)) == 20
    engine.report(A, 1.1, tasks=0, begun=20, finished=20, own_finished=20, own_latency_s=2.0)
    assert limit_of(engine) == 40
    assert len(fill(engine, 1.2)) == 40
    engine.report(A, 1.3, tasks=0, begun=60, finished=60, own_finished=60, own_failed=5, own_latency_s=3.0)
    assert limit_of(engine) == 36


def test_overload_shrinks_a_gradient_and_quiet_lets_it_grow() -> None:
    engine, now = fleet("endpoint_limit:kind=gradient2,limit=100,least=5,window_s=0.1"), 0.0

    def serve(latency_s: float, windows: int) -> int:
        nonlocal now
        for _ in range(windows):
            now += 0.1
            for pick in fill(engine, now):
                engine.done(pick, now, latency_s)
        return limit_of(engine, now)

    calm = serve(0.01, 20)
    assert calm > 100
    overloaded = serve(0.2, 40)
    assert overloaded < 20
    assert serve(0.01, 40) > overloaded + 20


def test_quick_failures_do_not_look_like_speed() -> None:
    engine, now = fleet("endpoint_limit:kind=gradient2,limit=50,least=5,window_s=0.1"), 0.0
    for failing in [False] * 20 + [True] * 20 + [False] * 5:
        now += 0.1
        for number, pick in enumerate(fill(engine, now)):
            failed = failing and number % 8 != 0
            engine.done(pick, now, 0.0001 if failed else 0.1, error="failed" if failed else None)
    assert limit_of(engine, now) >= 50


def test_where_everything_fails_and_nobody_tells_how_slowly_fewer_are_let_in() -> None:
    engine, failed = (
        fleet("endpoint_limit:kind=gradient2,limit=50,least=1,queue=1,window_s=0.1", accounting="reported"),
        0,
    )
    for window in range(1, 60):
        failed += len(fill(engine, window / 10))
        engine.report(A, window / 10 + 0.05, begun=failed, finished=failed, own_finished=failed, own_failed=failed)
    assert limit_of(engine) <= 3


@pytest.mark.parametrize("accounting", ["done", "reported"])
def test_the_whole_has_no_more_than_its_limit_and_what_matters_less_is_shed_first(accounting: str) -> None:
    engine = fleet("total_limit:kind=fixed,limit=20", endpoints=4, accounting=accounting)
    assert len(fill(engine, 1.0, priority=9)) == 2
    assert len(fill(engine, 1.0, priority=2)) == 14
    assert engine.why(1.0, priority=2) == "shed"
    assert engine.why(1.0, priority=1) == "ready"
    assert len(fill(engine, 1.0, priority=1)) == 2
    assert len(fill(engine, 1.0)) == 2
    assert engine.why(1.0) == "shed"
    assert sum(endpoint.tasks for endpoint in engine.endpoints(1.0)) == 20


def test_with_slots_the_whole_is_what_the_endpoints_bear() -> None:
    engine = fleet("total_limit:kind=fixed,limit=1000,slots=1", endpoints=4, limit=5)
    assert len(fill(engine, 1.0, priority=5)) == 10
    engine.leave(A, 1.0)
    held = sum(endpoint.tasks for endpoint in engine.endpoints(1.0))
    assert len(fill(engine, 1.0, priority=1)) == 14 - held
    assert len(fill(engine, 1.0)) == 1


STEP = st.tuples(
    st.sampled_from(["pick", "pick", "pick", "done", "report", "leave", "join", "expire"]), st.integers(0, 7)
)


@pytest.mark.parametrize("accounting", ["done", "reported"])
@settings(max_examples=60, deadline=None)
@given(walk=st.lists(STEP, max_size=150))
def test_no_walk_passes_the_limit_of_the_whole_nor_leaks_of_it(accounting: str, walk: list[tuple[str, int]]) -> None:
    engine = fleet(
        "retry_budget:per_s=0.1", "total_limit:kind=fixed,limit=12", endpoints=3, limit=6, accounting=accounting
    )
    open_picks: list[_core.Pick] = []
    now = 0.0
    for what, number in walk:
        now, who = now + 0.1, f"127.0.0.1:{4000 + number % 3}"
        before = sum(endpoint.tasks for endpoint in engine.endpoints(now))
        if what == "pick":
            pick = engine.pick(now, priority=number // 4, attempt=number % 2)
            open_picks += [pick] if pick else []
            assert not pick or before < 12
            after = sum(endpoint.tasks for endpoint in engine.endpoints(now))
            assert after == before + bool(pick)
        elif what == "done" and open_picks and accounting == "done":
            engine.done(open_picks.pop(number % len(open_picks)), now, 0.1)
        elif what == "report":
            engine.report(who, now, tasks=number, interval_s=0.2)
        elif what == "leave":
            engine.leave(who, now)
        elif what == "join":
            engine.join(who, now, limit=6)
        elif what == "expire":
            engine.expire(now)
    held = sum(endpoint.tasks for endpoint in engine.endpoints(now))
    for port in range(6):
        engine.join(f"127.0.0.1:{5000 + port}", now)
    assert len(fill(engine, now)) == max(0, 12 - held)


def test_threads_leak_nothing_of_the_limit_of_the_whole() -> None:
    engine = fleet("total_limit:kind=aimd,least=8,limit=8,most=8", "retry_budget", endpoints=3)
    lanes = [engine.lane() for _ in range(4)]
    counting, held, most = threading.Lock(), 0, 0

    def work(lane: int) -> None:
        nonlocal held, most
        for _ in range(2000):
            picks = [pick for _ in range(3) if (pick := engine.pick(1.0, lane=lane))]
            with counting:
                held += len(picks)
                most = max(most, held)
            with counting:
                held -= len(picks)
            for pick in picks:
                engine.done(pick, 1.0, 0.01)

    threads = [threading.Thread(target=work, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert 0 < most <= 8
    assert len(fill(engine, 2.0)) == 8


def test_retries_pass_within_a_share_of_the_requests_and_some_a_second() -> None:
    engine = fleet("retry_budget")
    assert len(fill(engine, 100.0, attempt=1)) == 100
    assert engine.why(100.0, attempt=2) == "over_budget"
    for _ in range(50):
        assert engine.pick(105.0)
    assert len(fill(engine, 105.0, attempt=3)) == 10
    assert len(fill(engine, 109.9, attempt=1)) == 0
    assert len(fill(engine, 110.0, attempt=1)) == 100


def test_a_retry_that_finds_nobody_costs_nothing() -> None:
    engine = fleet("retry_budget:per_s=0.5", "total_limit:kind=fixed,limit=8", limit=6)
    fill(engine, 1.0)
    for _ in range(50):
        assert engine.pick(1.0, attempt=1) is None
        assert engine.why(1.0, attempt=1) == "all_full"
    engine.leave(A, 1.0)
    engine.join(B, 1.0)
    assert len(fill(engine, 1.0, attempt=1)) == 6
    assert engine.why(1.0, attempt=1) == "over_budget"


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("endpoint_limit:least=30", "a limit of 20 is not in least=30..most=200"),
        ("total_limit:kind=aimd,limit=300", "a limit of 300 is not in least=20..most=200"),
        ("retry_budget:share=-1", "share"),
    ],
)
def test_limits_that_make_no_sense_are_refused(stage: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        lbsuite.Engine("random", stages=(stage,))
