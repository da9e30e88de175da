import threading
from collections import Counter

import pytest

from lbsuite import _core

A, B, C = "127.0.0.1:4001", "127.0.0.1:4002", "127.0.0.1:4003"


def test_an_endpoint_that_joins_again_is_one_endpoint_and_keeps_its_place() -> None:
    engine = _core.Engine("pick_first")
    assert engine.join(A, 0.0)
    assert engine.join(B, 0.0)
    assert not engine.join(A, 1.0, weight=3, limit=7, zone="z")
    assert [(e.address, e.weight, e.limit, e.zone) for e in engine.endpoints(1.0)] == [(A, 3, 7, "z"), (B, 1, 0, "")]
    assert len(engine) == 2


def test_the_order_is_by_create_revision_then_address_then_arrival() -> None:
    engine = _core.Engine("pick_first")
    engine.join(C, 0.0)
    engine.join(B, 0.0, order=7)
    engine.join(A, 0.0, order=7)
    engine.join("127.0.0.1:4000", 0.0)
    assert engine.ready(0.0) == [A, B, C, "127.0.0.1:4000"]
    engine.join(C, 0.0, order=1)
    assert engine.ready(0.0) == [A, B, C, "127.0.0.1:4000"]


def test_an_endpoint_whose_reports_stop_is_stale_after_three_intervals_and_fresh_by_the_next() -> None:
    engine = _core.Engine()
    engine.join(A, 0.0)
    engine.report(A, 1.0, interval_s=0.5)
    assert engine.next_deadline() == 2.5
    engine.expire(2.4)
    assert engine.ready(2.4) == [A]
    engine.expire(2.5)
    assert engine.ready(2.5) == []
    assert (engine.pick(2.5), engine.why(2.5)) == (None, "none")
    engine.report(A, 3.0, interval_s=0.5)
    assert engine.ready(3.0) == [A]
    assert [(effect.kind, effect.address) for effect in engine.effects()] == [("stale", A), ("fresh", A)]
    assert engine.effects() == []


def test_a_lease_is_renewed_by_joins_and_reports_and_ends_without() -> None:
    engine = _core.Engine()
    engine.join(A, 0.0, lease_s=2.0)
    engine.report(A, 1.5)
    engine.expire(3.0)
    assert engine.ready(3.0) == [A]
    assert engine.next_deadline() == 3.5
    engine.expire(3.5)
    assert len(engine) == 0
    assert [effect.kind for effect in engine.effects()] == ["expired"]
    assert not engine.report(A, 4.0)


def test_an_endpoint_that_never_reports_is_ready_by_its_own_picks() -> None:
    engine = _core.Engine("least_load:choices=all", accounting="reported")
    engine.join(A, 0.0)
    engine.join(B, 0.0)
    assert Counter(engine.pick(1.0).endpoint for _ in range(10)) == {A: 5, B: 5}


def test_a_lost_connection_ejects_until_it_is_reached_again() -> None:
    engine = _core.Engine()
    engine.join(A, 0.0)
    engine.lost(A, 1.0)
    assert [(e.state, e.address) for e in engine.endpoints(1.0)] == [("ejected", A)]
    engine.reached(A, 2.0)
    assert engine.ready(2.0) == [A]
    assert [effect.kind for effect in engine.effects()] == ["lost", "back"]


def test_a_drain_by_the_operator_outlives_reports_and_joins() -> None:
    engine = _core.Engine()
    engine.join(A, 0.0)
    assert engine.drain(A, 0.0)
    engine.report(A, 1.0, draining=False)
    engine.join(A, 1.0)
    assert engine.ready(1.0) == []
    engine.drain(A, 2.0, undo=True)
    assert engine.ready(2.0) == [A]
    assert not engine.drain(B, 2.0)


