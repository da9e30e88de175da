"""Policies written in Python: they run wherever Python does, and what goes wrong in them is told to who asked."""

import math
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import lbsuite
from lbsuite import _core
from lbsuite.wire import messages
from lbsuite.wire.balancer import Balancer, BalancerSettings
from oracle.numbers import Rng, xxh64

ADDRESSES = [f"127.0.0.1:{port}" for port in range(4001, 4006)]


class LeastLoad(lbsuite.Policy):
    def pick(self, view, request, rng):
        return min(range(len(view)), key=lambda i: view[i].score)


class Says(lbsuite.Policy):
    """Answers, or raises, what it was told to."""

    def __init__(self, answer: object = 0) -> None:
        self.answer = answer
        self.seen: list[object] = []

    def pick(self, view, request, rng):
        self.seen.append(rng.below(1000))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(view, request, rng) if callable(self.answer) else self.answer


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


def engine(policy: object, members: int = 3, **settings: object) -> _core.Engine:
    engine = lbsuite.Engine(policy, **settings)
    for address in ADDRESSES[:members]:
        engine.join(address, 0.0)
    return engine


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


@pytest.mark.parametrize("answer", [3, -1, True, 1.0, "0", 2**80, object])
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


def test_requests_switches_and_shadows_take_one_too() -> None:
    first, last = Says(0), Says(2)
    subject = engine("round_robin")
    assert {subject.pick(1.0, policy=last).endpoint for _ in range(4)} == {ADDRESSES[2]}
    subject.shadow(first, 1.0)
    assert [subject.pick(1.0).endpoint for _ in range(3)] == ADDRESSES[:3]
    assert subject.shadowed.differing == 2
    subject.shadow(None, 1.0)
    subject.switch(first, 2.0)
    assert subject.pick_address(2.0) == ADDRESSES[0]
    assert sum(e.tasks for e in subject.endpoints(2.0)) == 7


def test_two_objects_of_one_class_are_two_policies() -> None:
    first, last = Says(0), Says(2)
    subject = engine(first)
    assert subject.policy == "python:Says"
    subject.switch(last, 1.0)
    assert subject.policy == "python:Says#2"
    subject.switch(first, 1.0)
    assert subject.policy == "python:Says"
    assert subject.pick(1.0, policy=last).endpoint == ADDRESSES[2]


def test_where_it_cannot_run_it_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^policy python:Says is written in Python, which this host does not run$"):
        lbsuite.Engine(Says(), native=True)
    with pytest.raises(ValueError, match=r"^policy 'python:Says' is written in Python: it is given as an object$"):
        lbsuite.parse_policy("python:Says")
    for roster in ("atomic", "split"):
        with pytest.raises(ValueError, match=f"^roster {roster} serves round_robin only, not python:Says$"):
            lbsuite.Engine(Says(), roster)
    subject = engine("pick_first", native=True)
    for ask in (lambda: subject.switch(Says(), 0.0), lambda: subject.pick(0.0, policy=Says())):
        with pytest.raises(ValueError, match="python:Says is written in Python"):
            ask()


@pytest.mark.parametrize("policy", [Says, 42, object()])
def test_what_is_no_policy_is_refused_with_its_value(policy: object) -> None:
    for ask in (lambda: lbsuite.Engine(policy), lambda: engine("random").switch(policy, 0.0)):
        with pytest.raises(ValueError, match=r"^not a policy: ") as raised:
            ask()
        assert repr(policy) in str(raised.value)


def test_a_class_without_pick_says_so_to_who_asks() -> None:
    with pytest.raises(NotImplementedError, match=r"Idle has no pick\(view, request, rng\)"):
        engine(type("Idle", (lbsuite.Policy,), {})()).pick(1.0)


@pytest.mark.parametrize("roster", ["snapshot", "locked"])
def test_it_may_not_call_an_engine_while_it_is_asked(roster: str) -> None:
    subject = engine("pick_first", roster=roster)
    calls = (
        lambda *_: subject.pick(1.0),
        lambda *_: subject.pick_address(1.0),
        lambda *_: subject.endpoints(1.0),
        lambda *_: subject.policy,
        lambda *_: subject.lane(),
        lambda *_: subject.join("127.0.0.1:9", 1.0),
        lambda *_: subject.why(1.0),
    )
    for call in calls:
        with pytest.raises(RuntimeError, match="may not call an engine"):
            subject.pick(1.0, policy=Says(call))
    assert subject.pick(2.0).endpoint == ADDRESSES[0]


def test_a_log_of_it_replays_with_an_object_of_its_class() -> None:
    def roll(view, request, rng):
        return rng.below(len(view))

    subject = lbsuite.Engine(Says(roll), seed=9)
    recording = lbsuite.record(subject)
    for address in ADDRESSES:
        subject.join(address, 0.0)
    picks = [subject.pick(1.0 + step) for step in range(50)]
    for pick in picks[::2]:
        subject.done(pick, 60.0)
    picked = Counter(pick.endpoint for pick in picks)
    assert len(picked) == 5
    replay = lbsuite.replay(recording.lines, policy=Says(roll))
    assert replay.policy == "python:Says"
    assert len(replay.picks) == 50
    assert replay.differing == 0


async def test_a_balancer_runs_one() -> None:
    balancer = Balancer(BalancerSettings(policy=Says(1), fixed=True))
    for address in ADDRESSES[:3]:
        await balancer.RegisterServer(messages.ServerInfo(address=address), None)
    request = messages.BalanceRequest(policy="pick_first")
    assert {(await balancer.GetBestServer(request, None)).address for _ in range(5)} == {ADDRESSES[1]}
    assert (await balancer.Status(messages.StatusRequest(), None)).policy == "python:Says"
    await balancer.close()


@pytest.mark.parametrize("roster", ["snapshot", "locked"])
def test_threads_that_pick_end_report_expire_and_record_at_once_get_through(roster: str) -> None:
    # A process of its own: what hangs with the GIL in hand would hang this one.
    program = Path(__file__).with_name("python_policy_threads.py")
    ended = subprocess.run(
        [sys.executable, str(program), roster], capture_output=True, text=True, timeout=100, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
