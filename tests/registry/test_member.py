import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsuite.registry.member import MAX_RECORD_BYTES, Member, parse_key, prefix

ADDRESS = "127.0.0.1:4001"
whole = st.integers(0, 2**31 - 1)
members = st.builds(
    Member,
    address=st.sampled_from([ADDRESS, "[::1]:1", "backend-7.example:65535"]),
    weight=st.integers(1, 2**31 - 1),
    zone=st.text(max_size=20).filter(str.isprintable),
    limit=whole,
    state=st.sampled_from(["ready", "draining"]),
    load=whole,
    available=st.booleans(),
    id=st.integers(0, 2**64 - 1),
    tier=st.integers(0, 1000),
)


@given(members)
def test_a_record_reads_back_as_it_was_written(member: Member) -> None:
    assert Member.from_json(member.to_json()) == member


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text(), st.lists).map(lambda value: json.dumps(value).encode())
)
def test_junk_is_a_value_error_and_nothing_else(record: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Member.from_json(record)


@given(
    members,
    st.sampled_from(["v", "address", "weight", "zone", "limit", "state", "load", "available", "id", "tier"]),
    st.sampled_from([None, -1, 1.5, [], {}, "\ud800", 2**70]),
)
def test_a_field_of_the_wrong_kind_or_out_of_range_is_a_value_error(member: Member, name: str, value: object) -> None:
    fields = json.loads(member.to_json()) | {name: value}
    with pytest.raises(ValueError, match=r"."):
        Member.from_json(json.dumps(fields).encode())


def test_a_record_has_the_fields_that_others_rely_on() -> None:
    assert json.loads(Member(ADDRESS, weight=2, zone="a", limit=10, load=3, id=7).to_json()) == {
        "v": 1, "address": ADDRESS, "weight": 2, "zone": "a", "limit": 10, "state": "ready", "load": 3,
        "available": True, "id": 7, "tier": 0,
    }  # fmt: skip


def test_what_a_record_leaves_out_has_its_default_and_what_it_adds_is_ignored() -> None:
    record = json.dumps({"v": 1, "address": ADDRESS, "colour": "blue"}).encode()
    assert Member.from_json(record) == Member(ADDRESS)


@pytest.mark.parametrize("record", [b"[" * 4000, b'{"v":1,"address":"127.0.0.1:1","zone":"' + b"a" * MAX_RECORD_BYTES])
def test_a_record_nested_too_deeply_or_too_long_is_a_value_error(record: bytes) -> None:
    with pytest.raises(ValueError, match=r"nested too deeply|above 4096"):
        Member.from_json(record)


def test_keys_tell_role_and_address() -> None:
    assert parse_key("default", b"/lbsuite/default/endpoints/127.0.0.1:4001") == ("endpoints", ADDRESS)
    assert parse_key("default", b"/lbsuite/default/balancers/[::1]:50050") == ("balancers", "[::1]:50050")


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"/lbsuite/default/",
        b"/lbsuite/default/endpoints/",
        b"/lbsuite/default/endpoints/x",
        b"/lbsuite/default/endpoints/../balancers/127.0.0.1:1",
        b"/lbsuite/default/endpoints/127.0.0.1:1\n",
        b"/lbsuite/default/endpoints/\xff:1",
        b"/lbsuite/other/endpoints/127.0.0.1:1",
    ],
)
def test_other_keys_tell_nothing(key: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_key("default", key)


@pytest.mark.parametrize("service", ["", "a/b", "a b", "ä", "x" * 65, "a\n"])
def test_a_service_that_cannot_be_part_of_a_key_is_refused(service: str) -> None:
    with pytest.raises(ValueError, match="not a service name"):
        prefix(service)


def test_an_endpoint_is_told_as_joined_in_the_order_of_its_key() -> None:
    joined = Member(ADDRESS, weight=2, zone="a", limit=10, state="draining", load=3, available=False, tier=2).joined(
        order=17
    )
    assert (joined.address, joined.order, joined.weight, joined.zone) == (ADDRESS, 17, 2, "a")
    assert (joined.limit, joined.draining, joined.load, joined.available, joined.tier) == (10, True, 3, False, 2)
