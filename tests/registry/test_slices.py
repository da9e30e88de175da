"""What is known of a service when its slices are told in pieces."""

import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubernetes_api import Slice, endpoint, slice_of
from lbsuite.events import Balancers, Event, Joined, Left
from lbsuite.registry.slices import Slices

HOSTS = ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
conditions = st.fixed_dictionaries({}, optional={"ready": st.booleans(), "terminating": st.booleans()})
steps = st.lists(
    st.tuples(st.sampled_from("abc"), st.none() | st.dictionaries(st.sampled_from(HOSTS), conditions)), max_size=20
)


def named(name: str, slice_: Slice, version: int = 1) -> Slice:
    return slice_ | {"metadata": {"name": name, "resourceVersion": str(version)}}


def listing(*slices: Slice, version: int = 1) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": str(version)}, "items": list(slices)}


def refuse(error: ValueError) -> None:
    raise AssertionError(error)


def told_of(*slices: Slice, port: str = "grpc") -> dict[str, Joined]:
    """Who is a member, by one list of slices."""
    events = Slices(port, refuse).replace(listing(*(named(str(place), each) for place, each in enumerate(slices))))
    return {event.address: event for event in events if isinstance(event, Joined)}


def fold(events: Iterable[Event], members: dict[str, Joined]) -> None:
    for event in events:
        match event:
            case Joined():
                assert members.get(event.address) != event, "told of what did not change"
                members[event.address] = event
            case Left():
                del members[event.address]


@given(steps, st.sets(st.integers(0, 20)))
def test_what_is_known_is_what_is_there_however_the_story_is_cut(
    story: list[tuple[str, dict[str, dict[str, bool]] | None]], lists: set[int]
) -> None:
    slices, there = Slices("grpc", refuse), dict[str, Slice]()
    members: dict[str, Joined] = {}
    fold(slices.replace(listing()), members)
    for number, (name, hosts) in enumerate(story):
        gone = there.pop(name, None)
        if hosts is not None:
            told = slice_of(*(endpoint(host, **each) for host, each in hosts.items()))
            there[name] = named(name, told, number)
        change = {"type": "ADDED" if hosts is not None else "DELETED", "object": there.get(name, gone)}
        if number in lists:
            fold(slices.replace(listing(*there.values())), members)
        elif change["object"]:
            fold(slices.change(change), members)
    serving = {
        f"{each['addresses'][0]}:50051"
        for slice_ in there.values()
        for each in slice_["endpoints"]
        if each["conditions"].get("ready", True) or each["conditions"].get("terminating")
    }
    assert members.keys() == serving


def test_ready_joins_terminating_drains_and_the_rest_is_not_there() -> None:
    members = told_of(
        slice_of(
            endpoint("10.0.0.1", ready=True, serving=True, terminating=False, zone="eu-1a"),
            endpoint("10.0.0.2", ready=False, serving=True, terminating=True),
            endpoint("10.0.0.3", ready=False, serving=False, terminating=False),
            endpoint("10.0.0.4", ready=None, serving=None, terminating=None),
            endpoint("10.0.0.5"),
        )
    )
    assert list(members.values()) == [
        Joined("10.0.0.1:50051", zone="eu-1a"),
        Joined("10.0.0.2:50051", draining=True),
        Joined("10.0.0.4:50051"),
        Joined("10.0.0.5:50051"),
    ]


def test_slices_of_one_service_are_one_list_and_who_is_ready_in_one_of_them_is_ready() -> None:
    leaving = slice_of(endpoint("10.0.0.1", ready=False, terminating=True), endpoint("10.0.0.2"))
    staying = slice_of(endpoint("10.0.0.1"), endpoint("10.0.0.3"))
    for slices in ([leaving, staying], [staying, leaving]):
        members = told_of(*slices)
        assert sorted(members) == [f"10.0.0.{host}:50051" for host in (1, 2, 3)]
        assert not any(member.draining for member in members.values())


def test_an_endpoint_that_moves_between_slices_is_not_told_of() -> None:
    slices = Slices("grpc", refuse)
    list(slices.replace(listing(named("a", slice_of(endpoint("10.0.0.1"))))))
    assert not list(slices.change({"type": "ADDED", "object": named("b", slice_of(endpoint("10.0.0.1")))}))
    assert not list(slices.change({"type": "DELETED", "object": named("a", slice_of())}))


def test_who_comes_is_told_of_before_who_goes() -> None:
    slices = Slices("grpc", refuse)
    list(slices.replace(listing(named("a", slice_of(endpoint("10.0.0.1"))))))
    events = list(slices.change({"type": "MODIFIED", "object": named("a", slice_of(endpoint("10.0.0.2")))}))
    assert events == [Joined("10.0.0.2:50051"), Left("10.0.0.1:50051", meant=True)]


