"""Rosters become resources."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from xds_fleet import Serving, backends, caller

from lbsuite.wire import balancer as balancing
from lbsuite.wire.messages import ServerInfo
from lbsuite.wire.refusal import Refused
from lbsuite.xds import feed, hosts, messages
from lbsuite.xds.catalog import CLUSTER, ENDPOINTS, LISTENER, ROUTE, Catalog
from lbsuite.xds.settings import XdsSettings
from waiting import eventually

A = "127.0.0.1:1"


@asynccontextmanager
async def feeding() -> AsyncIterator[tuple[Serving, Catalog]]:
    serving, told = Serving(), Catalog()
    fed = feed.Feed(serving.balancer, told, XdsSettings())
    try:
        yield serving, told
    finally:
        fed.close()
        await serving.balancer.close()


def places(told: Catalog, service: str = "default") -> list[tuple[str, int]]:
    assignment = messages.ClusterLoadAssignment.FromString(told[ENDPOINTS][service].packed.value)
    sockets = [
        endpoint.endpoint.address.socket_address
        for locality in assignment.endpoints
        for endpoint in locality.lb_endpoints
    ]
    return [(socket.address, socket.port_value) for socket in sockets]


async def test_the_balancers_own_service_is_there_from_the_start() -> None:
    async with feeding() as (_, told):
        assert all("default" in told[type_url] for type_url in (LISTENER, ROUTE, CLUSTER, ENDPOINTS))
        assert places(told) == []


async def test_a_service_that_ends_is_told_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balancing, "MAX_SERVICES", 2)
    async with feeding() as (serving, told):
        await serving.register_at(A, service="one")
        await eventually(lambda: "one" in told[CLUSTER])
        await serving.balancer.Deregister(ServerInfo(address=A, service="one"), None)
        await serving.register_at(A, service="two")
        await eventually(lambda: "two" in told[CLUSTER])
        for type_url in (LISTENER, ROUTE, CLUSTER, ENDPOINTS):
            assert "one" not in told[type_url]


async def test_a_changed_weight_is_told_within_a_second_or_two() -> None:
    async with feeding() as (serving, told):
        await serving.register_at(A)
        await eventually(lambda: places(told) == [("127.0.0.1", 1)])
        before = told[ENDPOINTS]["default"].version
        await serving.register_at(A, weight=7)
        await eventually(lambda: told[ENDPOINTS]["default"].version != before)


async def test_listeners_of_changes_hear_of_them_once_and_of_nothing_else() -> None:
    heard = []
    async with feeding() as (serving, told):
        told.changed.add(lambda: heard.append(places(told)))
        await serving.register_at(A)
        await eventually(lambda: bool(heard))
        for load in range(50):
            await serving.report(A, load)
    assert heard == [[("127.0.0.1", 1)]]


async def test_names_stand_for_what_they_resolve_to_and_for_nothing_where_that_is_not_allowed() -> None:
    answers: list[list[str] | Refused] = [
        ["ipv4:127.0.0.1:80"],
        Refused(grpc.StatusCode.UNAVAILABLE, "no answer"),
        ["ipv6:[::1]:80"],
        Refused(grpc.StatusCode.PERMISSION_DENIED, "outside"),
    ]

    async def targets(address: str) -> list[str]:
        answer = answers.pop(0)
        if isinstance(answer, Refused):
            raise answer
        return answer

    moved = []
    known = hosts.Hosts(targets, lambda: moved.append(known._known.get("name:80")))
    for expected in (("127.0.0.1", 80), ("127.0.0.1", 80), ("::1", 80), None):
        known._due_s.clear()
        known.place("name:80")
        await eventually(lambda: not known._asking)
        assert known.place("name:80") == expected
    assert moved == [("127.0.0.1", 80), ("::1", 80), None]
    assert known.place("[::1]:5") == ("::1", 5)


async def test_a_client_that_is_killed_leaves_no_trace(caplog: pytest.LogCaptureFixture) -> None:
    async with backends(None) as fleet, Serving() as serving:
        await serving.register(*fleet)
        async with caller(serving.door.address) as client:
            await client.call(1)
            assert len(serving.door.clients) == 1
        await eventually(serving.nobody_follows)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
