"""What an engine tells of a pick is what the pick was, and telling changes nothing."""

import threading

import pytest

import lbsuite

ADDRESSES = [f"127.0.0.1:{4001 + i}" for i in range(8)]


def fleet(spec: str = "least_load", endpoints: int = 4, limit: int = 0) -> lbsuite.Engine:
    engine = lbsuite.Engine(spec, seed=3)
    for address in ADDRESSES[:endpoints]:
        engine.join(address, 0.0, limit=limit)
    return engine


def test_nothing_is_told_unless_it_is_asked_for() -> None:
    engine = fleet()
    pick = engine.pick(1.0)
    assert pick is not None
    assert (engine.explain(pick), engine.records()) == (None, [])


def test_every_third_of_a_lane_is_told_and_the_newest_are_kept() -> None:
    engine = fleet()
    engine.sample(3)
    other = engine.lane()
    picks = [pick for _ in range(3000) for lane in (0, other) if (pick := engine.pick(1.0, lane=lane))]
    told = [pick for pick in picks if (pick.sequence & 0xFFFF_FFFF_FFFF) % 3 == 0][-256:]
    assert [record.sequence for record in engine.records()] == [pick.sequence for pick in told]
    assert [record.sequence for record in engine.records(2)] == [pick.sequence for pick in told[-2:]]
    assert all(engine.explain(pick).picked == pick.endpoint for pick in told)  # type: ignore[union-attr]
    engine.sample(0)
    engine.pick(2.0)
    assert engine.records(1)[0].now == 1.0


def test_few_are_kept_where_each_names_very_many() -> None:
    engine = lbsuite.Engine()
    for i in range(9000):
        engine.join(f"10.0.{i // 256}.{i % 256}:1", 0.0)
    engine.sample(1)
    for _ in range(10):
        engine.pick(1.0)
    assert len(engine.records()) == 7
    assert len(str(engine.records(1)[0]).splitlines()) < 50


def test_a_choice_that_a_stage_would_refuse_is_told_as_refused_and_is_no_turn() -> None:
    engine = lbsuite.Engine("round_robin", stages=["total_limit:kind=fixed,limit=4", "retry_budget:share=0,per_s=0"])
    for address in ADDRESSES[:3]:
        engine.join(address, 0.0)
    picks = [engine.pick(1.0), engine.pick(1.0)]
    assert engine.explain_choice(1.0, attempt=1).refused == "over_budget"
    told = engine.explain_choice(1.0, priority=6)
    assert (told.picked, told.refused, engine.why(1.0, priority=6)) == (None, "shed", "shed")
    picks += [engine.pick(1.0)]
    assert [pick.endpoint for pick in picks if pick] == ADDRESSES[:3]
    assert engine.explain_choice(1.0).picked == ADDRESSES[0]


def test_the_reasons_are_by_name() -> None:
    engine = fleet(endpoints=7, limit=1)
    first = engine.pick(1.0)
    assert first is not None
    out = iter(address for address in ADDRESSES[:7] if address != first.endpoint)
    expected = {
        first.endpoint: "full",
        next(out): "draining",
        next(out): "lost",
        next(out): "unavailable",
        next(out): "stale",
        next(out): "request",
    }
    drained, lost, away, silent, unwanted = list(expected)[1:]
    engine.drain(drained, 1.0)
    engine.lost(lost, 1.0)
    engine.report(away, 1.0, available=False)
    engine.report(silent, 1.0, interval_s=0.1)
    engine.expire(2.0)
    told = engine.explain_choice(2.0, exclude=[unwanted], key="k", cost=2, priority=1, attempt=3)
    assert {one.address: one.out_by for one in told.endpoints if one.out_by} == expected
    assert {one.address: one.report_age_s for one in told.endpoints if one.report_age_s is not None} == {
        away: 1.0, silent: 1.0,
    }  # fmt: skip
    assert told.picked == (set(ADDRESSES[:7]) - set(expected)).pop()
    assert (told.key, told.cost, told.priority, told.attempt, told.sequence) == (b"k", 2, 1, 3, 0)
    head, columns, *rows = str(told).splitlines()
    assert head.startswith(f"least_load:choices=auto picked {told.picked}: least score; 1 of 1 ready looked at, 6 not")
    assert columns.split()[0] == "endpoint"
    assert len(rows) == 7


