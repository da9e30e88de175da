import pytest

from lbsuite import _core

ADDRESSES = [f"127.0.0.1:{port}" for port in range(4001, 4011)]


def of(count: int, accounting: str = "done", policy: str = "join_idle_queue") -> _core.Engine:
    engine = _core.Engine(policy, accounting=accounting)
    for address in ADDRESSES[:count]:
        engine.join(address, 0.0)
    return engine


def busy(engine: _core.Engine) -> dict[str, list[_core.Pick]]:
    """Gives everyone tasks; returns them by endpoint."""
    picks: dict[str, list[_core.Pick]] = {}
    while len(picks) < len(engine):
        others = [address for address in ADDRESSES if address in picks]
        pick = engine.pick(1.0, exclude=others)
        picks.setdefault(pick.endpoint, []).append(pick)
    return picks


def turn_idle(engine: _core.Engine, picks: dict[str, list[_core.Pick]], address: str, error: str | None = None) -> None:
    for pick in picks.pop(address):
        engine.done(pick, 2.0, error=error)


def test_who_turned_idle_first_is_picked_first() -> None:
    engine = of(6)
    picks = busy(engine)
    order = [ADDRESSES[i] for i in (3, 0, 5)]
    for address in order:
        turn_idle(engine, picks, address)
    assert [engine.pick(2.0).endpoint for _ in range(3)] == order


def test_one_waits_in_a_queue_once_and_is_idle_when_it_is_taken() -> None:
    engine = of(4)
    picks = busy(engine)
    for address in ADDRESSES[:2]:
        turn_idle(engine, picks, address)
    engine.report(ADDRESSES[0], 2.0, tasks=0)  # says again that it is idle
    engine.pick(2.0, policy="pick_first")  # somebody else gives the head of the queue a task
    assert engine.pick(2.0).endpoint == ADDRESSES[1]
    assert max(e.tasks for e in engine.endpoints(2.0)) == 1


def test_while_none_is_idle_the_less_loaded_of_two_is_picked() -> None:
    engine = of(4)
    busy(engine)
    engine.report(ADDRESSES[2], 1.0, tasks=50)
    assert ADDRESSES[2] not in {engine.pick(1.0).endpoint for _ in range(100)}


def test_one_that_fails_leaves_the_queue_until_it_is_idle_again() -> None:
    engine = of(3)
    picks = busy(engine)
    turn_idle(engine, picks, ADDRESSES[0])
    turn_idle(engine, picks, ADDRESSES[1])
    late = engine.pick(2.0, policy="pick_first")
    engine.done(late, 2.0, error="broken")
    assert engine.pick(2.0).endpoint == ADDRESSES[1]


@pytest.mark.parametrize("accounting", ["done", "reported"])
def test_a_report_of_no_tasks_says_that_one_is_idle(accounting: str) -> None:
    engine = of(6, accounting)
    engine.pick(0.0)
    for address in ADDRESSES[:6]:
        engine.report(address, 5.0, tasks=3)
    engine.report(ADDRESSES[4], 6.0, tasks=0)
    engine.report(ADDRESSES[1], 6.0, tasks=0)
    idle = [e.address for e in engine.endpoints(6.0) if e.tasks == 0]
    assert {engine.pick(6.0).endpoint for _ in idle} == set(idle)


def test_a_full_or_excluded_head_keeps_its_turn() -> None:
    engine = of(3)
    picks = busy(engine)
    for address in ADDRESSES[:2]:
        turn_idle(engine, picks, address)
    assert engine.pick(2.0, exclude=[ADDRESSES[0]]).endpoint == ADDRESSES[1]
    assert engine.pick(2.0).endpoint == ADDRESSES[0]


def test_one_that_left_is_not_waited_for() -> None:
    engine = of(3)
    picks = busy(engine)
    turn_idle(engine, picks, ADDRESSES[0])
    turn_idle(engine, picks, ADDRESSES[1])
    engine.leave(ADDRESSES[0], 2.0)
    engine.join(ADDRESSES[7], 2.0)
    assert engine.pick(2.0).endpoint == ADDRESSES[1]


@pytest.mark.parametrize("queues", [1, 2])
def test_lanes_share_the_idle_out_and_none_is_taken_twice(queues: int) -> None:
    engine = of(10, policy=f"join_idle_queue:queues={queues}")
    lanes = [0, engine.lane(), engine.lane()]
    for lane in lanes:
        engine.pick(1.0, exclude=ADDRESSES, lane=lane)  # makes the lane's queue
    picks = busy(engine)
    for address in ADDRESSES[:3]:
        turn_idle(engine, picks, address)
    for lane in lanes:
        engine.pick(2.0, lane=lane)
    assert max(e.tasks for e in engine.endpoints(2.0) if e.address in ADDRESSES[:3]) == 1
