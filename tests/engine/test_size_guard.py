"""The size guard: big requests hold a part of the slots and no more, so that small ones find one."""

import pytest

import lbsuite
from lbsuite.wire.balancer import Balancer, BalancerSettings

ADDRESSES = ["127.0.0.1:4001", "127.0.0.1:4002"]


def guarded(stage: str) -> lbsuite.Engine:
    engine = lbsuite.Engine("round_robin", stages=[stage])
    for address in ADDRESSES:
        engine.join(address, 0.0, limit=4)
    return engine


def take_all(engine: lbsuite.Engine, cost: int) -> list[lbsuite.Pick]:
    picks = []
    while (pick := engine.pick(1.0, cost=cost)) is not None:
        picks.append(pick)
    return picks


@pytest.mark.parametrize(("stage", "most"), [("size_guard", 4), ("size_guard:share=0.3", 2), ("size_guard:share=1", 8)])
def test_big_requests_hold_their_share_of_the_slots(stage: str, most: int) -> None:
    engine = guarded(stage)
    for _ in range(1000):
        engine.done(engine.pick(1.0), 1.0)
    big = take_all(engine, 1000)
    assert len(big) <= most
    assert engine.why(1.0) == ("all_full" if most == 8 else "ready")
    assert len(take_all(engine, 1)) == 8 - len(big)
    engine.done(big[0], 2.0)
    again = engine.pick(2.0, cost=1000)
    assert again is not None
    assert again.endpoint == big[0].endpoint


def test_a_choice_that_is_explained_meets_the_guard() -> None:
    engine = guarded("size_guard")
    for _ in range(1000):
        engine.done(engine.pick(1.0), 1.0)
    take_all(engine, 1000)
    told = engine.explain_choice(1.0, cost=1000)
    assert (told.picked, told.refused) == (None, "all_full")
    assert {one.out_by for one in told.endpoints} == {"size_guard"}
    assert engine.explain_choice(1.0, cost=1).picked in ADDRESSES


def test_where_all_requests_cost_the_same_none_is_big() -> None:
    assert len(take_all(guarded("size_guard:factor=1"), 1000)) == 8


def test_a_balancer_whose_reports_free_the_slots_cannot_guard_them() -> None:
    with pytest.raises(ValueError, match="stage size_guard needs to hear of each end: reports do not tell"):
        Balancer(BalancerSettings(stages=("size_guard",)))


def test_a_cost_of_0_counts_as_1() -> None:
    engine = guarded("size_guard")
    for _ in range(10):
        engine.done(engine.pick(1.0, cost=0), 1.0)
    assert len(take_all(engine, 1)) == 8