def test_a_stage_is_told_by_its_name() -> None:
    engine = lbsuite.Engine("round_robin", stages=["outlier_ejection:consecutive=1,base_s=5"])
    for address in ADDRESSES[:4]:
        engine.join(address, 0.0)
    pick = engine.pick(1.0)
    assert pick is not None
    engine.done(pick, 1.0, error="failed")
    told = {one.address: one.out_by for one in engine.explain_choice(1.0).endpoints}
    assert told[pick.endpoint] == "outlier_ejection"
    assert "ejected: outlier_ejection" in str(engine.explain_choice(1.0))
    engine.expire(60.0)
    counters = engine.counters()
    assert (counters["ejected_by_outlier_ejection"], counters["returned_by_outlier_ejection"]) == (1, 1)


def test_what_a_pick_would_be_counts_nothing() -> None:
    engine = fleet()
    told = engine.explain_choice(1.0)
    assert told.picked in ADDRESSES
    assert engine.counters()["picks"] == 0
    assert all(endpoint.tasks == 0 for endpoint in engine.endpoints(1.0))
    assert engine.records() == []


def test_it_replays_exactly_though_somebody_watched() -> None:
    engine = fleet("random", endpoints=0)
    log = lbsuite.record(engine)
    engine.sample(2)
    for address in ADDRESSES:
        engine.join(address, 0.0)
    for step in range(60):
        engine.explain_choice(step / 10) if step % 3 == 0 else engine.pick(step / 10)
    replayed = lbsuite.replay(log.lines)
    assert (len(replayed.picks), replayed.differing) == (60, 0)


def test_a_record_is_what_a_frame_is_made_of() -> None:
    engine = fleet()
    told = engine.explain_choice(1.0).as_dict()
    assert told["ready"] == len(told["endpoints"]) == 4
    assert set(told["endpoints"][0]) == {name for name in dir(lbsuite.Considered) if not name.startswith("_")}


def test_a_policy_written_in_python_is_shown_all_that_are_ready() -> None:
    class Last(lbsuite.Policy):
        def pick(self, view: lbsuite.View, request: lbsuite.Request, rng: lbsuite.Rng) -> int:
            return len(view) - 1

    engine = lbsuite.Engine(Last())
    for address in ADDRESSES[:3]:
        engine.join(address, 0.0)
    engine.sample(1)
    pick = engine.pick(1.0)
    assert pick is not None
    told = engine.explain(pick)
    assert told is not None
    assert (told.policy, told.picked, told.looked_at) == ("python:Last", ADDRESSES[2], 3)


def test_a_key_cannot_speak_to_a_terminal() -> None:
    engine = fleet()
    assert "\\x1b[2J\\x0a\\xff" in str(engine.explain_choice(1.0, key=b"\x1b[2J\n\xff"))
    assert engine.explain_choice(1.0, key=b"\x1b\xff").key == b"\x1b\xff"


def test_another_engines_pick_and_nonsense_are_refused() -> None:
    engine, other = fleet(), fleet()
    pick = other.pick(1.0)
    assert pick is not None
    with pytest.raises(ValueError, match="another engine's"):
        engine.explain(pick)
    with pytest.raises(TypeError):
        engine.sample(-1)
    with pytest.raises(ValueError, match="no policy 'nothing'"):
        engine.explain_choice(1.0, policy="nothing")


def test_threads_are_told_of_while_others_change_the_fleet() -> None:
    engine = fleet(endpoints=8, limit=3)
    engine.sample(2)
    wrong: list[str] = []

    def pick(lane: int) -> None:
        for step in range(2000):
            if pick := engine.pick(step / 1000, lane=lane):
                told = engine.explain(pick)
                if told and not next(one for one in told.endpoints if one.address == told.picked).looked_at:
                    wrong.append(str(told))
                engine.done(pick, step / 1000)

    threads = [threading.Thread(target=pick, args=[engine.lane()]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for step in range(500):
        engine.drain(ADDRESSES[step % 8], step / 1000, undo=step % 3 != 0)
    for thread in threads:
        thread.join()
    assert not wrong
    assert engine.records()


def test_who_waits_is_told_as_waiting_and_counted_once() -> None:
    engine = lbsuite.Engine("least_load", queue_s=5.0)
    engine.join(ADDRESSES[0], 0.0, limit=1)
    engine.sample(1)
    first, ticket = engine.pick(1.0), engine.pick(1.0)
    told = engine.records()[-1]
    assert (told.picked, told.refused, told.endpoints[0].out_by) == (None, "waiting", "full")
    engine.done(first, 2.0)
    assert [effect.kind for effect in engine.effects()] == ["answered"]
    counters = engine.counters()
    assert ticket is not None
    assert (counters["picks"], counters["tickets"], counters["refused_all_full"]) == (2, 1, 0)