class TestTheEstimate:
    """Dead reckoning between reports; the reasons are in DESIGN.md."""

    def engine(self) -> _core.Engine:
        engine = _core.Engine("least_load:choices=all", accounting="reported")
        engine.join(A, 0.0)
        return engine

    def estimate(self, engine: _core.Engine, now: float) -> float:
        return engine.endpoints(now)[0].estimate

    def test_a_report_sets_it_and_a_pick_adds_one(self) -> None:
        engine = self.engine()
        engine.report(A, 1.0, tasks=4, begun=0)
        engine.pick(1.0)
        assert self.estimate(engine, 1.0) == pytest.approx(5)

    def test_it_falls_at_the_learnt_rate_and_stops_at_zero_without_banking_idle_time(self) -> None:
        engine = self.engine()
        engine.report(A, 10.0, tasks=4, begun=0, finished=20, busy_s=10.0)
        assert self.estimate(engine, 11.0) == pytest.approx(2)
        assert self.estimate(engine, 20.0) == 0
        engine.pick(20.0)
        assert self.estimate(engine, 20.25) == pytest.approx(0.5)

    def test_without_a_learnt_rate_it_stands_still(self) -> None:
        engine = self.engine()
        engine.report(A, 1.0, tasks=4, begun=0)
        assert self.estimate(engine, 60.0) == pytest.approx(4, abs=1e-3)

    def test_silence_of_one_that_tells_promptly_says_that_nothing_has_ended(self) -> None:
        engine = self.engine()
        engine.report(A, 10.0, tasks=4, begun=0, finished=20, busy_s=10.0, prompt_s=0.5)
        assert self.estimate(engine, 10.5) == pytest.approx(3)
        assert self.estimate(engine, 12.0) == pytest.approx(3)
        engine.pick(12.0)
        assert self.estimate(engine, 13.0) == pytest.approx(4)
        engine.expire(14.0)  # the pick never arrived
        assert self.estimate(engine, 14.0) == pytest.approx(3)

    def test_picks_the_report_has_not_seen_begin_stay_in_it(self) -> None:
        engine = self.engine()
        for _ in range(5):
            engine.pick(1.0)
        engine.report(A, 1.05, tasks=2, begun=3, interval_s=0.5)
        assert self.estimate(engine, 1.05) == pytest.approx(4)
        assert engine.endpoints(1.05)[0].tasks == 4

    def test_without_counts_the_picks_of_the_last_tenth_of_a_second_stay_in_it(self) -> None:
        engine = self.engine()
        engine.pick(1.0)
        engine.pick(1.5)
        engine.report(A, 1.55, tasks=1)
        assert self.estimate(engine, 1.55) == pytest.approx(2)

    def test_a_pick_that_no_report_shows_is_forgotten_after_a_second_or_two_intervals(self) -> None:
        engine = self.engine()
        engine.pick(1.0)
        engine.expire(1.9)
        assert engine.endpoints(1.9)[0].tasks == 1
        engine.expire(2.0)
        assert engine.endpoints(2.0)[0].tasks == 0
        assert self.estimate(engine, 2.0) == 0
        engine.report(A, 2.0, begun=0, interval_s=2.0)
        engine.pick(2.0)
        engine.expire(5.9)
        assert engine.endpoints(5.9)[0].tasks == 1
        engine.expire(6.0)
        assert engine.endpoints(6.0)[0].tasks == 0

    def test_slots_are_freed_by_reports_alone(self) -> None:
        engine = self.engine()
        engine.report(A, 1.0, tasks=1, limit=2, begun=0, finished=100, busy_s=1.0)
        engine.pick(1.0)
        assert engine.pick(1.9) is None  # the estimate is 0 by now, the slots are not free
        engine.report(A, 2.0, tasks=0, begun=1)
        assert engine.pick(2.0) is not None

    def test_a_backend_that_started_anew_counts_from_zero(self) -> None:
        engine = self.engine()
        for _ in range(6):
            engine.pick(1.0)
        engine.report(A, 1.1, begun=6)
        engine.pick(1.2)
        engine.report(A, 1.3, begun=1, tasks=1)
        assert engine.endpoints(1.3)[0].tasks == 1

    def test_done_is_refused_where_reports_free_the_slots(self) -> None:
        engine = self.engine()
        pick = engine.pick(1.0)
        with pytest.raises(ValueError, match="done"):
            engine.done(pick, 2.0)


def test_auto_compares_fewer_the_more_pickers_run_after_old_reports() -> None:
    def worst_share(pickers: int, age_s: float) -> int:
        engine = _core.Engine("least_load:choices=auto", accounting="reported")
        for i in range(20):
            engine.join(f"127.0.0.1:{5000 + i}", 0.0)
        now = 0.0
        for _ in range(200):
            now += age_s
            for i in range(20):
                engine.report(f"127.0.0.1:{5000 + i}", now, tasks=i, begun=0, finished=int(now * 10), busy_s=now)
        engine.pickers(pickers, now)
        return Counter(engine.pick_address(now) for _ in range(1000))["127.0.0.1:5000"]

    assert worst_share(pickers=1, age_s=1.0) == 1000  # alone: all
    assert worst_share(pickers=3, age_s=0.03) == 1000  # fresh: all
    assert 200 < worst_share(pickers=3, age_s=0.3) < 300  # 3 services old: five of twenty
    assert 70 < worst_share(pickers=3, age_s=1.0) < 130  # 10 services old: two of twenty


