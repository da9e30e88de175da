"""A policy that needs what its host does not give says so, by name, however it is chosen."""

from collections.abc import Callable

import pytest

from lbsuite import _core

A = "127.0.0.1:4001"
NEEDS = [("peak_ewma", "outcomes"), ("c3", "outcomes"), ("prequal", "probes")]


@pytest.mark.parametrize(("policy", "needed"), NEEDS)
def test_an_engine_is_not_made_with_it(policy: str, needed: str) -> None:
    with pytest.raises(ValueError, match=f"{policy} needs {needed}"):
        _core.Engine(policy, **{needed: False})
    others = {"outcomes", "probes"} - {needed}
    assert _core.Engine(policy, **dict.fromkeys(others, False)).policy.startswith(policy)


@pytest.mark.parametrize(
    "choose",
    [
        lambda engine, policy: engine.switch(policy, 1.0),
        lambda engine, policy: engine.shadow(policy, 1.0),
        lambda engine, policy: engine.pick(1.0, policy=policy),
    ],
    ids=["switch", "shadow", "request"],
)
@pytest.mark.parametrize(("policy", "needed"), NEEDS)
def test_a_running_engine_refuses_it_and_goes_on(
    choose: Callable[[_core.Engine, str], object], policy: str, needed: str
) -> None:
    engine = _core.Engine("pick_first", **{needed: False})
    engine.join(A, 0.0)
    with pytest.raises(ValueError, match=f"{policy} needs {needed}"):
        choose(engine, policy)
    assert (engine.policy, engine.shadowed.asked) == ("pick_first", 0)
    assert engine.pick(1.0).endpoint == A


@pytest.mark.parametrize("policy", [name for name in _core.policies() if name not in dict(NEEDS)])
def test_every_other_policy_runs_without_outcomes_and_probes(policy: str) -> None:
    engine = _core.Engine(policy, outcomes=False, probes=False)
    engine.join(A, 0.0)
    assert engine.pick(1.0).endpoint == A
