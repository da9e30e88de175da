"""Tiers, zones and subsets: who goes before whom, who takes over, and nobody is picked whom a stage has excluded."""

import itertools
import random
from collections import Counter

import pytest

import lbsuite
from lbsuite import _core


def address(number: int) -> str:
    return f"127.0.0.1:{4000 + number}"


def tiered(policy: str, sizes: list[int], *stages: str, limit: int = 0) -> lbsuite.Engine:
    """Endpoints 0.. in tier 0, 100.. in tier 1, and so on."""
    engine = lbsuite.Engine(policy, stages=stages, seed=5)
    for tier, size in enumerate(sizes):
        for i in range(size):
            engine.join(address(100 * tier + i), 0.0, tier=tier, limit=limit)
    return engine


def shares(engine: lbsuite.Engine, picks: int = 1000, now: float = 1.0) -> list[float]:
    """Of the picks, what each tier got; each ends before the next."""
    tiers = {endpoint.address: endpoint.tier for endpoint in engine.endpoints(now)}
    counts = [0] * (max(tiers.values()) + 1)
    for step in range(picks):
        pick = engine.pick(now, key=str(step))
        assert pick is not None
        counts[tiers[pick.endpoint]] += 1
        engine.done(pick, now)
    return [count / picks for count in counts]


# (Envoy's documentation, "priority levels"): of two tiers, the well ones of each, and what each carries
ENVOY = [
    ((10, 10), (1.0, 0.0)),
    ((8, 10), (1.0, 0.0)),
    ((7, 10), (0.98, 0.02)),
    ((5, 10), (0.7, 0.3)),
    ((1, 10), (0.14, 0.86)),
    ((0, 10), (0.0, 1.0)),
    ((3, 3), (0.5, 0.5)),
]


@pytest.mark.parametrize("policy", _core.policies())
@pytest.mark.parametrize(("well", "parts"), ENVOY, ids=str)
def test_a_tier_carries_what_envoy_has_it_carry(policy: str, well: tuple[int, int], parts: tuple[float, float]) -> None:
    engine = tiered(policy, [10, 10], "tiers")
    for tier, count in enumerate(well):
        for i in range(count, 10):
            engine.lost(address(100 * tier + i), 0.5)
    assert shares(engine) == pytest.approx(parts, abs=0.01)


@pytest.mark.parametrize(("overprovisioning", "first"), [(1, 0.5), (1.2, 0.6), (2, 1.0)])
def test_a_tier_carries_its_well_ones_times_overprovisioning(overprovisioning: float, first: float) -> None:
    engine = tiered("round_robin", [10, 10], f"tiers:overprovisioning={overprovisioning}")
    for i in range(5):
        engine.lost(address(i), 0.5)
    assert shares(engine) == pytest.approx([first, 1 - first], abs=0.01)


@pytest.mark.parametrize("policy", _core.policies())
def test_a_full_tier_spills_to_the_next_and_takes_what_ends(policy: str) -> None:
    engine = tiered(policy, [3, 4, 5], "tiers", limit=2)
    picks = [engine.pick(1.0, key=str(i)) for i in range(24)]
    tiers = {endpoint.address: endpoint.tier for endpoint in engine.endpoints(1.0)}
    assert [tiers[pick.endpoint] for pick in picks] == [0] * 6 + [1] * 8 + [2] * 10
    assert set(Counter(pick.endpoint for pick in picks).values()) == {2}
    assert engine.pick(1.0) is None
    assert engine.why(1.0) == "all_full"
    engine.done(picks[17], 1.0)
    assert engine.why(1.0) == "ready"
    engine.done(picks[3], 1.0)
    assert [engine.pick(1.0).endpoint for _ in range(2)] == [picks[3].endpoint, picks[17].endpoint]
    assert engine.pick_address(1.0) is None
    assert len(engine.pick_many(3, 1.0)) == 0


def test_round_robin_keeps_its_place_in_each_tier() -> None:
    engine = tiered("round_robin", [4, 2], "tiers", limit=1)
    for i in range(100, 102):
        engine.join(address(i), 0.0, tier=1, limit=0)
    first = [engine.pick(1.0) for _ in range(4)]
    spilt = Counter()
    for step in range(100):  # one of the first tier ends and is taken again; the next pick spills
        engine.done(first[step % 4], 1.0)
        first[step % 4] = engine.pick(1.0)
        spilt[engine.pick(1.0).endpoint] += 1
    assert set(spilt.values()) == {50}


