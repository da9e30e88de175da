"""What an etcd source tells while etcd dies, comes back, forgets, or holds nonsense."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from lbsuite.errors import Unreachable
from lbsuite.events import Contact, Left
from lbsuite.fleet import EtcdServer
from lbsuite.registry.etcd import EtcdSource, balancers
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_messages import WatchResponse
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import Member, prefix
from lbsuite.registry.source import Source
from listener import Listener
from waiting import eventually

ADDRESSES = [f"127.0.0.1:{port}" for port in range(4001, 4006)]
Listen = Callable[[Source], Listener]
AskGateway = Callable[..., dict[str, object]]


async def patiently(call: Callable[[], Awaitable[object]]) -> None:
    """Calls until etcd answers: a channel may still refuse for a moment after etcd has come back."""

    async def answered() -> bool:
        with suppress(Unreachable):
            await call()
            return True
        return False

    await eventually(answered)


async def write(client: EtcdClient, member: Member, service: str = "default") -> None:
    key = prefix(service, "endpoints") + member.address.encode()
    await patiently(lambda: client.put(key, member.to_json()))


async def erase(client: EtcdClient, address: str) -> None:
    key = prefix("default", "endpoints") + address.encode()
    await patiently(lambda: client.delete(key))


@pytest.fixture
async def source(own_client: EtcdClient) -> AsyncIterator[EtcdSource]:
    """The members of `default` in an etcd of the test's own, where ADDRESSES have joined."""
    for address in ADDRESSES:
        await write(own_client, Member(address))
    source = EtcdSource(own_client)
    yield source
    await source.close()


@pytest.fixture
async def listener(source: EtcdSource, listen: Listen) -> Listener:
    """Has heard of all ADDRESSES."""
    listener = listen(source)
    await listener.until(lambda heard: heard.balancers is not None)
    assert list(listener.members) == ADDRESSES
    return listener


async def test_an_etcd_that_dies_and_comes_back_is_followed_on_and_nobody_left_meanwhile(
    own_etcd: EtcdServer, own_client: EtcdClient, listener: Listener
) -> None:
    heard_before = len(listener.heard)
    await own_etcd.kill()
    await listener.until(lambda heard: len(heard.heard) > heard_before)
    await own_etcd.restart()
    await write(own_client, Member(ADDRESSES[0], load=7))
    await listener.until(lambda heard: Contact(True) in heard.heard and heard.members[ADDRESSES[0]].load == 7)
    lost, *rest = listener.heard[heard_before:]
    assert isinstance(lost, Contact)
    assert not lost.up
    assert own_etcd.address in lost.why
    assert sorted(type(event).__name__ for event in rest) == ["Contact", "Joined"], "told of what did not change"


async def test_nothing_that_changed_while_etcd_could_not_be_heard_is_missed(
    own_etcd: EtcdServer, own_client: EtcdClient, source: EtcdSource, listener: Listener, listen: Listen
) -> None:
    """Changes made on one side of many restarts, each with the watch cut; both listeners know all in the end."""
    for life in range(3):
        await own_etcd.restart()
        await erase(own_client, ADDRESSES[life])
        await write(own_client, Member(f"127.0.0.1:{5000 + life}"))
    there = {*ADDRESSES[3:], *(f"127.0.0.1:{5000 + life}" for life in range(3))}
    for each in (listener, listen(source)):
        await each.until(lambda heard: set(heard.members) == there)


async def test_a_wiped_etcd_is_believed_even_when_its_revision_has_overtaken_what_was_known(
    own_etcd: EtcdServer, own_client: EtcdClient, listener: Listener
) -> None:
    await own_etcd.restart(wipe=True)
    for _ in range(20):
        await write(own_client, Member(ADDRESSES[2], load=1))
    await write(own_client, Member("127.0.0.1:5000"))
    await listener.until(lambda heard: set(heard.members) == {ADDRESSES[2], "127.0.0.1:5000"})


async def test_a_wiped_and_empty_etcd_is_told_as_everybody_leaving(own_etcd: EtcdServer, listener: Listener) -> None:
    await own_etcd.restart(wipe=True)
    await listener.until(lambda heard: not heard.members)
    assert {event.address for event in listener.heard if isinstance(event, Left)} == set(ADDRESSES)


async def test_a_compaction_during_an_absence_is_no_matter(
    own_etcd: EtcdServer, own_client: EtcdClient, listener: Listener, ask_gateway: AskGateway
) -> None:
    writer = EtcdClient(own_client.settings)
    await own_etcd.restart()
    for load in range(10):
        await write(writer, Member(ADDRESSES[0], load=load))
    await erase(writer, ADDRESSES[1])
    revision = (await writer.range(b"/")).header.revision
    ask_gateway(own_etcd, "kv/compaction", revision=revision, physical=True)
    await writer.close()
    await listener.until(lambda heard: list(heard.members) == [ADDRESSES[0], *ADDRESSES[2:]])
    await listener.until(lambda heard: heard.members[ADDRESSES[0]].load == 9)


