from collections import Counter

import pytest

from contracts import ADDRESSES, CHECKS, REFUSED, RUNS, PolicyContract
from lbsuite import _core


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(("policy", "roster"), RUNS)
def test_every_policy_keeps_the_contract(policy: str, roster: str, check: str) -> None:
    getattr(PolicyContract(policy, roster), check)()


@pytest.mark.parametrize(("policy", "roster"), REFUSED)
def test_a_policy_that_a_roster_does_not_serve_is_refused_by_both_names(policy: str, roster: str) -> None:
    refusal = f"^roster {roster} serves round_robin only, not {policy}$"
    with pytest.raises(ValueError, match=refusal):
        _core.Engine(policy, roster)
    engine = _core.Engine("round_robin", roster)
    engine.join(ADDRESSES[0], 0.0)
    for ask in (
        lambda: engine.pick(0.0, policy=policy),
        lambda: engine.switch(policy, 0.0),
        lambda: engine.shadow(policy, 0.0),
    ):
        with pytest.raises(ValueError, match=refusal):
            ask()
    assert engine.policy == "round_robin"
    assert engine.pick(0.0).endpoint == ADDRESSES[0]


@pytest.mark.parametrize("policy", _core.policies())
def test_a_spec_is_read_back_from_what_it_prints(policy: str) -> None:
    settings = _core.parse_policy(policy)
    assert settings.policy == policy
    assert _core.parse_policy(str(settings)) == settings
    assert [other for other in _core.policies() if _core.parse_policy(other) == settings] == [policy]
    assert settings != str(settings)
    assert _core.Engine(settings).policy == str(settings)


@pytest.mark.parametrize(
    ("spec", "blamed"),
    [
        ("", "''"),
        ("fastest", "'fastest'"),
        ("least_load:choices=0", "'0'"),
        ("least_load:choices=33", "'33'"),
        ("least_load:choices=2.5", "'2.5'"),
        ("least_load:choices=-1", "'-1'"),
        ("least_load:choices", "'choices'"),
        ("least_load:choices=2,choices=3", "twice: 'choices'"),
        ("least_load:choices=2,", "''"),
        ("least_load:", "''"),
        ("least_load:colour=3", "'colour'"),
        ("round_robin:choices=2", "'choices'"),
    ],
)
def test_a_bad_spec_is_refused_with_the_bad_part(spec: str, blamed: str) -> None:
    with pytest.raises(ValueError, match=blamed):
        _core.parse_policy(spec)
    with pytest.raises(ValueError, match=blamed):
        _core.Engine(spec)


def test_settings_equal_nothing_else() -> None:
    assert _core.LeastLoad(choices=2) == _core.parse_policy("least_load:choices=2")
    assert _core.LeastLoad() != _core.LeastLoad(choices=2)
    assert _core.LeastLoad() not in ("least_load", None, _core.TwoChoices())


def engine(policy: str, loads: list[int], **settings: str) -> _core.Engine:
    engine = _core.Engine(policy, **settings)
    for address, tasks in zip(ADDRESSES, loads, strict=False):
        engine.join(address, 0.0)
        engine.report(address, 0.0, tasks=tasks)
    return engine


def choices(engine: _core.Engine, times: int = 1000) -> Counter[str]:
    return Counter(engine.pick_address(1.0) for _ in range(times))


def test_pick_first_takes_the_first_ready_each_time() -> None:
    subject = engine("pick_first", [9, 0, 0])
    assert choices(subject) == {ADDRESSES[0]: 1000}
    subject.drain(ADDRESSES[0], 0.0)
    assert choices(subject) == {ADDRESSES[1]: 1000}


@pytest.mark.parametrize("full", [[1, 3, 5], [0, 1, 2, 3]])
def test_round_robin_hands_the_turn_of_a_full_one_to_nobody_in_particular(full: list[int]) -> None:
    subject = engine("round_robin", [0] * 10)
    for i in full:
        subject.report(ADDRESSES[i], 0.0, tasks=2, limit=2)
    counts = choices(subject, 6 * 100).values()
    assert max(counts) - min(counts) <= 1


def test_random_gives_each_the_same_chance() -> None:
    counts = choices(engine("random", [0] * 10), 10_000).values()
    assert sum((count - 1000) ** 2 / 1000 for count in counts) < 27.9  # chi squared, 9 degrees of freedom, p = 0.001


@pytest.mark.parametrize("loads", [[5, 3, 4], [3, 5, 3], [2, 1, 0], [0, 0, 7]])
def test_least_load_takes_a_least_loaded_one_and_breaks_ties_evenly(loads: list[int]) -> None:
    counts = choices(engine("least_load:choices=all", loads))
    least = [ADDRESSES[i] for i, load in enumerate(loads) if load == min(loads)]
    assert set(counts) == set(least)
    assert min(counts.values()) > 400 or len(least) == 1


def test_least_load_divides_by_the_weight() -> None:
    subject = engine("least_load:choices=all", [4, 3])
    subject.join(ADDRESSES[0], 0.0, weight=2)
    assert choices(subject) == {ADDRESSES[0]: 1000}


def test_two_choices_never_takes_the_worst_and_takes_the_second_worst_rarely() -> None:
    counts = choices(engine("two_choices", [0, 1, 2, 3]), 6000)
    assert counts[ADDRESSES[3]] == 0  # two distinct ones are compared
    # The pair that holds it and the worst is one of six.
    assert 850 < counts[ADDRESSES[2]] < 1150


def test_least_load_by_memory_shuns_the_one_that_holds_it() -> None:
    subject = _core.Engine("least_load:choices=all", load="memory", accounting="reported")
    for address in ADDRESSES[:3]:
        subject.join(address, 0.0)
        subject.report(address, 0.0, memory=50 << 20, tasks=0, begun=0, finished=0)
    subject.report(ADDRESSES[1], 1.0, memory=1 << 30, tasks=1, begun=0, finished=0)
    assert Counter(subject.pick(1.0).endpoint for _ in range(40)) == {ADDRESSES[0]: 20, ADDRESSES[2]: 20}


def test_the_base_of_a_process_does_not_rank() -> None:
    subject = _core.Engine("least_load:choices=all", load="memory")
    for address, base in zip(ADDRESSES[:2], (40 << 20, 400 << 20), strict=True):
        subject.join(address, 0.0)
        subject.report(address, 0.0, memory=base, tasks=0, finished=0)
    assert len(choices(subject)) == 2
