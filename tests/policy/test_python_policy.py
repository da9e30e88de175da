"""Policies written in Python: they run wherever Python does, and what goes wrong in them is told to who asked."""

import math
import sys
from collections import Counter

import pytest
from python_policies import ADDRESSES, Says, engine

import lbsuite
from lbsuite import _core
from oracle.numbers import Rng, xxh64


class LeastLoad(lbsuite.Policy):
    def pick(self, view, request, rng):
        return min(range(len(view)), key=lambda i: view[i].score)


class Listens(lbsuite.Policy):
    def __init__(self) -> None:
        self.news: list[tuple[object, ...]] = []

    def pick(self, view, request, rng):
        return 0

    def done(self, address, count, failed, latency_s, now):
        self.news.append(("done", address, count, failed, latency_s, now))

    def report(self, address, report, now):
        self.news.append(("report", address, report.tasks, report.utilization, now))


class Fails(Listens):
    def done(self, address, count, failed, latency_s, now):
        raise LookupError("done failed")

    def report(self, address, report, now):
        raise LookupError("report failed")


@pytest.mark.parametrize("roster", ["snapshot", "locked"])
@pytest.mark.parametrize("accounting", ["done", "reported"])
def test_a_least_load_of_two_lines_agrees_with_the_one_in_cpp_pick_for_pick(accounting: str, roster: str) -> None:
    engines = [lbsuite.Engine(p, roster, accounting=accounting) for p in (LeastLoad(), "least_load:choices=all")]
    dice = Rng(7)
    for each in engines:
        for address, weight in zip(ADDRESSES, (997, 1009, 1013, 1019, 1021), strict=True):  # primes: no two scores tie
            each.join(address, 0.0, weight=weight, limit=40)
            each.report(address, 0.0, tasks=1, begun=0)
    open_picks: list[list[_core.Pick]] = []
    for step in range(1500):
        now, which, tasks = step / 100, ADDRESSES[dice.below(5)], 1 + dice.below(9)
        what = dice.below(8)
        if what == 0:
            for each in engines:
                each.report(which, now, tasks=tasks, begun=step)
        elif what == 1 and open_picks and accounting == "done":
            for each, pick in zip(engines, open_picks.pop(dice.below(len(open_picks))), strict=True):
                each.done(pick, now)
        else:
            picks = [each.pick(now, exclude=[which]) for each in engines]
            assert len({pick and pick.endpoint for pick in picks}) == 1
            open_picks += [picks] if picks[0] else []
    assert len(open_picks) > 100


def test_its_generator_is_the_lanes_own_and_seeded() -> None:
    says = Says()
    subject = engine(says, seed=5)
    lane = subject.lane()
    for _ in range(20):
        subject.pick(1.0, lane=lane)
    twin = Rng(xxh64(b"python:Says", 5) + lane)
    assert says.seen == [twin.below(1000) for _ in range(20)]


def test_its_generator_draws_evenly_in_every_way() -> None:
    drawn: dict[str, Counter[object]] = {"random": Counter(), "choice": Counter(), "shuffle": Counter()}

    def draw(view, request, rng):
        cards = ["a", "b", "c"]
        rng.shuffle(cards)
        drawn["shuffle"]["".join(cards)] += 1
        drawn["choice"][rng.choice("xyz")] += 1
        drawn["random"][int(rng.random() * 4)] += 1

    subject = engine(Says(draw))
    for _ in range(3000):
        assert subject.pick_address(1.0) is None
    assert {name: len(counts) for name, counts in drawn.items()} == {"random": 4, "choice": 3, "shuffle": 6}
    for counts in drawn.values():
        assert min(counts.values()) > 0.8 * 3000 / len(counts)


@pytest.mark.parametrize("bound", [0, -1, 2**32])
def test_a_bound_that_is_none_is_refused(bound: int) -> None:
    with pytest.raises(ValueError, match=str(bound)):
        engine(Says(lambda view, request, rng: rng.below(bound))).pick(1.0)


def test_none_is_nobody() -> None:
    subject = engine(Says(None))
    assert subject.pick(1.0) is None
    assert subject.pick_address(1.0) is None
    assert len(subject.pick_many(3, 1.0)) == 0
    assert subject.why(1.0) == "ready"


