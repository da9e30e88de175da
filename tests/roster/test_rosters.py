"""What a roster shows of who is up, whichever way pickers and the writer share it."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsuite import _core

ADDRESSES = [f"127.0.0.1:{port}" for port in range(4001, 4026)]
EVERY_ROSTER = pytest.mark.parametrize("roster", _core.rosters())

Change = tuple[str, int]
CHANGES = st.lists(
    st.tuples(st.sampled_from(["join", "leave", "lost", "reached", "drain", "busy", "free"]), st.integers(0, 7)),
    max_size=40,
)


def engine(roster: str, members: int = len(ADDRESSES)) -> _core.Engine:
    engine = _core.Engine("round_robin", roster)
    for address in ADDRESSES[:members]:
        engine.join(address, 0.0)
    return engine


def change(engine: _core.Engine, what: str, which: int) -> None:
    if what in ("busy", "free"):
        engine.report(ADDRESSES[which], 0.0, available=what == "free")
    else:
        getattr(engine, what)(ADDRESSES[which], 0.0)


def test_there_are_four_and_snapshot_is_the_default() -> None:
    assert _core.rosters() == ["locked", "atomic", "split", "snapshot"]
    assert _core.log_settings(_core.record(_core.Engine()).lines[0])["roster"] == "snapshot"


@settings(max_examples=100, deadline=None)
@given(changes=CHANGES)
def test_all_show_the_same_after_whatever_has_happened(changes: list[Change]) -> None:
    engines = [engine(roster, 4) for roster in _core.rosters()]
    for what, which in changes:
        for each in engines:
            change(each, what, which)
        ready = [each.ready(0.0) for each in engines]
        assert ready.count(ready[0]) == len(engines)
        assert len({each.why(0.0) for each in engines}) == 1
        assert all({each.pick_address(0.0) for _ in range(8)} == set(ready[0] or [None]) for each in engines)


@settings(max_examples=100, deadline=None)
@given(changes=CHANGES)
def test_those_that_list_only_who_is_up_give_the_same_picks_to_one_picker(changes: list[Change]) -> None:
    engines = [engine(roster, 4) for roster in ("snapshot", "locked", "split")]
    for what, which in changes:
        for each in engines:
            change(each, what, which)
        assert len({each.pick_address(0.0) for each in engines}) == 1


@pytest.mark.parametrize("down", [set(), set(range(1, 25, 2)), set(range(12))], ids=["none", "alternating", "in a run"])
@EVERY_ROSTER
def test_who_is_down_leaves_its_share_to_all_and_not_to_its_neighbour(roster: str, down: set[int]) -> None:
    subject = engine(roster)
    for i in down:
        subject.lost(ADDRESSES[i], 0.0)
    counts = Counter(subject.pick_address(0.0) for _ in range(997))
    assert set(counts) == {address for i, address in enumerate(ADDRESSES) if i not in down}
    assert max(counts.values()) - min(counts.values()) <= 1


@EVERY_ROSTER
def test_the_only_one_that_is_up_is_always_found(roster: str) -> None:
    subject = engine(roster)
    for up in (0, 12, 24):
        for i, address in enumerate(ADDRESSES):
            (subject.reached if i == up else subject.lost)(address, 0.0)
        assert {subject.pick_address(0.0) for _ in range(100)} == {ADDRESSES[up]}


@EVERY_ROSTER
def test_one_that_leaves_while_others_are_down_is_gone(roster: str) -> None:
    subject = engine(roster, 3)
    subject.lost(ADDRESSES[1], 0.0)
    pick = subject.pick(0.0)
    subject.leave(pick.endpoint, 0.0)
    subject.done(pick, 1.0)
    (left,) = set(ADDRESSES[:3]) - {ADDRESSES[1], pick.endpoint}
    assert {subject.pick_address(1.0) for _ in range(9)} == {left}
    assert [e.address for e in subject.endpoints(1.0)] == [
        address for address in ADDRESSES[:3] if address != pick.endpoint
    ]
