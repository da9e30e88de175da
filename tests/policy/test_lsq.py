from collections import Counter

import pytest

from lbsuite import _core

ADDRESSES = [f"127.0.0.1:{port}" for port in range(4001, 4011)]


def of(count: int, policy: str = "lsq") -> _core.Engine:
    engine = _core.Engine(policy)
    for address in ADDRESSES[:count]:
        engine.join(address, 0.0)
    return engine


@pytest.mark.parametrize("samples", [1, 2, 5])
def test_alone_and_with_nothing_ending_it_is_join_shortest_queue(samples: int) -> None:
    engine = of(10, f"lsq:samples={samples}")
    counts = Counter(engine.pick(1.0).endpoint for _ in range(100))
    assert set(counts.values()) == {10}


def test_with_everyone_sampled_it_sees_what_others_sent() -> None:
    engine = of(5, "lsq:samples=5")
    engine.pick(1.0)
    engine.report(ADDRESSES[2], 1.0, tasks=50)
    engine.pick(1.0)
    assert ADDRESSES[2] not in {engine.pick(1.0).endpoint for _ in range(50)}


def test_what_was_not_sampled_is_not_known() -> None:
    """Others load an endpoint to which this lane never sent: only a sample tells, so some picks still go there."""
    surprised = 0
    for seed in range(20):
        engine = _core.Engine("lsq:samples=1", seed=seed)
        for address in ADDRESSES:
            engine.join(address, 0.0)
        engine.pick(1.0)
        engine.report(ADDRESSES[2], 1.0, tasks=50)
        surprised += ADDRESSES[2] in {engine.pick(1.0).endpoint for _ in range(12)}
    assert 5 < surprised < 20


def test_each_lane_has_a_view_of_its_own() -> None:
    engine = of(10, "lsq:samples=1")
    lanes = [0, engine.lane()]
    for lane in lanes:
        engine.pick(1.0, lane=lane)
    first = {lane: [engine.pick(1.0, lane=lane).endpoint for _ in range(8)] for lane in lanes}
    assert first[0] != first[lanes[1]]
    assert all(len(set(picks)) >= 7 for picks in first.values())  # neither has seen more than a few of the other's


def test_one_that_takes_the_place_of_another_begins_anew() -> None:
    engine = of(2, "lsq:samples=1")
    for _ in range(20):
        engine.pick(1.0)
    engine.leave(ADDRESSES[0], 2.0)
    engine.join(ADDRESSES[5], 2.0)
    assert [engine.pick(2.0).endpoint for _ in range(5)] == [ADDRESSES[5]] * 5
