"""Several sources as one."""

from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsuite.events import Balancers, Contact, Event, Joined, Left, Reported
from lbsuite.registry.joint import Joint, Union
from lbsuite.registry.memory import Memory
from lbsuite.registry.source import Source
from listener import Listener

Listen = Callable[[Source], Listener]
ONE, TWO, THREE = "127.0.0.1:4001", "127.0.0.1:4002", "127.0.0.1:4003"
places, addresses = st.integers(0, 2), st.sampled_from([ONE, TWO, THREE])


@pytest.fixture
async def parts() -> tuple[Memory, Memory]:
    return Memory(), Memory()


@pytest.fixture
async def joint(parts: tuple[Memory, Memory]) -> AsyncIterator[Joint]:
    joint = Joint(*parts)
    yield joint
    await joint.close()


async def test_an_endpoint_is_there_while_any_tells_of_it_and_is_what_the_first_says(
    parts: tuple[Memory, Memory], joint: Joint, listen: Listen
) -> None:
    first, second = parts
    second.join(Joined(ONE, weight=2))
    second.join(Joined(TWO, weight=2))
    listener = listen(joint)
    await listener.until(lambda heard: heard.balancers is not None)
    assert sorted(listener.members) == [ONE, TWO]
    first.join(Joined(ONE, weight=1))
    await listener.until(lambda heard: heard.members[ONE].weight == 1)
    first.leave(ONE)
    await listener.until(lambda heard: heard.members[ONE].weight == 2)
    second.leave(ONE)
    await listener.until(lambda heard: list(heard.members) == [TWO])


async def test_balancers_are_those_of_all(parts: tuple[Memory, Memory], joint: Joint, listen: Listen) -> None:
    listener = listen(joint)
    parts[0].set_balancers([ONE])
    parts[1].set_balancers([TWO])
    await listener.until(lambda heard: heard.balancers == {ONE, TWO})


@given(st.lists(st.tuples(places, addresses, st.none() | st.integers(1, 2)), max_size=30))
def test_whatever_each_says_the_union_is_told(story: list[tuple[int, str, int | None]]) -> None:
    told: list[Event] = []
    union, members = Union(told.append, 3), [dict[str, Joined]() for _ in range(3)]
    for place, address, weight in story:
        if weight is None:
            if members[place].pop(address, None):
                union.take(place, Left(address))
        else:
            members[place][address] = Joined(address, weight=weight)
            union.take(place, members[place][address])
    known: dict[str, Joined] = {}
    for event in told:
        if isinstance(event, Joined):
            assert known.get(event.address) != event, "told of what did not change"
            known[event.address] = event
        elif isinstance(event, Left):
            del known[event.address]
    assert known == members[2] | members[1] | members[0]


def test_the_first_list_is_complete_when_all_are() -> None:
    told: list[Event] = []
    union = Union(told.append, 2)
    union.take(0, Balancers(frozenset({ONE})))
    assert told == []
    union.take(1, Balancers(frozenset()))
    union.take(1, Balancers(frozenset({ONE})))
    assert told == [Balancers(frozenset({ONE}))]


def test_contact_is_lost_with_the_first_and_back_with_the_last() -> None:
    told: list[Event] = []
    union = Union(told.append, 2)
    for place, contact in ((0, Contact(False, "x")), (1, Contact(False, "y")), (0, Contact(True)), (1, Contact(True))):
        union.take(place, contact)
    assert told == [Contact(False, "x"), Contact(True)]


def test_loads_pass_through() -> None:
    told: list[Event] = []
    Union(told.append, 2).take(1, Reported(ONE, tasks=3))
    assert told == [Reported(ONE, tasks=3)]