def test_a_view_holds_those_that_are_ready_for_one_pick() -> None:
    seen = []

    def look(view, request, rng):
        seen.append((view, view[0], [c.address for c in view], [c.index for c in view], view[-1].address, view.now))
        assert (view[0].tasks, view[0].estimate, view[0].score, view[0].weight, view[0].limit) == (1, 1.0, 0.5, 2.0, 9)
        with pytest.raises(IndexError):
            view[len(view)]
        return 1

    subject = engine(Says(look), members=5)
    subject.join(ADDRESSES[1], 0.0, weight=2, limit=9)
    subject.report(ADDRESSES[1], 0.0, tasks=1)
    subject.lost(ADDRESSES[0], 0.0)
    subject.report(ADDRESSES[3], 0.0, tasks=1, limit=1)
    assert subject.pick(1.0).endpoint == ADDRESSES[2]
    ((view, candidate, addresses, indices, last, now),) = seen
    assert (addresses, indices, last, now) == ([ADDRESSES[1], ADDRESSES[2], ADDRESSES[4]], [0, 1, 2], ADDRESSES[4], 1.0)
    for late in (lambda: candidate.tasks, lambda: view.now):
        with pytest.raises(RuntimeError, match="over"):
            late()


def test_it_is_not_asked_when_nobody_is_ready() -> None:
    says = Says()
    assert engine(says, members=0).pick(1.0) is None
    assert says.seen == []


def test_it_sees_the_whole_request() -> None:
    seen = []

    def look(view, request, rng):
        seen.append((request.key, request.cost, request.exclude, request.deadline, request.priority))
        return 0

    subject = engine(Says(look))
    subject.pick(1.0, key="k", cost=3, exclude=[ADDRESSES[0]], deadline=2.0, priority=4)
    subject.pick_address(1.0)
    assert seen == [(b"k", 3, (ADDRESSES[0],), 2.0, 4), (b"", 1, (), math.inf, 0)]


@pytest.mark.parametrize("answer", [3, -1, True, 1.0, "0", "\u00e9" * 99, 2**80, object])
def test_an_answer_that_is_no_index_is_told_to_who_asked_and_changes_nothing(answer: object) -> None:
    says = Says(lambda view, request, rng: answer)
    subject = engine(says)
    calls = (lambda: subject.pick(1.0), lambda: subject.pick_address(1.0), lambda: subject.pick_many(2, 1.0))
    for call in calls:
        with pytest.raises(ValueError, match=r"^python:Says picked .*, not an index below 3 or None$") as raised:
            call()
        assert repr(answer)[:80] in str(raised.value)
    assert {e.tasks for e in subject.endpoints(1.0)} == {0}
    assert len(set(says.seen)) == 1  # the generator is as before
    says.answer = 2
    assert subject.pick(1.0).endpoint == ADDRESSES[2]
    assert subject.pick(1.0).sequence == 2


def test_what_it_raises_reaches_who_asked_and_changes_nothing() -> None:
    says = Says(LookupError("no luck"))
    subject = engine(says)
    calls = (lambda: subject.pick(1.0), lambda: subject.pick_address(1.0), lambda: subject.pick_many(2, 1.0))
    for call in calls:
        with pytest.raises(LookupError, match="no luck"):
            call()
    assert {e.tasks for e in subject.endpoints(1.0)} == {0}
    assert len(set(says.seen)) == 1
    with pytest.raises(TypeError, match="takes one argument, not 2"):
        subject.pick_address(1.0, 2.0)


def test_it_hears_of_ends_and_reports() -> None:
    listens = Listens()
    subject = engine(listens, members=1)
    subject.report(ADDRESSES[0], 0.5, tasks=2)  # before its first pick: told of then
    subject.done(subject.pick(1.0), 2.0, latency_s=0.25, error="broken")
    subject.report(ADDRESSES[0], 3.0, tasks=1, utilization=0.5, own_finished=4, own_failed=1, own_latency_s=2.0)
    subject.leave(ADDRESSES[0], 4.0)
    assert listens.news == [
        ("report", ADDRESSES[0], 2, 0.0, 0.5),
        ("done", ADDRESSES[0], 1, 1, 0.25, 2.0),
        ("done", ADDRESSES[0], 4, 1, 0.5, 3.0),
        ("report", ADDRESSES[0], 1, 0.5, 3.0),
    ]


def test_what_it_raises_where_nobody_asked_is_not_lost_and_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: raised.append(str(unraisable.exc_value)))
    subject = engine(Fails())
    subject.done(subject.pick(1.0), 2.0)
    assert subject.report(ADDRESSES[0], 3.0)
    assert raised == ["done failed", "report failed"]
    assert {e.tasks for e in subject.endpoints(3.0)} == {0}


def test_a_shadow_that_raises_does_not_break_the_picks(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: raised.append(str(unraisable.exc_value)))
    subject = engine("pick_first")
    for answer in (LookupError("no luck"), 9):
        subject.shadow(Says(answer), 1.0)
        assert subject.pick(1.0).endpoint == subject.pick_address(1.0) == ADDRESSES[0]
        assert (subject.shadowed.asked, subject.shadowed.differing) == (2, 2)
    assert [text.split(",")[0] for text in raised] == ["no luck"] * 2 + ["python:Says#2 picked 9"] * 2
