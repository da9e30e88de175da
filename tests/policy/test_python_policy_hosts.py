"""Where policies written in Python run and where they are refused; threads at one engine with such a policy."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from python_policies import ADDRESSES, Says, engine

import lbsuite
from lbsuite.wire import messages
from lbsuite.wire.balancer import Balancer, BalancerSettings


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


@pytest.mark.parametrize("policy", [None, "two_choices"])
def test_a_log_with_one_in_the_shadow_replays_without_it(policy: str | None) -> None:
    subject = lbsuite.Engine("round_robin")
    recording = lbsuite.record(subject)
    subject.join(ADDRESSES[0], 0.0)
    subject.shadow(Says(), 0.0)
    subject.pick(1.0)
    assert lbsuite.replay(recording, policy=policy).picks == ADDRESSES[:1]


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
