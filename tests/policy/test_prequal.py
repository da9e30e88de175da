from collections import Counter

import pytest

from lbsuite import _core

ADDRESSES = [f"127.0.0.1:{port}" for port in range(4001, 4101)]


def of(count: int, settings: str = "", seed: int = 1) -> _core.Engine:
    engine = _core.Engine(f"prequal{':' if settings else ''}{settings}", seed=seed)
    for address in ADDRESSES[:count]:
        engine.join(address, 0.0)
    engine.pick_address(0.0)  # it hears of nothing before its first pick
    engine.effects()
    return engine


def told(engine: _core.Engine, now: float, answers: dict[int, tuple[int, float]]) -> None:
    """Answers to probes: requests in flight and latency, by endpoint."""
    for i, (tasks, latency_s) in answers.items():
        engine.probed(ADDRESSES[i], now, tasks=tasks, latency_s=latency_s)


def probed(engine: _core.Engine) -> list[str]:
    return [effect.address for effect in engine.effects() if effect.kind == "probe"]


# Probes


@pytest.mark.parametrize(("rate", "picks", "probes"), [(3, 7, 21), (0.5, 8, 4), (1.25, 8, 10), (0, 5, 0)])
def test_so_many_probes_a_pick_are_asked_for_fractions_spread_evenly(rate: float, picks: int, probes: int) -> None:
    engine = _core.Engine(f"prequal:probes={rate}")
    for address in ADDRESSES[:10]:
        engine.join(address, 0.0)
    each = []
    for _ in range(picks):
        engine.pick(0.0)
        each.append(probed(engine))
    assert sum(map(len, each)) == probes
    assert max(map(len, each)) - min(map(len, each)) <= 1


def test_probes_go_to_distinct_endpoints_each_with_the_same_chance_full_ones_too() -> None:
    engine = of(10)
    engine.join(ADDRESSES[4], 0.0, limit=1)
    engine.report(ADDRESSES[4], 0.0, tasks=1)
    counts: Counter[str] = Counter()
    for _ in range(1000):
        engine.pick(0.0)
        drawn = probed(engine)
        assert len(set(drawn)) == 3
        counts.update(drawn)
    assert len(counts) == 10
    assert sum((count - 300) ** 2 / 300 for count in counts.values()) < 27.9  # chi squared, p = 0.001


def test_with_fewer_endpoints_than_probes_each_is_probed() -> None:
    engine = of(2)
    engine.pick(0.0)
    assert sorted(probed(engine)) == ADDRESSES[:2]


# The choice


def test_of_the_cold_the_quickest_is_taken_however_quick_a_hot_one_is() -> None:
    engine = of(5)
    told(engine, 0.0, {0: (9, 0.001), 1: (1, 0.05), 2: (2, 0.02), 3: (1, 0.03), 4: (0, 0.2)})
    assert engine.pick_address(0.0) == ADDRESSES[2]


def test_if_all_that_are_ready_are_hot_the_one_with_the_fewest_in_flight_is_taken() -> None:
    engine = of(5)
    told(engine, 0.0, {0: (9, 0.001), 1: (8, 0.5), 2: (0, 0.1), 3: (0, 0.1), 4: (0, 0.1)})
    for cold in (2, 3, 4):
        engine.lost(ADDRESSES[cold], 0.0)
    told(engine, 0.0, {2: (0, 0.1), 3: (0, 0.1), 4: (0, 0.1)})
    assert engine.pick_address(0.0) == ADDRESSES[1]


@pytest.mark.parametrize(("q_rif", "winner"), [(0, 3), (1, 0)])
def test_a_quantile_of_0_goes_by_what_is_in_flight_and_1_by_latency(q_rif: float, winner: int) -> None:
    engine = of(4, f"q_rif={q_rif}")
    told(engine, 0.0, {0: (9, 0.001), 1: (5, 0.01), 2: (4, 0.02), 3: (1, 0.5)})
    assert engine.pick_address(0.0) == ADDRESSES[winner]


def test_what_was_picked_counts_as_one_more_in_flight() -> None:
    engine = of(3, "q_rif=0,removes=0,probes=0")
    told(engine, 0.0, {0: (0, 0.1), 1: (2, 0.1), 2: (9, 0.1)})
    assert Counter(engine.pick_address(0.0) for _ in range(4)) == {ADDRESSES[0]: 3, ADDRESSES[1]: 1}


def spread(engine: _core.Engine, now: float, times: int = 60) -> set[str | None]:
    return {engine.pick_address(now) for _ in range(times)}


@pytest.mark.parametrize("answered", [0, 1])
def test_below_two_usable_probes_anyone_is_taken(answered: int) -> None:
    engine = of(5, "probes=0,removes=0")
    told(engine, 0.0, {i: (0, 0.001) for i in range(answered)})
    assert len(spread(engine, 0.0)) == 5