def test_a_port_is_found_by_number_and_by_name_in_each_slice_for_itself() -> None:
    old, new = slice_of(endpoint("10.0.0.1"), grpc=50051, http=80), slice_of(endpoint("10.0.0.2"), http=81, grpc=50052)
    assert list(told_of(old, new, port="grpc")) == ["10.0.0.1:50051", "10.0.0.2:50052"]
    assert list(told_of(old, new, port="http")) == ["10.0.0.1:80", "10.0.0.2:81"]
    assert list(told_of(old, port="80")) == ["10.0.0.1:80"]


def test_a_port_that_is_not_there_is_told_to_skip_with_those_that_are() -> None:
    junk: list[ValueError] = []
    udp = slice_of(endpoint("10.0.0.1"), http=80) | {"ports": [{"name": "grpc", "port": 53, "protocol": "UDP"}]}
    for slice_ in (slice_of(endpoint("10.0.0.1"), http=80), udp):
        events = list(Slices("grpc", junk.append).replace(listing(named("a", slice_))))
        assert events == [Balancers(frozenset())]
    assert [str(error) for error in junk] == [
        "slice 'a': no TCP port 'grpc' among 'http=80'",
        "slice 'a': no TCP port 'grpc' among 'grpc=53'",
    ]


def test_a_pod_of_two_families_is_one_endpoint() -> None:
    four, six = slice_of(endpoint("10.0.0.1")), slice_of(endpoint("fd00::1"), family="IPv6")
    assert list(told_of(six, four)) == ["10.0.0.1:50051"]
    assert list(told_of(six)) == ["[fd00::1]:50051"]
    assert list(told_of(six, slice_of())) == ["[fd00::1]:50051"]
    assert list(told_of(slice_of(endpoint("pod.example"), family="FQDN"))) == ["pod.example:50051"]


def test_the_version_is_that_of_the_last_list_change_or_bookmark() -> None:
    slices = Slices("grpc", refuse)
    list(slices.replace(listing(version=7)))
    assert slices.version == "7"
    list(slices.change({"type": "ADDED", "object": named("a", slice_of(), 9)}))
    assert slices.version == "9"
    list(slices.change({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "12"}}}))
    assert slices.version == "12"


JUNK: list[Any] = [
    {},
    {"type": "ADDED"},
    {"type": "ADDED", "object": None},
    {"type": "ADDED", "object": {"metadata": None}},
    {"type": "ADDED", "object": named("a", {})},
    {"type": "ADDED", "object": named("a", {"addressType": "IPX", "endpoints": []})},
    {"type": "MODIFIED", "object": named("a", slice_of() | {"endpoints": 3})},
    {"type": "MODIFIED", "object": named("a", slice_of(endpoint("10.0.0.9")) | {"ports": [3]})},
    {"type": "MODIFIED", "object": named("a", slice_of(endpoint("10.0.0.9")) | {"ports": None})},
]


@pytest.mark.parametrize("junk", JUNK, ids=str)
def test_a_slice_that_makes_no_sense_changes_nothing(junk: Any) -> None:
    skipped: list[ValueError] = []
    slices = Slices("grpc", skipped.append)
    list(slices.replace(listing(named("a", slice_of(endpoint("10.0.0.1"))))))
    assert not list(slices.change(junk))
    assert len(skipped) == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0", "fe80::1", "224.0.0.1", "a b", "", None, 5])
def test_an_endpoint_that_makes_no_sense_is_left_out(host: Any) -> None:
    skipped: list[ValueError] = []
    slices = Slices("grpc", skipped.append)
    mixed = slice_of(endpoint(host), endpoint("10.0.0.1", zone="\x1b[2J"), endpoint("10.0.0.2"), {"addresses": []})
    events = list(slices.replace(listing(named("a", mixed))))
    assert events == [Joined("10.0.0.2:50051"), Balancers(frozenset())]
    assert len(skipped) == 3
    assert all(str(error).isprintable() for error in skipped)


@pytest.mark.parametrize("junk", [{}, {"metadata": {}, "items": []}, {"metadata": {"resourceVersion": "2"}}])
def test_what_is_no_list_is_refused_and_nobody_leaves(junk: dict[str, Any]) -> None:
    slices = Slices("grpc", refuse)
    list(slices.replace(listing(named("a", slice_of(endpoint("10.0.0.1"))))))
    with pytest.raises(ValueError, match="not a list of EndpointSlices"):
        list(slices.replace(junk))
    assert slices.version == "1"
    assert not list(slices.replace(listing(named("a", slice_of(endpoint("10.0.0.1"))))))


def test_the_order_of_slices_and_endpoints_tells_nothing_new() -> None:
    slices = Slices("grpc", refuse)
    there = [named(name, slice_of(*map(endpoint, HOSTS))) for name in "abc"]
    list(slices.replace(listing(*there)))
    for each in there:
        random.shuffle(each["endpoints"])
    assert not list(slices.replace(listing(*reversed(there))))
