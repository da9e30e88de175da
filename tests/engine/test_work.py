"""Work beside tasks: where requests say what they cost, it is work that policies compare, not tasks."""

import pytest

from lbsuite import _core

BIG, SMALL = "127.0.0.1:4001", "127.0.0.1:4002"


def engine(policy: str, accounting: str, load: str = "tasks") -> _core.Engine:
    made = _core.Engine(policy, accounting=accounting, load=load)
    for address in (BIG, SMALL):
        made.join(address, 0.0)
    return made


def pick(of: _core.Engine, address: str, cost: int, now: float = 1.0) -> _core.Pick:
    found = of.pick(now, cost=cost, exclude=[{BIG: SMALL, SMALL: BIG}[address]])
    assert found is not None
    assert found.endpoint == address
    return found


@pytest.mark.parametrize("accounting", ["done", "reported"])
@pytest.mark.parametrize("policy", ["least_load:choices=all", "least_load:choices=2", "two_choices"])
def test_one_great_task_weighs_more_than_five_small_ones(policy: str, accounting: str) -> None:
    subject = engine(policy, accounting)
    pick(subject, BIG, 1000)
    for _ in range(5):
        pick(subject, SMALL, 1)
    assert {subject.pick_address(1.0) for _ in range(20)} == {SMALL}
    assert [(e.tasks, e.work, e.score) for e in subject.endpoints(1.0)] == [(1, 1000, 1000), (5, 5, 5)]


def test_work_that_has_ended_weighs_nothing() -> None:
    subject = engine("least_load:choices=all", "done")
    great = pick(subject, BIG, 4_000_000_000)
    pick(subject, SMALL, 1)
    assert subject.pick_address(1.0) == SMALL
    subject.done(great, 2.0)
    assert subject.pick_address(2.0) == BIG
    assert [e.work for e in subject.endpoints(2.0)] == [0, 1]


def test_a_cost_of_nothing_is_a_task_all_the_same() -> None:
    subject = engine("least_load:choices=all", "done")
    free = pick(subject, BIG, 0)
    assert [e.work for e in subject.endpoints(1.0)] == [1, 0]
    subject.done(free, 2.0)
    assert [e.work for e in subject.endpoints(2.0)] == [0, 0]


@pytest.mark.parametrize("load", ["memory", "cpu"])
def test_loads_ranked_by_another_signal_know_no_costs(load: str) -> None:
    subject = engine("least_load:choices=all", "done", load)
    pick(subject, BIG, 1000)
    for _ in range(5):
        pick(subject, SMALL, 1)
    assert subject.pick_address(1.0) == BIG


def test_tasks_that_reports_tell_of_cost_what_picks_usually_do() -> None:
    subject = engine("least_load:choices=all", "reported")
    for _ in range(10):
        pick(subject, BIG, 7)
    subject.report(BIG, 1.5, tasks=3, begun=8)
    subject.report(SMALL, 1.5, tasks=4)
    assert [e.work for e in subject.endpoints(1.5)] == [3 * 7 + 2 * 7, 4 * 7]


def test_work_drains_at_the_rate_of_tasks_times_their_cost() -> None:
    subject = engine("least_load:choices=all", "reported")
    for _ in range(100):
        pick(subject, BIG, 5)
    subject.report(BIG, 2.0, tasks=100, begun=100, finished=1000, busy_s=100.0)
    first, later = (subject.endpoints(now)[0] for now in (2.0, 4.0))
    assert (first.estimate, first.score) == (100, 500)
    assert (later.estimate, later.score) == (pytest.approx(80), pytest.approx(400))