def test_no_panic_where_the_tiers_can_carry_all() -> None:
    stages = ["tiers", "panic", "outlier_ejection:max_share=1"]
    engine = tiered("round_robin", [6, 5], *stages)
    sick = {address(i) for i in range(6)}
    for _ in range(200):
        pick = engine.pick(1.0)
        engine.done(pick, 1.0, error="failed" if pick.endpoint in sick else None)
    assert shares(engine, now=1.1) == [0.0, 1.0]
    alone = tiered("round_robin", [6], *stages)
    for _ in range(200):
        alone.done(alone.pick(1.0), 1.0, error="failed")
    assert len({alone.pick(1.1).endpoint for _ in range(100)}) == 6


def zoned(policy: str, *stages: str, limit: int = 0) -> lbsuite.Engine:
    """Endpoints 0..5 in zone a, 6..11 in zone b."""
    engine = lbsuite.Engine(policy, stages=stages, seed=5)
    for i in range(12):
        engine.join(address(i), 0.0, zone="ab"[i // 6], limit=limit)
    return engine


@pytest.mark.parametrize("policy", _core.policies())
def test_ones_own_zone_goes_before_until_it_is_full_or_too_few_are_well(policy: str) -> None:
    engine = zoned(policy, "prefer_zone:zone=a,well=0.5", limit=2)
    zones = {endpoint.address: endpoint.zone for endpoint in engine.endpoints(1.0)}
    picks = [engine.pick(1.0, key=str(i)) for i in range(24)]
    assert "".join(zones[pick.endpoint] for pick in picks) == "a" * 12 + "b" * 12
    for pick in picks:
        engine.done(pick, 1.0)
    for i in range(3):
        engine.lost(address(i), 2.0)
    assert {zones[engine.pick_address(2.0)] for _ in range(50)} == {"a"}
    engine.lost(address(3), 3.0)
    picked = Counter(engine.pick(3.0).endpoint for _ in range(16))
    assert picked == {address(i): 2 for i in range(4, 12)}


def test_a_zone_that_is_not_there_is_preferred_by_nobody() -> None:
    engine = zoned("round_robin", "prefer_zone:zone=elsewhere")
    assert set(Counter(engine.pick_address(1.0) for _ in range(120)).values()) == {10}


def test_a_zone_goes_before_in_each_tier() -> None:
    engine = lbsuite.Engine("round_robin", stages=["tiers", "prefer_zone:zone=a"])
    for tier, zone in itertools.product(range(2), "ba"):
        engine.join(address(10 * tier + "ab".index(zone)), 0.0, tier=tier, zone=zone, limit=1)
    assert [engine.pick(1.0).endpoint for _ in range(4)] == [address(i) for i in (0, 1, 10, 11)]


# Subsets


def subset(client: int, k: int, members: list[int], cut: str = "rounds") -> frozenset[str]:
    engine = lbsuite.Engine("round_robin", stages=[f"subset:k={k},client={client},cut={cut}"])
    for i in members:
        engine.join(address(i), 0.0)
    chosen = frozenset(engine.ready(1.0))
    assert {engine.pick_address(1.0) for _ in range(2 * len(members))} == chosen
    return chosen


@pytest.mark.parametrize(("endpoints", "k"), [(20, 5), (23, 5), (19, 10), (30, 7), (4, 10)])
def test_each_endpoint_has_the_same_number_of_pickers(endpoints: int, k: int) -> None:
    slices = max(1, endpoints // k)
    members = list(range(endpoints))
    for pickers in (slices * 3, slices * 4 + 1):
        chosen = [subset(client, k, members) for client in range(pickers)]
        counts = Counter(itertools.chain.from_iterable(chosen))
        assert max(counts.values()) - min(counts[address(i)] for i in members) <= 1
        assert all(min(k, endpoints) <= len(each) < 2 * k for each in chosen)


def test_a_random_subset_has_k_and_is_less_even() -> None:
    chosen = [subset(client, 5, list(range(20)), "random") for client in range(40)]
    assert {len(each) for each in chosen} == {5}
    counts = Counter(itertools.chain.from_iterable(chosen))
    assert max(counts.values()) - min(counts.values()) > 4


@pytest.mark.parametrize("cut", ["rounds", "random"])
def test_a_subset_goes_by_who_is_there_and_one_more_moves_little(cut: str) -> None:
    members = list(range(33))
    moved = 0
    for client in range(30):
        before = subset(client, 10, members, cut)
        assert before == subset(client, 10, members[::-1], cut)
        moved += len(subset(client, 10, [*members, 50], cut) - before)
    assert moved <= 30 * 2


def test_where_nobody_of_the_subset_is_alive_the_others_serve() -> None:
    engine = lbsuite.Engine("round_robin", stages=["subset:k=3"])
    for i in range(9):
        engine.join(address(i), 0.0)
    own = engine.ready(0.0)
    assert len(own) == 3
    assert [e.state for e in engine.endpoints(0.0)].count("standby") == 6
    for lost in own:
        engine.lost(lost, 1.0)
    assert set(engine.ready(1.0)) == {address(i) for i in range(9)} - set(own)
    engine.reached(own[0], 2.0)
    assert engine.ready(2.0) == [own[0]]


# Streams and reports


def test_a_long_stream_is_told_when_to_be_picked_anew() -> None:
    engine = lbsuite.Engine(stages=["max_age:age_s=100,jitter=0.2"])
    engine.join(address(0), 0.0)
    until = [engine.pick(5.0).until for _ in range(200)]
    assert 85 <= min(until) < 90
    assert 120 < max(until) <= 125
    again = lbsuite.Engine(stages=["max_age:age_s=100,jitter=0.2"])
    again.join(address(0), 0.0)
    assert [again.pick(5.0).until for _ in range(200)] == until
    plain = lbsuite.Engine()
    plain.join(address(0), 0.0)
    assert plain.pick(1.0).until == float("inf")


@pytest.mark.parametrize(("stages", "intervals"), [([], 3), (["panic:threshold=0"], 3), (["stale:intervals=5"], 5)])
def test_reports_grow_stale_after_as_many_intervals_as_are_set(stages: list[str], intervals: int) -> None:
    engine = lbsuite.Engine(stages=stages)
    engine.join(address(0), 0.0)
    engine.report(address(0), 1.0, interval_s=0.5)
    engine.expire(1.0 + 0.5 * intervals - 0.01)
    assert engine.ready(5.0) == [address(0)]
    engine.expire(1.0 + 0.5 * intervals)
    assert [endpoint.state for endpoint in engine.endpoints(5.0)] == ["stale"]


# All together

STAGES = [
    "subset:k=8,client=3", "outlier_ejection:consecutive=3,base_s=2", "tiers", "panic:threshold=0.3",
    "prefer_zone:zone=a", "slow_start:window_s=3,soon_s=0", "static_weights", "max_age",
]  # fmt: skip


class Walk:
    """Anything that can happen to a fleet, and a look at each pick whether its endpoint was ready."""

    def __init__(self, engine: lbsuite.Engine, seed: str) -> None:
        self.engine, self.draw = engine, random.Random(seed)
        self.now, self.found = 0.0, 0
        self.open: list[lbsuite.Pick] = []

    def step(self) -> None:
        self.now += self.draw.choice([0.0, 0.001, 0.1])
        who = address(self.draw.randrange(24))
        acts = {self.join: 2, self.change: 2, self.report: 1, self.end: 5, self.pick: 10}
        self.draw.choices(list(acts), list(acts.values()))[0](who)

    def join(self, who: str) -> None:
        weight, limit, tier = self.draw.randrange(1, 4), self.draw.choice([0, 2, 4]), self.draw.choice([0, 0, 1, 2])
        self.engine.join(who, self.now, weight=weight, limit=limit, zone=self.draw.choice("ab"), tier=tier)

    def change(self, who: str) -> None:
        self.draw.choice([self.engine.leave, self.engine.lost, self.engine.reached, self.engine.drain])(who, self.now)

    def report(self, who: str) -> None:
        self.engine.report(
            who, self.now, tasks=self.draw.randrange(4), interval_s=0.5, available=self.draw.random() < 0.9
        )
        self.engine.expire(self.now)

    def end(self, _: str) -> None:
        if self.open:
            pick = self.open.pop(self.draw.randrange(len(self.open)))
            failed = pick.index % 4 == 0
            self.engine.done(pick, self.now, 0.01, error="failed" if failed else None)

    def pick(self, who: str) -> None:
        ready = set(self.engine.ready(self.now))
        pick = self.engine.pick(self.now, key=who, exclude=[who])
        if pick is None:
            assert ready <= {who}
        else:
            assert pick.endpoint in ready - {who}
            self.open.append(pick)
            self.found += 1
        chosen, ready = self.engine.pick_address(self.now), set(self.engine.ready(self.now))
        assert chosen in ready if ready else chosen is None


@pytest.mark.parametrize("policy", _core.policies())
def test_nobody_is_picked_whom_a_stage_excluded(policy: str) -> None:
    engine = lbsuite.Engine(policy, stages=STAGES, seed=7)
    with lbsuite.record(engine) as log:
        walk = Walk(engine, policy)
        for _ in range(3000):
            walk.step()
    assert walk.found > 500
    again = lbsuite.replay(log)
    assert len(again.picks) > 1000
    assert again.differing == 0
