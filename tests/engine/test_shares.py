"""Slow start and static weights: an endpoint gets its share of the picks, whatever the policy, and never less than what
nobody else can take."""

from collections import Counter

import pytest

import lbsuite
from lbsuite import _core

FRESH = "127.0.0.1:5000"
WINDOW_S = 100.0
OWN_WAY = {"pick_first", "join_idle_queue"}
"""With one task at a time these pick the same endpoint again and again: what is left to share is nothing."""


def fleet(policy: str, *stages: str, endpoints: int = 10, **weights: int) -> lbsuite.Engine:
    engine = lbsuite.Engine(policy, stages=stages, seed=5)
    for i in range(endpoints):
        engine.join(f"127.0.0.1:{4000 + i}", 0.0, **weights)
    return engine


def run(engine: lbsuite.Engine, since: float, until: float, picks: int) -> Counter[str]:
    """Picks spread evenly over a while, each of which ends before the next; time passes as the engine asks."""
    picked: Counter[str] = Counter()
    for step in range(picks):
        now = since + (until - since) * step / picks
        while (due := engine.next_deadline()) <= now:
            engine.expire(due)
        pick = engine.pick(now, key=str(step))
        assert pick is not None
        picked[pick.endpoint] += 1
        engine.done(pick, now, 0.01)
    return picked


def envoy(age_s: float, aggression: float) -> float:
    return max(0.1, (age_s / WINDOW_S) ** (1 / aggression))


@pytest.mark.parametrize("aggression", [1.0, 2.0])
@pytest.mark.parametrize("policy", [name for name in _core.policies() if name not in OWN_WAY])
def test_a_fresh_endpoint_has_the_share_of_the_formula(policy: str, aggression: float) -> None:
    engine = fleet(policy, f"slow_start:window_s={WINDOW_S},aggression={aggression},soon_s=0")
    engine.join(FRESH, 10.0)
    for age_s in (5, 20, 50, 70):
        picked = run(engine, 10.0 + age_s - 2, 10.0 + age_s + 2, 5000)
        warmth = envoy(age_s, aggression)
        assert picked[FRESH] / picked.total() == pytest.approx(warmth / (10 + warmth), rel=0.1), age_s
    engine.expire(10.0 + WINDOW_S)
    assert {endpoint.warmth for endpoint in engine.endpoints(111.0)} == {1.0}


@pytest.mark.parametrize("policy", ["round_robin", "least_load", "random"])
def test_a_share_is_kept_where_picks_are_few(policy: str) -> None:
    engine = fleet(policy, f"slow_start:window_s={WINDOW_S},soon_s=0")
    engine.join(FRESH, 10.0)
    picked = run(engine, 10.0, 10.0 + WINDOW_S, 200)  # four in each step
    mean = sum(envoy(age_s, 1) / (10 + envoy(age_s, 1)) for age_s in range(100)) / 100
    assert picked[FRESH] == pytest.approx(200 * mean, abs=3)


@pytest.mark.parametrize("asked", ["pick_address", "pick_many"])
def test_the_cheap_twins_keep_to_shares(asked: str) -> None:
    engine = fleet("round_robin", f"slow_start:window_s={WINDOW_S},soon_s=0")
    engine.join(FRESH, 10.0)
    engine.expire(60.0)
    if asked == "pick_many":
        picked = Counter(engine.address_of(index) for index in engine.pick_many(2100, 60.0))
    else:
        picked = Counter(engine.pick_address(60.0) for _ in range(2100))
    assert picked[FRESH] == pytest.approx(100, rel=0.1)


def test_who_is_back_begins_anew_and_who_was_there_at_the_start_does_not() -> None:
    engine = fleet("round_robin", "slow_start:window_s=10", "outlier_ejection:max_share=1")
    engine.join(FRESH, 4.0)

    def warmth(address: str, now: float) -> float:
        (found,) = (endpoint.warmth for endpoint in engine.endpoints(now) if endpoint.address == address)
        return found

    assert warmth(FRESH, 4.0) == 1
    engine.lost(FRESH, 20.0)
    engine.reached(FRESH, 21.0)
    assert warmth(FRESH, 21.0) == 0.1
    assert engine.next_deadline() == pytest.approx(21.2)
    engine.expire(26.1)
    assert warmth(FRESH, 26.1) == pytest.approx(0.51)
    engine.expire(31.0)
    assert warmth(FRESH, 31.0) == 1
    engine.drain(FRESH, 32.0)
    engine.drain(FRESH, 33.0, undo=True)
    assert warmth(FRESH, 33.0) == 1
    assert engine.next_deadline() == float("inf")


def test_nobody_is_held_back_where_nobody_else_has_a_slot() -> None:
    engine = fleet("round_robin", "slow_start:soon_s=0", endpoints=3, limit=1)
    engine.join(FRESH, 10.0)
    picked = Counter(engine.pick(10.0).endpoint for _ in range(20))
    assert picked[FRESH] == 17


@pytest.mark.parametrize("policy", ["round_robin", "random", "peak_ewma", "lsq", "c3", "prequal"])
def test_static_weights_hold_policies_that_ignore_weights(policy: str) -> None:
    engine = lbsuite.Engine(policy, stages=["static_weights"], seed=5)
    weights = {f"127.0.0.1:{4000 + i}": weight for i, weight in enumerate([1, 2, 3, 4, 5, 5])}
    for address, weight in weights.items():
        engine.join(address, 0.0, weight=weight)
    picked = run(engine, 1.0, 2.0, 4000)
    for address, weight in weights.items():
        assert picked[address] / 4000 == pytest.approx(weight / 20, rel=0.1), address


@pytest.mark.parametrize("policy", ["weighted_round_robin", "smooth_weighted", "hashed", "two_choices", "least_load"])
def test_static_weights_leave_who_goes_by_weights_alone(policy: str) -> None:
    def picks(*stages: str) -> list[str]:
        engine = lbsuite.Engine(policy, stages=stages, seed=5)
        for i in range(5):
            engine.join(f"127.0.0.1:{4000 + i}", 0.0, weight=1 + i)
        return [engine.pick(1.0, key=str(step)).endpoint for step in range(200)]

    assert picks("static_weights") == picks()


def test_a_fresh_one_of_more_weight_has_a_part_of_its_larger_share() -> None:
    engine = fleet("weighted_round_robin", f"slow_start:window_s={WINDOW_S},soon_s=0")
    engine.join(FRESH, 10.0, weight=10)
    picked = run(engine, 59.0, 61.0, 3000)
    assert picked[FRESH] / 3000 == pytest.approx(5 / 15, rel=0.1)


@pytest.mark.parametrize("stage", ["slow_start", "static_weights", "tiers", "prefer_zone"])
@pytest.mark.parametrize("roster", ["atomic", "split"])
def test_a_roster_that_changes_under_a_pick_refuses_the_stage_by_name(roster: str, stage: str) -> None:
    with pytest.raises(ValueError, match=f"roster {roster} serves round_robin only, without stage {stage}"):
        lbsuite.Engine("round_robin", roster, stages=[stage])


def test_what_the_free_have_no_slot_for_is_spread_over_the_held() -> None:
    engine = lbsuite.Engine("round_robin", stages=["static_weights"])
    for i, weight in enumerate([10, 1, 2]):
        engine.join(f"127.0.0.1:{4000 + i}", 0.0, weight=weight, limit=10 if weight == 10 else 0)
    picked = Counter(engine.pick(1.0).endpoint for _ in range(70))
    assert picked["127.0.0.1:4000"] == 10
    assert picked["127.0.0.1:4001"] == pytest.approx(30, abs=10)
