"""What balancers say becomes events: nothing twice, and nobody is dropped on the word of who has just begun."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lbsuite.channels.hearsay import Hearsay
from lbsuite.events import Balancers, Event, Joined, Left, Reported
from lbsuite.wire import messages

A, B, C = (f"127.0.0.1:{port}" for port in (1, 2, 3))


def refuse(error: ValueError) -> None:
    raise AssertionError(error)


def endpoint(address: str, state: int = messages.READY, load: int | None = None, **info: Any) -> messages.Endpoint:
    told = messages.Endpoint(info=messages.ServerInfo(address=address, **info), state=state)
    if load is not None:
        told.last_report.address, told.last_report.load, told.last_report.available = address, load, True
    return told


def update(*changed: messages.Endpoint | str, **fields: Any) -> messages.RosterUpdate:
    named = [endpoint(each) if isinstance(each, str) else each for each in changed]
    return messages.RosterUpdate(changed=named, **fields)


class Told:
    """Takes updates, and says of each what events came of it."""

    def __init__(self) -> None:
        self.junk: list[str] = []
        self.members: set[str] = set()
        self._hearsay = Hearsay(lambda error: self.junk.append(str(error)))

    def by(self, update: messages.RosterUpdate) -> list[Event]:
        events = list(self._hearsay.take(update))
        for event in events:
            match event:
                case Joined(address):
                    self.members.add(address)
                case Left(address):
                    self.members.remove(address)
        return events


def test_the_first_list_ends_with_the_balancers_even_none() -> None:
    assert Told().by(update(whole=True)) == [Balancers(frozenset())]
    assert Told().by(update(A, whole=True, balancers=[B])) == [Joined(A), Balancers(frozenset({B}))]


def test_nothing_is_told_twice_whoever_says_it() -> None:
    told = Told()
    said = update(endpoint(A, load=2, weight=3), B, whole=True, balancers=[C])
    assert told.by(said) == [Joined(A, weight=3), Reported(A, tasks=2), Joined(B), Balancers(frozenset({C}))]
    assert told.by(said) == []
    assert told.by(update(endpoint(A, load=3, weight=3), balancers=[C])) == [Reported(A, tasks=3)]
    assert told.by(update(endpoint(A, messages.DRAINING, load=3, weight=3), balancers=[C])) == [
        Joined(A, weight=3, draining=True)
    ]


def test_who_is_not_in_a_whole_list_has_left_and_those_who_came_are_told_first() -> None:
    told = Told()
    told.by(update(A, B, whole=True))
    assert told.by(update(C, whole=True)) == [Joined(C), Left(A), Left(B)]
    assert told.by(update(left=[C, B])) == [Left(C)]


def test_a_balancer_that_has_just_begun_drops_nobody_until_it_knows_everybody() -> None:
    told = Told()
    told.by(update(A, B, C, whole=True))
    assert told.by(update(whole=True, partial=True)) == []
    assert told.by(update(A, partial=True)) == []
    assert told.by(update(left=[C], partial=True)) == [Left(C)]  # what it says, it knows
    assert told.by(update()) == [Left(B)]
    assert told.members == {A}


def test_doubt_goes_with_the_balancer_that_raised_it() -> None:
    told = Told()
    told.by(update(A, B, whole=True))
    told.by(update(whole=True, partial=True))
    assert told.by(update(A, B, whole=True)) == []
    assert told.by(update()) == []


def test_who_leaves_and_returns_reports_anew() -> None:
    told = Told()
    told.by(update(endpoint(A, load=1), whole=True))
    told.by(update(left=[A]))
    assert told.by(update(endpoint(A, load=1))) == [Joined(A), Reported(A, tasks=1)]


def test_a_report_is_told_as_the_endpoint_made_it() -> None:
    said = endpoint(A)
    said.last_report.CopyFrom(
        messages.ServerLoad(
            load=4, limit=9, memory_bytes=5, cpu=0.5, begun=8, finished=7, busy_us=2_000_000, task_us=3_000_000
        )
    )
    said.last_report.by_balancer.add(balancer=1, failed=3, refused=1)
    *_, reported, _ = Told().by(update(said, whole=True))
    assert reported == Reported(A, 4, 9, 5, 0.5, available=False, finished=7, failed=2, busy_s=2.0, task_s=3.0)


def test_junk_is_left_out_and_the_rest_is_taken() -> None:
    told = Told()
    bad = [endpoint("nonsense"), endpoint(A, tier=10**6), endpoint(B, zone="a\nb"), endpoint(C, load=-1)]
    assert told.by(update(*bad, whole=True)) == [Joined(C), Balancers(frozenset())]
    assert len(told.junk) == 3


updates = st.lists(
    st.builds(
        lambda there, left, whole, partial: update(*sorted(there), left=sorted(left), whole=whole, partial=partial),
        st.sets(st.sampled_from([A, B, C])),
        st.sets(st.sampled_from([A, B, C])),
        st.booleans(),
        st.booleans(),
    )
)


@given(updates)
def test_whatever_was_said_before_a_whole_list_that_is_sure_is_the_list(before: list[messages.RosterUpdate]) -> None:
    told = Told()
    for each in before:
        told.by(each)
    told.by(update(A, C, whole=True))
    assert told.members == {A, C}
    assert told.by(update(A, C, whole=True)) == []