def test_probes_older_than_their_age_are_not_used() -> None:
    engine = of(5, "probes=0,removes=0")
    told(engine, 0.0, {0: (0, 0.001), 1: (0, 0.5)})
    assert engine.pick_address(1.0) == ADDRESSES[0]
    assert len(spread(engine, 1.01)) == 5


def test_only_the_newest_probe_of_an_endpoint_counts() -> None:
    engine = of(2, "removes=0")
    told(engine, 0.0, {0: (0, 0.001), 1: (0, 0.5)})
    told(engine, 0.1, {0: (0, 0.9)})
    assert engine.pick_address(0.1) == ADDRESSES[1]


def test_the_pool_keeps_the_newest() -> None:
    engine = of(10, "pool=2,probes=0,removes=0,reuses=1000")
    told(engine, 0.0, {0: (0, 0.001), 1: (0, 0.002), 2: (0, 0.5)})
    assert engine.pick_address(0.0) == ADDRESSES[1]


def test_a_failure_drops_what_its_endpoint_answered() -> None:
    engine = of(3, "probes=0,removes=0")
    told(engine, 0.0, {0: (0, 0.001), 1: (0, 0.1), 2: (0, 0.2)})
    pick = engine.pick(0.0)
    assert pick.endpoint == ADDRESSES[0]
    engine.done(pick, 0.0, latency_s=0.0, error="broken")
    assert engine.pick_address(0.0) == ADDRESSES[1]


def test_a_pick_removes_the_oldest_and_the_worst_in_turn_and_leaves_two() -> None:
    engine = of(5, "q_rif=1,probes=0")
    told(engine, 2.0, {0: (0, 0.01), 1: (0, 0.02), 2: (0, 0.03), 3: (0, 0.04), 4: (0, 0.05)})
    # Gone after each: 0, the oldest; 4, the worst; 1, the oldest; nobody.
    assert [engine.pick_address(2.0) for _ in range(5)] == [ADDRESSES[i] for i in (0, 1, 1, 2, 2)]
    engine.drain(ADDRESSES[2], 2.0)
    assert len(spread(engine, 2.0)) == 4  # 3 alone is left, which is too few


def test_without_removal_all_stay() -> None:
    engine = of(5, "q_rif=1,probes=0,removes=0")
    told(engine, 2.0, {0: (0, 0.01), 1: (0, 0.02), 2: (0, 0.03)})
    assert [engine.pick_address(2.0) for _ in range(5)] == [ADDRESSES[0]] * 5


@pytest.mark.parametrize("reuses", [1, 4])
def test_where_probes_cannot_keep_up_each_is_used_so_often(reuses: int) -> None:
    engine = of(5, f"q_rif=1,probes=3,removes=0,reuses={reuses}")
    told(engine, 2.0, {i: (0, 0.01 * (i + 1)) for i in range(5)})
    assert [engine.pick_address(2.0) for _ in range(3 * reuses)] == [a for a in ADDRESSES[:3] for _ in range(reuses)]


def test_a_probe_is_used_as_often_as_the_pool_gains_on_average() -> None:
    """100 endpoints, a pool of 16: a pick gains 0.84 x 3 and loses 1 by removal, so it may use 2 / 1.52 of a probe."""
    uses = 0
    for seed in range(1000):
        engine = of(100, "q_rif=1,removes=1", seed=seed)
        told(engine, 2.0, {1: (0, 0.5), 2: (0, 0.6), 0: (0, 0.001)})
        picks = [engine.pick_address(2.0) for _ in range(2)]
        uses += picks.count(ADDRESSES[0]) if picks[0] == ADDRESSES[0] else 1
    assert uses / 1000 == pytest.approx(2 / 1.52, abs=0.06)


# Few endpoints: the normal case


@pytest.mark.parametrize("count", [2, 3, 5, 10, 16])
def test_with_few_endpoints_nearly_every_pick_is_made_from_most_of_them(count: int) -> None:
    """One endpoint is ten times slower than the rest, and each says so: hardly a pick goes there."""
    engine = of(count)
    running: list[tuple[float, _core.Pick]] = []
    tasks: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for step in range(2000):
        now = step * 0.1 / count
        for _, pick in [task for task in running if task[0] <= now]:
            engine.done(pick, now)
            tasks[pick.endpoint] -= 1
        running = [task for task in running if task[0] > now]
        pick = engine.pick(now)
        service_s = 0.5 if pick.endpoint == ADDRESSES[0] else 0.05
        running.append((now + service_s, pick))
        tasks[pick.endpoint] += 1
        counts[pick.endpoint] += 1
        for address in probed(engine):
            service_s = 0.5 if address == ADDRESSES[0] else 0.05
            engine.probed(address, now, tasks=tasks[address], latency_s=service_s)
    assert counts[ADDRESSES[0]] < 2000 / count / 4
    assert min(counts[address] for address in ADDRESSES[1:count]) > 2000 / count / 3
