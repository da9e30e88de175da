"""Stages: who keeps failing is not picked for a while, and the few that are left do not drown."""

from collections import Counter

import pytest

import lbsuite
from lbsuite import _core


def fleet(*stages: str, endpoints: int = 10) -> lbsuite.Engine:
    engine = lbsuite.Engine("round_robin", stages=stages)
    for i in range(endpoints):
        engine.join(f"127.0.0.1:{4000 + i}", 0.0)
    return engine


def run(engine: lbsuite.Engine, picks: int, failing: set[str], now: float) -> list[str]:
    picked = []
    for _ in range(picks):
        pick = engine.pick(now)
        assert pick is not None
        picked.append(pick.endpoint)
        engine.done(pick, now, 0.001, error="failed" if pick.endpoint in failing else None)
    return picked


@pytest.mark.parametrize("name", _core.stages())
def test_a_spec_reads_back(name: str) -> None:
    assert _core.parse_stage(_core.parse_stage(name)) == _core.parse_stage(name)


@pytest.mark.parametrize("name", _core.stages())
def test_a_fleet_of_equals_that_is_well_does_not_notice_a_stage(name: str) -> None:
    picked = run(fleet(name), 100, set(), 1.0)
    assert set(Counter(picked).values()) == {10}


def test_bad_stages_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no stage 'nothing'; there are: "):
        fleet("nothing")
    with pytest.raises(ValueError, match="stage panic has no setting 'x'"):
        fleet("panic:x=1")
    with pytest.raises(ValueError, match="stage told twice: panic"):
        fleet("panic", "panic:threshold=0.4")


def test_who_keeps_failing_is_left_alone_for_a_while() -> None:
    engine, bad = fleet("outlier_ejection:base_s=30"), "127.0.0.1:4003"
    run(engine, 60, {bad}, 1.0)
    assert [(effect.kind, effect.address) for effect in engine.effects()] == [("ejected", bad)]
    assert bad not in run(engine, 100, {bad}, 2.0)
    assert engine.next_deadline() == 11.0  # an interval ends
    engine.expire(11.0)
    engine.expire(30.9)
    assert bad not in run(engine, 10, set(), 30.9)
    engine.expire(31.0)
    assert [(effect.kind, effect.address) for effect in engine.effects()] == [("returned", bad)]
    assert bad in run(engine, 10, set(), 32.0)


def test_the_few_that_are_left_do_not_drown() -> None:
    engine = fleet("outlier_ejection:max_share=1", "panic")
    bad = {f"127.0.0.1:{4000 + i}" for i in range(6)}
    run(engine, 600, bad, 1.0)
    picked = run(engine, 1000, bad, 2.0)
    assert max(picked.count(address) for address in set(picked)) <= 2 * 100


@pytest.mark.parametrize(("stage", "serving"), [("panic", 1), ("panic:lost=1", 4)])
def test_the_lost_serve_in_a_panic_only_where_that_is_told(stage: str, serving: int) -> None:
    engine = fleet(stage, endpoints=4)
    for i in range(3):
        engine.lost(f"127.0.0.1:{4000 + i}", 0.5)
    assert len(set(run(engine, 8, set(), 1.0))) == serving
