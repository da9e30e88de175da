"""A registration is there while its process is, whatever becomes of etcd."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest

from lbsuite.events import Joined
from lbsuite.fleet import EtcdServer
from lbsuite.registry import grpc_go
from lbsuite.registry.etcd import EtcdSource
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import Member, prefix
from lbsuite.registry.registration import FLEET_UPDATES, MOST_UPDATE_S, Registration
from lbsuite.registry.source import Source
from listener import Listener
from waiting import eventually

ADDRESS = "127.0.0.1:4001"
KEY = prefix("default", "endpoints") + ADDRESS.encode()
Listen = Callable[[Source], Listener]


@pytest.fixture
async def source(client: EtcdClient, service: str) -> AsyncIterator[EtcdSource]:
    """The members of `service` in the shared etcd."""
    source = EtcdSource(client, service)
    yield source
    await source.close()


@pytest.fixture
async def own_source(own_client: EtcdClient) -> AsyncIterator[EtcdSource]:
    """The members of `default` in an etcd of the test's own."""
    source = EtcdSource(own_client)
    yield source
    await source.close()


async def test_a_member_is_there_from_its_registration_to_its_end(
    client: EtcdClient, service: str, source: EtcdSource, listen: Listen
) -> None:
    listener = listen(source)
    registration = Registration(client, Member(ADDRESS, zone="a"), service=service, ttl_s=2)
    picking = Registration(client, Member("127.0.0.1:50050", id=7), service=service, role="balancers", ttl_s=2)
    await listener.until(lambda heard: bool(heard.members) and bool(heard.balancers))
    assert listener.members[ADDRESS].zone == "a"
    assert listener.balancers == {"127.0.0.1:50050"}
    await registration.close()
    await picking.close()
    await listener.until(lambda heard: not heard.members and not heard.balancers)
    assert not registration.registered.is_set()


async def test_a_member_outlives_its_time_to_live_while_it_is_kept(
    client: EtcdClient, service: str, source: EtcdSource, listen: Listen
) -> None:
    listener = listen(source)
    registration = Registration(client, Member(ADDRESS), service=service, ttl_s=2)
    lease, _ = await client.grant(2)
    await client.put(prefix(service, "endpoints") + b"127.0.0.1:4999", Member("127.0.0.1:4999").to_json(), lease)
    await listener.until(lambda heard: len(heard.members) == 2)
    await listener.until(lambda heard: len(heard.members) == 1)  # The one that nobody keeps.
    assert list(listener.members) == [ADDRESS]
    await registration.close()


async def test_load_is_written_at_most_once_in_its_time_and_the_last_word_counts(
    client: EtcdClient, service: str, source: EtcdSource, listen: Listen
) -> None:
    listener = listen(source)
    began = time.monotonic()
    registration = Registration(client, Member(ADDRESS), service=service, update_s=0.5)
    await listener.until(lambda heard: bool(heard.members))
    for load in range(1, 101):
        registration.update(Member(ADDRESS, load=load))
        await asyncio.sleep(0)
    await listener.until(lambda heard: heard.members[ADDRESS].load == 100)
    written = [event for event in listener.heard if isinstance(event, Joined)]
    assert 2 <= len(written) <= 2 + (time.monotonic() - began) / 0.5
    await registration.close()


async def test_draining_is_written_at_once(
    client: EtcdClient, service: str, source: EtcdSource, listen: Listen
) -> None:
    listener = listen(source)
    registration = Registration(client, Member(ADDRESS), service=service, update_s=3600)
    await registration.registered.wait()
    registration.update(Member(ADDRESS, load=1))
    registration.update(Member(ADDRESS, load=1, state="draining"))
    await listener.until(lambda heard: bool(heard.members) and heard.members[ADDRESS].draining)
    await registration.close()


async def test_registrations_come_back_when_etcd_was_wiped(
    own_etcd: EtcdServer, own_client: EtcdClient, own_source: EtcdSource, listen: Listen
) -> None:
    listener = listen(own_source)
    addresses = [f"127.0.0.1:{port}" for port in range(4001, 4006)]
    registrations = [Registration(own_client, Member(address), ttl_s=2) for address in addresses]
    await listener.until(lambda heard: len(heard.members) == len(addresses))
    await own_etcd.restart(wipe=True)
    clean = EtcdClient(EtcdSettings((own_etcd.address,)))

    async def all_back() -> bool:
        return (await clean.range(prefix("default"), prefix=True, count_only=True)).count == len(addresses)

    await eventually(all_back)
    await listener.until(lambda heard: len(heard.members) == len(addresses))
    await asyncio.gather(*(registration.close() for registration in registrations))
    await listener.until(lambda heard: not heard.members)
    await clean.close()