async def test_a_watch_from_a_compacted_revision_says_so(
    own_etcd: EtcdServer, own_client: EtcdClient, ask_gateway: AskGateway
) -> None:
    for load in range(5):
        await write(own_client, Member(ADDRESSES[0], load=load))
    ask_gateway(own_etcd, "kv/compaction", revision=5, physical=True)
    answers = own_client.watch(prefix("default"), 2)
    told = [await anext(answers), await anext(answers)]
    assert told[-1].canceled
    assert told[-1].compact_revision == 5
    await answers.aclose()


class Early(EtcdClient):
    """Its first watch begins at revision 1, as if a compaction had come between the snapshot and the watch."""

    watches = 0

    def watch(self, prefix: bytes, start_revision: int, quiet_s: float = 2.0) -> AsyncGenerator[WatchResponse, None]:
        self.watches += 1
        return super().watch(prefix, start_revision if self.watches > 1 else 1, quiet_s)


async def test_a_watch_that_etcd_refuses_as_compacted_is_taken_up_from_a_new_snapshot(
    own_etcd: EtcdServer, ask_gateway: AskGateway, listen: Listen
) -> None:
    client = Early(EtcdSettings((own_etcd.address,)))
    for load in range(5):
        await write(client, Member(ADDRESSES[0], load=load))
    ask_gateway(own_etcd, "kv/compaction", revision=5, physical=True)
    source = EtcdSource(client)
    listener = listen(source)
    await listener.until(lambda heard: ADDRESSES[0] in heard.members)
    await write(client, Member(ADDRESSES[1]))
    await listener.until(lambda heard: ADDRESSES[1] in heard.members)
    assert client.watches == 2
    await source.close()
    await client.close()


async def test_when_one_endpoint_freezes_the_next_is_asked(
    own_etcd: EtcdServer, etcd: str, client: EtcdClient, service: str, listen: Listen
) -> None:
    """Two clusters that know different members stand in for two endpoints of one, so that it shows who was asked."""
    several = EtcdClient(EtcdSettings((own_etcd.address, etcd)))
    await write(several, Member(ADDRESSES[0]), service)
    await write(client, Member(ADDRESSES[1]), service)
    source = EtcdSource(several, service)
    listener = listen(source)
    await listener.until(lambda heard: list(heard.members) == [ADDRESSES[0]])
    own_etcd.pause()
    await listener.until(lambda heard: list(heard.members) == [ADDRESSES[1]])
    await source.close()
    await several.close()


async def test_a_frozen_etcd_is_followed_on_when_it_thaws(
    own_etcd: EtcdServer, own_client: EtcdClient, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    own_etcd.pause()
    await eventually(lambda: len(caplog.records) == 1)
    own_etcd.resume()
    await write(own_client, Member("127.0.0.1:5000"))
    await listener.until(lambda heard: "127.0.0.1:5000" in heard.members)
    await eventually(lambda: len(caplog.records) == 2)  # Once that it is away, once that it is back.
    assert not [event for event in listener.heard if isinstance(event, Left)]


async def test_junk_under_the_prefix_is_skipped_and_counted(
    client: EtcdClient, service: str, listen: Listen, caplog: pytest.LogCaptureFixture
) -> None:
    start = prefix(service)
    stored = [b"", b"strange", b"endpoints/", b"endpoints/10.0.0.1", b"endpoints/127.0.0.1:4001", b"balancers/\x1b[2J"]
    for name in stored:
        await client.put(start + name, b"\x00 no json")
    source = EtcdSource(client, service)
    listener = listen(source)
    await listener.until(lambda heard: heard.balancers == frozenset())
    assert source.skipped == len(stored)
    await client.put(start + b"endpoints/127.0.0.1:4003", Member("127.0.0.1:4002").to_json())
    await write(client, Member("127.0.0.1:4001"), service)
    await listener.until(lambda heard: bool(heard.members))
    assert list(listener.members) == ["127.0.0.1:4001"]
    assert source.skipped == len(stored) + 1
    assert len(caplog.records) == 1
    assert "\x1b" not in caplog.text
    await source.close()


async def test_services_do_not_see_each_other(client: EtcdClient, service: str, listen: Listen) -> None:
    source = EtcdSource(client, service)
    listener = listen(source)
    await write(client, Member("127.0.0.1:4001"), f"{service}0")
    await write(client, Member("127.0.0.1:4002"), service)
    await listener.until(lambda heard: bool(heard.members))
    assert list(listener.members) == ["127.0.0.1:4002"]
    await source.close()


async def test_balancers_are_found_with_one_question(client: EtcdClient, service: str) -> None:
    assert await balancers(client, service) == frozenset()
    for address in ADDRESSES[:2]:
        await client.put(prefix(service, "balancers") + address.encode(), Member(address).to_json())
    await client.put(prefix(service, "balancers") + b"junk", b"junk")
    await write(client, Member(ADDRESSES[2]), service)
    assert await balancers(client, service) == set(ADDRESSES[:2])
