"""What requests may wish: any policy there is, but only so many that are nobody else's, and none that is dear."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsuite import _core
from lbsuite.wire import messages, wishes
from lbsuite.wire.wishes import Wishes

SETTINGS = ["choices", "kind", "bound", "table", "decay_s", "weights", "exponent", "bias", "probes", "update_s", "x"]
VALUES = st.sampled_from(["maglev", "rendezvous", "all", "auto", "67", "655373", "65537", "65521", "", "reports"])
PAIRS = st.tuples(st.sampled_from(SETTINGS), VALUES | st.integers(-1, 10**6).map(str) | st.floats(0, 100).map(str))


@st.composite
def specs(draw: st.DrawFn) -> str:
    pairs = draw(st.lists(PAIRS, max_size=3))
    name = draw(st.sampled_from([*_core.policies(), "hashed", "hashed", "least_load", "nothing"]))
    return name + ":" * bool(pairs) + ",".join(f"{key}={value}" for key, value in pairs)


@given(asked=st.lists(specs() | st.text(max_size=300), max_size=60))
def test_whatever_is_wished_an_engine_is_asked_for_few_policies_and_small_tables(asked: list[str]) -> None:
    subject, free = Wishes(fixed=False), set(map(str, map(_core.parse_policy, _core.policies())))
    taken: set[str] = set()
    for policy in asked:
        with contextlib.suppress(ValueError):
            taken.add(subject.read(policy, None) or "")
    others = taken - free - {"", "least_load:choices=all"}
    assert len(others) <= wishes.MAX_POLICIES
    for spec in others:
        settings = _core.parse_policy(spec)
        assert not isinstance(settings, _core.Hashed) or int(settings.table) <= 65537


def test_all_spellings_of_a_policy_are_one_wish() -> None:
    subject = Wishes(fixed=False)
    for choices in range(wishes.MAX_POLICIES):
        subject.read(f"least_load:choices={choices + 2}", None)
    for zeros in range(200):
        assert subject.read(f"least_load:choices={'0' * zeros}2", None) == "least_load:choices=2"
    with pytest.raises(ValueError, match=r"8 other policies have been asked for already, no room for '.*=30'"):
        subject.read("least_load:choices=30", None)
    for strategy in (messages.PICK_FIRST, messages.ROUND_ROBIN, messages.LEAST_LOAD):
        assert subject.read("", strategy) == wishes.STRATEGIES[strategy]
    assert subject.read("least_load:choices=all", None) == "least_load:choices=all"


def test_a_large_table_is_the_operators_alone() -> None:
    large = "hashed:kind=maglev,table=655373"
    with pytest.raises(ValueError, match=r"a request's table has up to 65537 entries: 'hashed:.*655373'"):
        Wishes(fixed=False).read(large, None)
    own = str(_core.parse_policy(large))
    assert Wishes(fixed=False, own=own).read(large, None) == own
