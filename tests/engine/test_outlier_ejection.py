"""Outlier ejection beside its plain twin, by the formulas of its sources, and what panic makes of it."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lbsuite
from lbsuite import _core
from oracle.outlier_ejection import OutlierEjection, Settings

ADDRESSES = [f"127.0.0.1:{4000 + i}" for i in range(10)]
# None of these bars is one that a rate can meet exactly: there the last bit would decide.
SETTINGS = st.builds(
    Settings,
    consecutive=st.sampled_from([0, 3, 5]),
    interval_s=st.sampled_from([0.5, 2.0]),
    base_s=st.sampled_from([1.0, 4.0]),
    max_s=st.sampled_from([2.0, 9.0]),
    max_share=st.sampled_from([0.0, 0.1, 0.25, 1.0]),
    success_rate_stdev_factor=st.sampled_from([0.0, 1.1, 1.9]),
    success_rate_endpoints=st.integers(1, 5),
    success_rate_requests=st.integers(1, 8),
    failure_share=st.sampled_from([0.501, 0.8501, 1.0]),
    failure_share_endpoints=st.integers(1, 5),
    failure_share_requests=st.integers(1, 8),
    trial=st.sampled_from([0, 1, 2]),
)
ENDINGS = st.tuples(
    st.sampled_from([0.0, 0.01, 0.3, 1.7, 5.0]), st.sampled_from(ADDRESSES), st.integers(0, 6), st.integers(0, 6)
)


class Reporting:
    """An engine whose endpoints tell how its tasks ended."""

    def __init__(self, *stages: str, endpoints: int = len(ADDRESSES), policy: str = "random") -> None:
        self.engine = lbsuite.Engine(policy, accounting="reported", stages=stages)
        self.counts = {address: [0, 0, 0] for address in ADDRESSES[:endpoints]}
        for address in self.counts:
            self.engine.join(address, 0.0)

    def tell(self, address: str, now: float, count: int, failed: int, refused: int = 0) -> None:
        for i, more in enumerate((count + refused, failed + refused, refused)):
            self.counts[address][i] += more
        finished, failures, turned_away = self.counts[address]
        self.engine.report(address, now, own_finished=finished, own_failed=failures, own_refused=turned_away)

    def pass_to(self, now: float) -> None:
        while (due := self.engine.next_deadline()) <= now:
            self.engine.expire(due)

    def ejected(self, now: float) -> set[str]:
        return {e.address for e in self.engine.endpoints(now) if e.state == "ejected"}

    def said(self, kind: str) -> list[tuple[str, str]]:
        return [(effect.address, effect.why) for effect in self.engine.effects() if effect.kind == kind]


@settings(max_examples=300)
@given(SETTINGS, st.booleans(), st.lists(ENDINGS, max_size=60))
def test_it_does_as_its_plain_twin(chosen: Settings, panic: bool, steps: list[tuple[float, str, int, int]]) -> None:
    fleet = Reporting(chosen.spec, *(["panic"] if panic else []))
    twin, now = OutlierEjection(chosen, ADDRESSES), 0.0
    for passed_s, address, count, failed in steps:
        now += passed_s
        while (due := fleet.engine.next_deadline()) <= now:
            assert due <= twin.deadline
            fleet.engine.expire(due)
            twin.look(due)
        assert twin.deadline > now
        fleet.tell(address, now, count, min(failed, count))
        if count:
            twin.told(address, count, min(failed, count), now)
        out = set() if panic and twin.well < len(ADDRESSES) / 2 else twin.out
        assert fleet.ejected(now) == out
        assert len(twin.out) <= max(1, math.ceil(chosen.max_share * len(ADDRESSES)))
        pick = fleet.engine.pick(now)
        assert pick is None or pick.endpoint not in out
    assert fleet.said("ejected") == twin.said


def test_the_defaults_are_their_sources() -> None:
    assert _core.parse_stage("outlier_ejection") == _core.parse_stage(Settings().spec)


@pytest.mark.parametrize(("endpoints", "most"), [(4, 1), (10, 1)])
def test_never_more_than_the_share_is_out(endpoints: int, most: int) -> None:
    fleet = Reporting("outlier_ejection", endpoints=endpoints)
    for address in fleet.counts:
        fleet.tell(address, 1.0, 9, 9)
    assert len(fleet.ejected(1.0)) == most


def test_who_fails_more_than_all_others_is_out_when_the_interval_ends() -> None:
    fleet = Reporting("outlier_ejection")
    for address in ADDRESSES:
        fleet.tell(address, 1.0, 100, 20 if address == ADDRESSES[3] else 1)
    fleet.pass_to(10.9)
    assert not fleet.ejected(10.9)
    fleet.pass_to(11.0)
    assert fleet.said("ejected") == [(ADDRESSES[3], "success rate")]


def test_who_nearly_always_fails_is_out_where_too_little_is_known_to_compare() -> None:
    fleet = Reporting("outlier_ejection")
    for address in ADDRESSES:
        fleet.tell(address, 1.0, 60, 58 if address == ADDRESSES[3] else 0)
    fleet.engine.expire(11.0)
    assert fleet.said("ejected") == [(ADDRESSES[3], "failure share")]


def test_each_time_is_longer_and_quiet_intervals_shorten_the_next() -> None:
    fleet, now, lengths = Reporting("outlier_ejection:base_s=30,max_s=100"), 0.0, []
    for _ in range(5):
        fleet.tell(ADDRESSES[0], now, 5, 5)
        [effect] = [effect for effect in fleet.engine.effects() if effect.kind == "ejected"]
        lengths.append(effect.for_s)
        while fleet.ejected(now):
            now = fleet.engine.next_deadline()
            fleet.engine.expire(now)
    assert lengths == [30, 60, 90, 100, 100]
    fleet.tell(ADDRESSES[0], now, 1, 0)
    now += 40  # four intervals in which it was well: five times become one
    fleet.pass_to(now)
    fleet.engine.effects()
    fleet.tell(ADDRESSES[0], now, 5, 5)
    [effect] = [effect for effect in fleet.engine.effects() if effect.kind == "ejected"]
    assert effect.for_s == 60
    assert (effect.by, effect.why) == ("outlier_ejection", "failures in a row")


def test_where_nothing_ends_and_nobody_is_out_no_time_is_kept() -> None:
    engine = lbsuite.Engine(stages=["outlier_ejection"])
    engine.join(ADDRESSES[0], 0.0)
    assert engine.next_deadline() == math.inf
    pick = engine.pick(1.0)
    assert pick is not None
    engine.done(pick, 1.0)
    assert engine.next_deadline() == 11.0
    engine.expire(11.0)
    assert engine.next_deadline() == math.inf


def test_who_is_full_or_leaving_is_not_sick_by_it() -> None:
    fleet = Reporting("outlier_ejection:failure_share_requests=1,failure_share_endpoints=1")
    fleet.tell(ADDRESSES[0], 1.0, 0, 0, refused=1000)
    fleet.tell(ADDRESSES[0], 1.0, 4, 4, refused=1000)
    fleet.engine.expire(100.0)
    assert fleet.said("ejected") == [(ADDRESSES[0], "failure share")]
    fleet = Reporting("outlier_ejection")
    fleet.tell(ADDRESSES[0], 1.0, 4, 4, refused=1000)
    assert not fleet.ejected(1.0)
    with pytest.raises(ValueError, match="own_refused above own_failed: 3"):
        fleet.engine.report(ADDRESSES[1], 1.0, own_finished=5, own_failed=2, own_refused=3)


@pytest.mark.parametrize("refused", [True, False])
def test_nor_is_it_where_the_caller_hears_of_each_end(refused: bool) -> None:
    engine = lbsuite.Engine("random", stages=["outlier_ejection:consecutive=3"])
    for address in ADDRESSES:
        engine.join(address, 0.0)
    others = [address for address in ADDRESSES if address != ADDRESSES[0]]
    for i in range(5):
        if pick := engine.pick(1.0 + i / 10, exclude=others):
            engine.done(pick, 1.01 + i / 10, error="RESOURCE_EXHAUSTED", refused=refused)
    ejected = [endpoint.address for endpoint in engine.endpoints(2.0) if endpoint.state == "ejected"]
    assert ejected == ([] if refused else [ADDRESSES[0]])


def test_who_comes_back_has_one_task_until_it_has_shown_that_it_is_well() -> None:
    fleet = Reporting("outlier_ejection:base_s=1", endpoints=2, policy="least_load")
    back, other = ADDRESSES[:2]
    fleet.tell(back, 0.0, 5, 5)
    fleet.engine.report(other, 0.5, tasks=50)
    fleet.engine.expire(1.0)
    assert [fleet.engine.pick(1.0).endpoint for _ in range(3)] == [back, other, other]  # type: ignore[union-attr]
    fleet.tell(back, 1.1, 1, 1)
    assert fleet.ejected(1.1) == {back}
    fleet.engine.expire(3.1)
    assert fleet.engine.pick(3.1).endpoint == back  # type: ignore[union-attr]
    fleet.tell(back, 3.2, 1, 0)
    assert [fleet.engine.pick(3.2).endpoint for _ in range(3)] == [back] * 3  # type: ignore[union-attr]


def test_panic_tries_nobody_out_and_is_told_once() -> None:
    fleet = Reporting("outlier_ejection:base_s=1,max_share=1", "panic", endpoints=4, policy="round_robin")
    for address in ADDRESSES[:3]:
        fleet.tell(address, 0.0, 5, 5)
    assert [effect.kind for effect in fleet.engine.effects()] == ["ejected"] * 2 + ["ejected", "panic"]
    fleet.engine.expire(1.0)  # all three are back, and on trial: one is known to be well
    picked = [fleet.engine.pick(1.0).endpoint for _ in range(8)]  # type: ignore[union-attr]
    assert sorted(picked) == sorted(ADDRESSES[:4] * 2)
    for address in ADDRESSES[:3]:
        fleet.tell(address, 1.1, 2, 0)
    assert [effect.kind for effect in fleet.engine.effects()] == ["returned"] * 3 + ["calm"]


def swallowed(fleet: Reporting, begin: set[str], silent: set[str], at: float = 1.0) -> list[tuple[str, str]]:
    """What is ejected where each endpoint gets four picks a second: `begin` begin theirs, `silent` no longer report."""
    picks = dict.fromkeys(fleet.counts, 0)
    for step in range(16):
        now = at + step / 4
        fleet.pass_to(now)
        for address in picks:
            if fleet.engine.pick(now, exclude=[other for other in picks if other != address]):
                picks[address] += 1
            if step == 0 or address not in silent:
                begun = picks[address] if address in begin else 0
                fleet.engine.report(address, now + 0.01, interval_s=0.5, begun=begun)
    return fleet.said("ejected")


def test_who_takes_picks_and_begins_none_is_out_where_others_begin_theirs() -> None:
    taker, *others = ADDRESSES[:3]
    fleet = Reporting("outlier_ejection", endpoints=3)
    assert swallowed(fleet, set(others), set()) == [(taker, "its picks do not arrive")]
    fleet.pass_to(33.0)
    fleet.engine.effects()
    assert swallowed(fleet, set(others), set(), 33.0)[0] == (taker, "failed on trial")


@pytest.mark.parametrize(
    ("begin", "silent"),
    [((), ()), (ADDRESSES[:3], ()), (ADDRESSES[1:3], ADDRESSES[:1])],
    ids=["no one", "all", "silent"],
)
def test_picks_that_nobody_uses_or_of_who_is_silent_eject_nobody(begin: list[str], silent: list[str]) -> None:
    assert swallowed(Reporting("outlier_ejection", endpoints=3), set(begin), set(silent)) == []


# pick_first takes the first by its nature.
@pytest.mark.parametrize("policy", [name for name in _core.policies() if name != "pick_first"])
def test_where_more_than_half_are_ejected_nobody_gets_over_twice_a_fair_share(policy: str) -> None:
    engine = lbsuite.Engine(policy, stages=["outlier_ejection:max_share=1", "panic"])
    for address in ADDRESSES:
        engine.join(address, 0.0)
    for address in ADDRESSES[:6]:
        for _ in range(5):
            pick = engine.pick(1.0, exclude=[other for other in ADDRESSES if other != address])
            assert pick is not None
            engine.done(pick, 1.0, 0.1, error="it broke")
    assert [effect.kind for effect in engine.effects() if effect.kind != "probe"] == ["ejected"] * 6 + ["panic"]
    picked, running = dict.fromkeys(ADDRESSES, 0), []
    for i in range(4000):
        now = 1.0 + i / 100
        pick = engine.pick(now, key=str(i))
        assert pick is not None
        picked[pick.endpoint] += 1
        running.append(pick)
        if len(running) > 10:
            engine.done(
                ended := running.pop(0), now, 0.1, error="it broke" if ended.endpoint in ADDRESSES[:6] else None
            )
    assert max(picked.values()) <= 2 * 4000 / len(ADDRESSES)


def test_who_answers_again_after_its_connection_broke_is_on_trial_at_once() -> None:
    engine = lbsuite.Engine("round_robin", stages=["outlier_ejection"])
    for port in range(4001, 4011):
        engine.join(f"127.0.0.1:{port}", 0.0)
    killed = "127.0.0.1:4001"
    for _ in range(60):
        pick = engine.pick(1.0)
        assert isinstance(pick, lbsuite.Pick)
        engine.done(pick, 1.0, 0.001, error="reset" if pick.endpoint == killed else None)
    engine.lost(killed, 1.1)
    engine.reached(killed, 1.5)
    picks = [engine.pick(1.6) for _ in range(20)]
    own = [pick for pick in picks if isinstance(pick, lbsuite.Pick) and pick.endpoint == killed]
    assert len(own) == 1
    engine.done(own[0], 1.7, 0.1)
    assert killed in [pick.endpoint for pick in (engine.pick(1.8) for _ in range(10)) if isinstance(pick, lbsuite.Pick)]
