"""A walk over all that an engine can be told: what is told of a pick agrees with it every time, and changes nothing."""

import random
from collections import Counter

import pytest

import lbsuite
from lbsuite import _core

ADDRESSES = [f"127.0.0.1:{4001 + i}" for i in range(8)]
GUARD = "size_guard:share=0,factor=2"
STAGES = ["outlier_ejection:consecutive=2,base_s=3,max_share=0.5", "panic:threshold=0.3"]
GIVEN = ("outlier_ejection", "panic", "size_guard", "subset")
EVERY_STAGE = [*STAGES, GUARD, *(name for name in _core.stages() if name not in GIVEN)]
SPECS = [*_core.policies(), "least_load:choices=3", "hashed:bound=110", "hashed:kind=maglev,table=67"]
LEAST = {"least_load", "two_choices", "peak_ewma", "c3", "lsq", "affinity_x_load"}
"""Policies that take the least of what they weigh."""
REFUSED = ("none", "all_full", "shed", "over_budget")
OUT = {"full", "stale", "draining", "unavailable", "lost", "request", "share", *_core.stages()}


class Walk:
    """Two engines that are told and asked the same; every pick of the first is told in full, none of the second."""

    def __init__(self, spec: str, accounting: str, stages: list[str]) -> None:
        self.told, self.other = (lbsuite.Engine(spec, seed=5, accounting=accounting, stages=stages) for _ in range(2))
        self.told.sample(1)
        self.accounting, self.rng, self.now = accounting, random.Random(17), 1.0
        self.open: list[tuple[lbsuite.Pick, lbsuite.Pick]] = []
        self.picks = self.refused = 0
        for address in ADDRESSES:
            self.join(address)

    def join(self, address: str) -> None:
        weight, limit, tier = self.rng.randint(1, 3), self.rng.randint(0, 6), self.rng.randint(0, 1)
        self.both("join", address, weight=weight, limit=limit, tier=tier, zone=self.rng.choice(["here", "there"]))

    def both(self, method: str, address: str, **words: object) -> None:
        for engine in (self.told, self.other):
            getattr(engine, method)(address, self.now, **words)

    def step(self) -> None:
        rng, who = self.rng, self.rng.choice(ADDRESSES)
        self.now += rng.choice([0.0, 0.001, 0.05, 0.4])
        match rng.randrange(16):
            case 0:
                self.both("drain", who, undo=rng.random() < 0.7)
            case 1:
                self.both(rng.choice(["lost", "reached", "reached"]), who)
            case 2 | 3:
                said = {"tasks": rng.randint(0, 3), "available": rng.random() < 0.9, "interval_s": rng.choice([0, 0.5])}
                failed = rng.randint(0, 4)
                counts = {"own_finished": self.picks + failed, "own_failed": failed, "own_latency_s": self.picks * 0.1}
                self.both("report", who, begun=self.picks, finished=self.picks, **said, **counts)
            case 4 if rng.random() < 0.3:
                self.both("leave", who)
                self.open = [picks for picks in self.open if picks[0].endpoint != who]
                self.join(who)
            case 4:
                self.both("probed", who, tasks=rng.randint(0, 3), latency_s=rng.random())
            case 5:
                self.told.expire(self.now)
                self.other.expire(self.now)
            case 6 | 7 | 8:
                self.end()
            case _:
                self.pick()

    def end(self) -> None:
        if self.accounting != "done" or not self.open:
            return
        error = "it broke" if self.rng.random() < 0.3 else None
        for engine, pick in zip((self.told, self.other), self.open.pop(), strict=True):
            engine.done(pick, self.now, 0.1, error=error)

    def pick(self) -> None:
        exclude = self.rng.sample(ADDRESSES, self.rng.choice([0, 0, 1, 2]))
        asked = {"key": self.rng.choice([b"", b"a", b"b"]), "cost": self.rng.choice([1, 2, 3, 100]), "exclude": exclude}
        before = {endpoint.address: endpoint for endpoint in self.told.endpoints(self.now)}
        ready = set(self.told.ready(self.now)) - set(exclude)
        pick, same = (engine.pick(self.now, **asked) for engine in (self.told, self.other))
        assert (pick and pick.endpoint) == (same and same.endpoint)
        newest = self.told.records(1)[0]
        if pick is None or same is None:
            self.refused += 1
            assert (newest.picked, newest.refused in REFUSED) == (None, True)
        else:
            self.picks += 1
            self.open.append((pick, same))
            told = self.told.explain(pick)
            assert told is not None
            assert (told.picked, told.sequence, told.refused) == (pick.endpoint, pick.sequence, None)
        assert str(newest)
        assert [(e.address, e.state, e.tasks, e.score) for e in newest.endpoints] == [
            (e.address, e.state, e.tasks, e.score) for e in before.values()
        ]
        self.check(newest, ready, set(exclude))

    def check(self, told: lbsuite.Explanation, ready: set[str], excluded: set[str]) -> None:
        found = {one.address: one for one in told.endpoints}
        held = {address for address, one in found.items() if one.out_by in ("share", "size_guard")}
        assert {address for address, one in found.items() if one.out_by is None} | held == ready
        assert {one.out_by for one in told.endpoints} <= OUT | {None}
        assert all(found[address].out_by for address in excluded)
        looked_at = [one for one in told.endpoints if one.looked_at]
        assert all(one.out_by is None for one in looked_at)
        assert (told.ready, told.looked_at) == (len(ready - held), len(looked_at))
        if told.picked is None:
            return
        assert found[told.picked].looked_at
        weighed = [one.weighed for one in told.endpoints if one.weighed is not None]
        if told.goes_by.startswith("most"):
            assert found[told.picked].weighed == max(weighed)
        elif told.policy.split(":")[0] in LEAST and weighed:
            assert found[told.picked].weighed == pytest.approx(min(weighed), abs=1e-9, rel=1e-8)


@pytest.mark.parametrize("stages", [STAGES, EVERY_STAGE], ids=["the default stages", "every stage"])
@pytest.mark.parametrize("accounting", ["done", "reported"])
@pytest.mark.parametrize("spec", SPECS)
def test_what_is_told_of_a_pick_agrees_with_it_every_time(spec: str, accounting: str, stages: list[str]) -> None:
    fit = [stage for stage in stages if accounting == "done" or stage != GUARD]  # reports tell no sizes
    walk = Walk(spec, accounting, fit)
    for _ in range(1000):
        walk.step()
    counters = walk.told.counters()
    assert counters == walk.other.counters()
    assert counters["picks"] == walk.picks > 100
    assert sum(counters[f"refused_{why}"] for why in REFUSED) == walk.refused
    happened = Counter(effect.kind for effect in walk.told.effects())
    assert counters["ejected_by_outlier_ejection"] == happened["ejected"]
    assert counters["returned_by_outlier_ejection"] == happened["returned"]