def test_several_policies_share_one_roster_and_its_counts() -> None:
    engine = _core.Engine("least_load:choices=all")
    for address in (A, B):
        engine.join(address, 0.0)
    assert [engine.pick(0.0, policy="pick_first").endpoint for _ in range(3)] == [A, A, A]
    assert [engine.pick(0.0).endpoint for _ in range(3)] == [B, B, B]
    with pytest.raises(ValueError, match="'nearest'"):
        engine.pick(0.0, policy="nearest")


def test_time_never_runs_backwards() -> None:
    engine = _core.Engine()
    engine.join(A, 10.0, lease_s=1.0)
    engine.expire(0.0)
    assert len(engine) == 1
    engine.join(A, 5.0, lease_s=1.0)
    assert engine.next_deadline() == 11.0


@pytest.mark.parametrize(
    ("call", "blamed"),
    [
        (lambda e: e.join("", 0.0), "address"),
        (lambda e: e.join(B, 0.0, weight=0), "weight .*0"),
        (lambda e: e.join(B, 0.0, limit=10**7), "limit .*10000000"),
        (lambda e: e.join(B, 0.0, lease_s=-1.0), "lease_s .*-1"),
        (lambda e: e.join(B, float("nan")), "now .*nan"),
        (lambda e: e.pick(float("inf")), "now .*inf"),
        (lambda e: e.pick_address(float("nan")), "now .*nan"),
        (lambda e: e.report(A, 0.0, cpu=-1.0), "cpu .*-1"),
        (lambda e: e.report(A, 0.0, cpu=float("nan")), "cpu .*nan"),
        (lambda e: e.report(A, 0.0, tasks=10**7), "tasks .*10000000"),
        (lambda e: e.report(A, 0.0, interval_s=float("inf")), "interval_s .*inf"),
        (lambda e: e.pickers(0, 0.0), "pickers .*0"),
        (lambda e: e.pick(0.0, lane=4), "lane 4"),
        (lambda e: e.done(e.pick(0.0), 0.0, latency_s=-1.0), "latency_s .*-1"),
        (lambda e: e.done(e.pick(0.0), 0.0, latency_s=1e308), "latency_s out of 0..1e9"),
        (lambda e: _core.Engine().done(e.pick(0.0), 0.0), f"the pick of '{A}' is another engine's"),
        (lambda e: _core.Engine(roster="list"), "roster 'list'"),
        (lambda e: _core.Engine(load="disk"), "load 'disk'"),
        (lambda e: _core.Engine(accounting="none"), "accounting 'none'"),
    ],
)
def test_bad_input_is_refused_with_the_value_and_changes_nothing(call, blamed: str) -> None:
    engine = _core.Engine()
    engine.join(A, 0.0)
    before = engine.ready(0.0)
    with pytest.raises(ValueError, match=blamed):
        call(engine)
    assert engine.ready(0.0) == before


@pytest.mark.parametrize(
    "call",
    [
        lambda e: e.report(A, 0.0, tasks=-1),
        lambda e: e.pick(0.0, exclude=A),
        lambda e: e.pick(0.0, exclude=[4001]),
        lambda e: e.join(b"\xff", 0.0),
    ],
)
def test_what_has_the_wrong_type_is_a_type_error(call) -> None:
    engine = _core.Engine()
    engine.join(A, 0.0)
    with pytest.raises(TypeError):
        call(engine)


@pytest.mark.parametrize("threads", [1, 4, 7])
def test_threads_may_report_and_join_while_others_pick(threads: int) -> None:
    engine = _core.Engine(accounting="reported")
    engine.join(A, 0.0)
    start = threading.Barrier(threads)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            start.wait()
            for step in range(300):
                engine.join(f"127.0.0.1:{6000 + number}", step / 100)
                engine.report(A, step / 100, tasks=step % 5)
                assert engine.pick(step / 100) is not None
                engine.leave(f"127.0.0.1:{6000 + number}", step / 100)
        except BaseException as failure:
            failures.append(failure)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert not failures
    assert engine.ready(10.0) == [A]