async def test_a_key_that_was_deleted_or_spoilt_is_written_again(own_client: EtcdClient) -> None:
    registration = Registration(own_client, Member(ADDRESS), ttl_s=2)
    await registration.registered.wait()
    (pair,) = (await own_client.range(KEY)).kvs

    async def as_it_was() -> bool:
        return [each.value for each in (await own_client.range(KEY)).kvs] == [Member(ADDRESS).to_json()]

    for spoil in (own_client.delete(KEY), own_client.put(KEY, b"junk", pair.lease)):
        await spoil
        await eventually(as_it_was)
    await registration.close()


async def test_of_the_keys_of_two_layouts_each_is_repaired_and_go_is_told_of_nobody_who_drains(
    client: EtcdClient, service: str
) -> None:
    ours, theirs = prefix(service, "endpoints") + ADDRESS.encode(), f"{service}/{ADDRESS}".encode()
    wanted = {ours: Member(ADDRESS).to_json(), theirs: grpc_go.record(Member(ADDRESS))}

    async def stored() -> dict[bytes, bytes]:
        found = [*(await client.range(ours)).kvs, *(await client.range(theirs)).kvs]
        return {pair.key: pair.value for pair in found}

    async def as_wanted() -> bool:
        return await stored() == wanted

    registration = Registration(client, Member(ADDRESS), service=service, ttl_s=2, layout="both")
    await registration.registered.wait()
    assert await as_wanted()
    (pair,) = (await client.range(theirs)).kvs
    for spoil in (client.delete(theirs), client.put(theirs, b"junk", pair.lease), client.delete(ours)):
        await spoil
        await eventually(as_wanted)
    draining = Member(ADDRESS, state="draining")
    registration.update(draining)
    wanted = {ours: draining.to_json()}
    await eventually(as_wanted)
    registration.update(Member(ADDRESS))
    wanted = {ours: Member(ADDRESS).to_json(), theirs: grpc_go.record(Member(ADDRESS))}
    await eventually(as_wanted)
    await registration.close()
    assert await stored() == {}


async def test_a_later_process_at_the_same_address_keeps_the_key(client: EtcdClient, service: str) -> None:
    key = prefix(service, "endpoints") + ADDRESS.encode()
    earlier = Registration(client, Member(ADDRESS, id=1), service=service, ttl_s=2)
    await earlier.registered.wait()
    later = Registration(client, Member(ADDRESS, id=2), service=service, ttl_s=2)
    await later.registered.wait()
    await earlier.close()
    assert [Member.from_json(pair.value).id for pair in (await client.range(key)).kvs] == [2]
    await later.close()
    assert not (await client.range(key)).kvs


async def test_etcd_being_away_is_said_once_and_never_raised(
    own_etcd: EtcdServer, own_client: EtcdClient, caplog: pytest.LogCaptureFixture
) -> None:
    await own_etcd.kill()
    registration = Registration(own_client, Member(ADDRESS), ttl_s=2)
    await eventually(lambda: bool(caplog.records))
    registration.update(Member(ADDRESS, load=1))
    await own_etcd.restart()
    await asyncio.wait_for(registration.registered.wait(), 10)
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert Member.from_json((await own_client.range(KEY)).kvs[0].value).load == 1
    await registration.close()


async def test_closing_does_not_wait_for_an_etcd_that_is_away(own_etcd: EtcdServer, own_client: EtcdClient) -> None:
    registration = Registration(own_client, Member(ADDRESS), ttl_s=2)
    await registration.registered.wait()
    own_etcd.pause()
    await asyncio.wait_for(registration.close(deadline_s=0.2), 5)
    own_etcd.resume()


async def test_many_endpoints_write_their_load_more_rarely(client: EtcdClient, service: str) -> None:
    start = prefix(service, "endpoints")
    for port in range(int(MOST_UPDATE_S * FLEET_UPDATES)):
        await client.put(start + f"127.0.0.1:{5000 + port}".encode(), b"")
    registration = Registration(client, Member(ADDRESS), service=service, ttl_s=2, update_s=0.01)
    await eventually(lambda: registration.update_s == MOST_UPDATE_S)
    await registration.close()


@pytest.mark.parametrize("ttl_s", [0, -1, float("nan"), float("inf")])
async def test_a_time_to_live_that_is_none_is_refused(client: EtcdClient, ttl_s: float) -> None:
    with pytest.raises(ValueError, match="ttl_s"):
        Registration(client, Member(ADDRESS), ttl_s=ttl_s)


async def test_a_registration_keeps_its_address(client: EtcdClient, service: str) -> None:
    registration = Registration(client, Member(ADDRESS), service=service)
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:4002"):
        registration.update(Member("127.0.0.1:4002"))
    await registration.close()
