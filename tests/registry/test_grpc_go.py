"""What is known of the endpoints that Go programs have named in etcd."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsuite.events import Balancers, Event, Joined, Left
from lbsuite.registry import etcd_messages as messages
from lbsuite.registry import grpc_go, layouts
from lbsuite.registry.grpc_go import GrpcGoKeys
from lbsuite.registry.member import Member

ONE, TWO = "10.0.0.1:80", "10.0.0.2:80"
steps = st.lists(st.tuples(st.sampled_from("abcd"), st.none() | st.sampled_from([ONE, TWO, "junk"])), max_size=20)


def pair(name: str, value: bytes, revision: int = 1) -> messages.KeyValue:
    return messages.KeyValue(key=f"web/{name}".encode(), value=value, create_revision=revision)


def named(name: str, address: str, revision: int = 1) -> messages.KeyValue:
    return pair(name, b'{"Op":0,"Addr":"%s","Metadata":null}' % address.encode(), revision)


def refuse(error: ValueError) -> None:
    raise AssertionError(error)


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
    story: list[tuple[str, str | None]], lists: set[int]
) -> None:
    """Junk is no news, so what was there before it counts."""
    keys, stored = GrpcGoKeys(lambda _: None), dict[bytes, messages.KeyValue]()
    sensible: dict[bytes, str] = {}
    members: dict[str, Joined] = {}
    fold(keys.replace([]), members)
    for number, (name, address) in enumerate(story):
        written = named(name, address or "")
        stored.pop(written.key, None)
        if address is None:
            sensible.pop(written.key, None)
            events = keys.delete(written.key)
        else:
            stored[written.key] = written
            if address != "junk":
                sensible[written.key] = address
            events = keys.put(written)
        fold(events, members)
        if number in lists:
            fold(keys.replace(stored.values()), members)
        assert members.keys() == set(sensible.values())


def test_the_first_list_is_told_in_order_of_joining_and_ends_with_the_balancers() -> None:
    events = GrpcGoKeys(refuse).replace([named("a", ONE, 9), named("b", TWO, 4), named("c", TWO, 12)])
    assert events == [Joined(TWO, 4), Joined(ONE, 9), Balancers(frozenset())]


def test_an_address_that_two_keys_name_leaves_with_the_last_of_them() -> None:
    keys = GrpcGoKeys(refuse)
    keys.replace([named("a", ONE, 1), named("b", ONE, 2)])
    assert keys.delete(b"web/a") == [Joined(ONE, 2)]
    assert keys.delete(b"web/b") == [Left(ONE)]


@pytest.mark.parametrize(
    "value",
    [
        b'{"Op":0,"Addr":"10.0.0.1:80","Metadata":{"weight":3}}',
        b'{"Op":0,"Addr":"10.0.0.1:80","Metadata":"text"}',
        b'{"addr":"10.0.0.1:80"}',
        b'{"Op":1,"Addr":"10.0.0.1:80"}',
    ],
)
def test_what_go_takes_for_an_endpoint_is_one(value: bytes) -> None:
    assert GrpcGoKeys(refuse).put(pair("x", value))[0] == Joined(ONE, 1)


@pytest.mark.parametrize(
    "value",
    [b"", b"\xff", b"3", b"{}", b'{"Addr":3}', b'{"Addr":"unix:/x"}', b"[" * 100_000, b'"' + b"x" * 5000 + b'"'],
)
def test_junk_is_told_to_skip_and_changes_nothing(value: bytes) -> None:
    junk: list[ValueError] = []
    keys = GrpcGoKeys(junk.append)
    keys.replace([named("a", ONE)])
    assert keys.put(pair("a", value)) == []
    assert keys.replace([pair("a", value)]) == []
    assert len(junk) == 2
    assert all(str(error).isprintable() for error in junk)


@pytest.mark.parametrize("service", ["web", "shop/web", "/services/shop/web"])
def test_a_service_may_be_a_path(service: str) -> None:
    assert grpc_go.prefix(service) == f"{service}/".encode()


@pytest.mark.parametrize("service", ["", "/", "a//b", "a/", "a b", "a\n", "/".join("a" * 10)])
def test_what_is_no_name_is_refused(service: str) -> None:
    with pytest.raises(ValueError, match="not a service name of grpc-go's"):
        grpc_go.prefix(service)


def test_each_layout_has_its_keys_and_who_drains_has_none_for_go() -> None:
    ready, draining = Member(ONE), Member(ONE, state="draining")
    ours, theirs = b"/lbsuite/web/endpoints/10.0.0.1:80", b"web/10.0.0.1:80"
    go = b'{"Op":0,"Addr":"10.0.0.1:80","Metadata":null}'
    assert layouts.records("lbsuite", "web", "endpoints", ready) == {ours: ready.to_json()}
    assert layouts.records("grpc-go", "web", "endpoints", ready) == {theirs: go}
    assert layouts.records("both", "web", "endpoints", ready) == {ours: ready.to_json(), theirs: go}
    assert layouts.records("both", "web", "endpoints", draining) == {ours: draining.to_json()}
    assert layouts.records("grpc-go", "web", "endpoints", draining) == {}
    assert layouts.records("both", "web", "balancers", ready).keys() == {b"/lbsuite/web/balancers/10.0.0.1:80"}
