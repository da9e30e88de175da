import pytest

from lbsuite import _core

ADDRESSES = ("127.0.0.1:4001", "127.0.0.1:4002", "127.0.0.1:4003")


def three(policy: str) -> _core.Engine:
    engine = _core.Engine(policy)
    for address in ADDRESSES:
        engine.join(address, 0.0)
    return engine


def test_a_switch_keeps_what_is_in_flight() -> None:
    engine = three("round_robin")
    picks = [engine.pick(1.0) for _ in range(4)]
    engine.switch("least_load:choices=all", 2.0)
    assert engine.policy == "least_load:choices=all"
    assert sum(e.tasks for e in engine.endpoints(2.0)) == 4
    assert engine.pick(2.0).endpoint != picks[0].endpoint  # it has two, the others one each
    for pick in picks:
        engine.done(pick, 3.0)
    assert sum(e.tasks for e in engine.endpoints(3.0)) == 1


def test_a_request_that_names_the_first_policy_still_gets_it_after_a_switch() -> None:
    engine = three("pick_first")
    engine.switch("round_robin", 1.0)
    assert {engine.pick(1.0, policy="pick_first").endpoint for _ in range(6)} == {ADDRESSES[0]}
    assert len({engine.pick(1.0).endpoint for _ in range(6)}) == 3


def test_a_shadow_is_asked_and_not_obeyed() -> None:
    engine = three("pick_first")
    engine.shadow("round_robin", 1.0)
    assert {engine.pick(1.0).endpoint for _ in range(9)} == {ADDRESSES[0]}
    assert engine.pick(1.0, policy="random") is not None  # one that names its policy is not compared
    assert (engine.shadowed.asked, engine.shadowed.differing) == (9, 6)
    assert engine.shadowed.share == 6 / 9
    engine.shadow(None, 1.0)
    engine.pick_address(1.0)
    assert engine.shadowed.asked == 0


@pytest.mark.parametrize("policy", _core.policies())
def test_a_shadow_that_is_the_engines_own_policy_is_not_asked(policy: str) -> None:
    alone, shadowed = three(policy), three(policy)
    shadowed.shadow(policy, 1.0)
    for step in range(30):
        assert shadowed.pick(1.0 + step).endpoint == alone.pick(1.0 + step).endpoint
    assert shadowed.shadowed.asked == 0


@pytest.mark.parametrize("policy", ["fastest", "least_load:choices=0"])
def test_a_bad_policy_to_switch_to_changes_nothing(policy: str) -> None:
    engine = three("pick_first")
    for change in (engine.switch, engine.shadow):
        with pytest.raises(ValueError, match=r"fastest|choices"):
            change(policy, 1.0)
    assert engine.policy == "pick_first"


@pytest.mark.parametrize("policy", _core.policies())
def test_a_shadow_changes_no_pick_of_a_request_that_names_its_policy(policy: str) -> None:
    watched, alone = three("pick_first"), three("pick_first")
    watched.shadow(policy, 1.0)
    for step in range(30):
        now = 1.0 + step / 10
        assert watched.pick(now).endpoint == alone.pick(now).endpoint
        assert watched.pick(now, policy=policy).endpoint == alone.pick(now, policy=policy).endpoint
