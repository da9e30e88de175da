"""The log in etcd as it is damaged, compacted, lost and written by those who are astray: members agree afterwards, and
say what was wrong."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest
from clusters import agreed, members

from lbsuite import Placer
from lbsuite.placement import Cluster
from lbsuite.placement.cluster import KEEP_ENTRIES
from lbsuite.placement.log import Entry, PlacementLog
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import Member
from waiting import eventually

DEADLINE_S = 30.0


@pytest.fixture
async def client(etcd: str) -> AsyncIterator[EtcdClient]:
    async with EtcdClient(EtcdSettings((etcd,))) as client:
        yield client


def key(service: str, number: int) -> bytes:
    return f"/lbsuite/{service}/placement/log/{number:010}".encode()


async def grow(log: PlacementLog, placer: Placer, entries: int) -> None:
    """Has a log of so many entries written, as a fleet of two with a weight that changes would."""
    for _ in range(entries):
        number = placer.revision + 1
        weights = {"10.0.0.1": 1, "10.0.0.2": 1 + number % 64}
        assert await log.append(Entry(number, weights, placer.digest()))
        placer.apply(number, weights)


async def test_old_entries_go_and_who_was_away_rejoins_by_the_snapshot(client: EtcdClient, service: str) -> None:
    async with members(str(client.settings), service, 2, snapshot_every=10) as clusters:
        await eventually(lambda: agreed(clusters, 2))
        late = Cluster(str(client.settings), service)
        async with late:
            await late.caught_up()
            behind = late._tasks[1]  # as if it had been paused: its follower of the log stands still
            behind.cancel()
            known = late.revision
            for i in range(KEEP_ENTRIES + 30):
                await clusters[0].update(1 + (i + 1) % 64)
                await eventually(lambda i=i: clusters[0].placer.weights.get("127.0.1.1") == 1 + (i + 1) % 64)
            await eventually(lambda: agreed(clusters, 2))

            async def old_ones_are_gone() -> bool:
                written = await PlacementLog(client, service).read()
                assert written.snapshot is not None
                kept = KEEP_ENTRIES <= len(written.entries) <= KEEP_ENTRIES + 20
                return kept and known + 1 < written.entries[0].number

            await eventually(old_ones_are_gone)  # a snapshot may be under way still
            again = asyncio.create_task(late._follow())
            await eventually(lambda: agreed([*clusters, late], 2) and late.revision == clusters[0].revision)
            again.cancel()
        async with Cluster(str(client.settings), service) as fresh:
            await fresh.caught_up()
            assert fresh.placer.digest() == clusters[0].placer.digest()


async def test_who_strayed_takes_what_the_log_says(
    client: EtcdClient, service: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with members(str(client.settings), service, 3) as clusters:
        await eventually(lambda: agreed(clusters, 3))
        astray = Placer()
        for number in range(1, clusters[1].revision + 1):
            astray.apply(number, {f"10.9.9.{number}": 1})
        clusters[1]._replica.placer = astray
        await clusters[0].update(5)
        await eventually(lambda: agreed(clusters, 3) and clusters[1].placer.weights.get("127.0.1.1") == 5)
    assert "is not what its writer" in caplog.text


async def test_an_entry_of_a_writer_who_is_astray_counts_for_all(
    client: EtcdClient, service: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with members(str(client.settings), service, 3) as clusters:
        await eventually(lambda: agreed(clusters, 3))
        number = clusters[0].revision + 1
        assert await PlacementLog(client, service).append(Entry(number, {"127.0.1.1": 9}, 1234, writer="astray"))
        await eventually(lambda: agreed(clusters, 3) and clusters[0].revision == number + 1)
        assert clusters[0].placer.weights["127.0.1.1"] == 1
        async with Cluster(str(client.settings), service) as fresh:
            await fresh.caught_up()
            assert fresh.placer.digest() == clusters[0].placer.digest()
    assert "is not what its writer astray had" in caplog.text


async def test_the_first_writer_says_how_many_objects_there_are(client: EtcdClient, service: str) -> None:
    async with members(str(client.settings), service, 1, objects=100) as (first,):
        await eventually(lambda: first.placer.live == 1)
        async with Cluster(str(client.settings), service, member="127.0.1.2:1", settle_s=0.02, objects=200) as second:
            await eventually(lambda: agreed([first, second], 2))
            assert second.placer.objects == 100
            assert len(second.placer.owned("127.0.1.2")) == 50


@pytest.mark.parametrize(
    "junk",
    [
        b"\xff not JSON",
        json.dumps({"v": 1, "weights": {"1.2.3.4": 2**70}, "digest": "0", "objects": 4096}).encode(),
        json.dumps({"v": 1, "weights": {"\ud800": 1}, "digest": "0", "objects": 4096}).encode(),
        json.dumps({"v": 1, "weights": {"127.0.1.1": 0, "127.0.1.2": 0}, "digest": "0", "objects": 4096}).encode(),
        b"[" * 100_000,
    ],
    ids=["text", "weight", "address", "applies to nothing", "nested"],
)
async def test_an_entry_that_is_junk_is_told_of_and_waited_out(
    client: EtcdClient, service: str, junk: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with members(str(client.settings), service, 2) as clusters:
        await eventually(lambda: agreed(clusters, 2))
        before, revision = clusters[0].placer.digest(), clusters[0].revision
        await client.put(key(service, revision + 1), junk)
        await clusters[0].update(3)
        await eventually(lambda: "waiting for a log that makes sense" in caplog.text)
        assert [cluster.placer.digest() for cluster in clusters] == [before] * 2
        await client.delete(key(service, revision + 1))
        await eventually(lambda: agreed(clusters, 2) and clusters[1].placer.weights["127.0.1.1"] == 3)


async def test_a_gap_is_told_of_and_waited_out(
    client: EtcdClient, service: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with members(str(client.settings), service, 2) as clusters:
        await eventually(lambda: agreed(clusters, 2))
        far = clusters[0].revision + 7
        await client.put(key(service, far), Entry(far, {"127.0.1.1": 1}, 0).to_json())
        await eventually(lambda: "what is between is missing" in caplog.text)
        await client.delete(key(service, far))
        await clusters[0].update(3)
        await eventually(lambda: agreed(clusters, 2) and clusters[1].placer.weights["127.0.1.1"] == 3)


async def test_what_is_no_entry_is_passed_over(client: EtcdClient, service: str) -> None:
    for name in ("log/abc", "log/1", "log/", "log/0000000000", "other", "snapshot/x"):
        await client.put(f"/lbsuite/{service}/placement/{name}".encode(), b"x")
    async with members(str(client.settings), service, 2) as clusters:
        await eventually(lambda: agreed(clusters, 2))
        await client.put(f"/lbsuite/{service}/placement/log/zz".encode(), b"x")
        await clusters[0].update(3)
        await eventually(lambda: agreed(clusters, 2) and clusters[1].placer.weights["127.0.1.1"] == 3)


@pytest.mark.parametrize("compacted", [False, True])
async def test_members_replace_a_snapshot_that_is_damaged(
    client: EtcdClient, service: str, compacted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    log, snapshot = PlacementLog(client, service), f"/lbsuite/{service}/placement/snapshot".encode()
    placer = Placer()
    await grow(log, placer, 10)
    if compacted:
        await log.read()
        assert await log.write_snapshot(placer.snapshot(), 5)
    async with members(str(client.settings), service, 2) as clusters:
        await eventually(lambda: agreed(clusters, 2))
        await client.put(snapshot, b'{"v": 1, "snapshot": "AAAA"}')
        await clusters[0].update(3)
        async with Cluster(str(client.settings), service) as late:
            async with asyncio.timeout(DEADLINE_S):
                await late.caught_up()
            await eventually(lambda: agreed([*clusters, late], 2) and late.placer.weights["127.0.1.1"] == 3)
        assert ((await log.read()).snapshot is not None) == compacted
    assert "as if there was none" in caplog.text


async def test_a_log_that_went_back_is_followed_back(
    client: EtcdClient, service: str, caplog: pytest.LogCaptureFixture
) -> None:
    log, placer = PlacementLog(client, service), Placer()
    await grow(log, placer, 20)
    async with Cluster(str(client.settings), service) as onlooker:
        await onlooker.caught_up()
        assert onlooker.revision == 20
        for number in range(20, 12, -1):
            await client.delete(key(service, number))
        await eventually(lambda: onlooker.revision == 12)
        async with Cluster(str(client.settings), service, member="10.0.0.7:1", settle_s=0.02) as member:
            await eventually(lambda: agreed([onlooker, member], 1))
    assert "lacks what we know" in caplog.text


async def test_an_entry_that_was_lost_is_made_up_for_by_who_knows_it(client: EtcdClient, service: str) -> None:
    log, placer = PlacementLog(client, service), Placer()
    await grow(log, placer, 9)
    async with Cluster(str(client.settings), service) as onlooker:
        await onlooker.caught_up()
        await client.delete(key(service, 5))
        async with Cluster(str(client.settings), service) as late:
            await eventually(lambda: late.placer.digest() == placer.digest() == onlooker.placer.digest())


async def test_members_too_many_to_be_placed_are_told_of(
    client: EtcdClient, service: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.ERROR)
    async with members(str(client.settings), service, 1) as (only,):
        await eventually(lambda: only.placer.live == 1)
        many = {f"10.1.{i // 250}.{i % 250}": 1 for i in range(4096)}
        monkeypatch.setattr(only._members, "weights", lambda: many)
        only._step()
        await eventually(lambda: "4096" in caplog.text)
        assert (await PlacementLog(client, service).read()).entries[-1].number == only.revision


async def test_a_snapshot_that_its_writer_did_not_come_to_is_the_next_ones(client: EtcdClient, service: str) -> None:
    log, placer = PlacementLog(client, service), Placer()
    await grow(log, placer, 11)
    async with members(str(client.settings), service, 1, snapshot_every=10) as (only,):
        await eventually(lambda: only._log.snapshot_number == only.revision == 12)
        await only.update(5)
        await eventually(lambda: only.revision == 13)
        assert only._log.snapshot_number == 12


async def test_a_member_whose_ipv4_another_took_while_its_lease_was_gone_owns_nothing(
    client: EtcdClient, service: str
) -> None:
    async with members(str(client.settings), service, 2) as (first, other):
        await eventually(lambda: agreed([first, other], 2))
        steps, owned = first.steps(), set[int]()

        async def until_owned(count: int) -> None:
            async with asyncio.timeout(DEADLINE_S):
                while len(owned) != count:
                    step = await anext(steps)
                    owned.update(step.gained)
                    owned.difference_update(step.lost)

        await until_owned(2048)
        twin = Member("127.0.1.1:9")
        # The order in which a lease that ran out, a twin and the return of the first show up in etcd.
        await client.delete(f"/lbsuite/{service}/endpoints/127.0.1.1:4000".encode())
        await client.put(f"/lbsuite/{service}/endpoints/{twin.address}".encode(), twin.to_json())
        await until_owned(0)
        assert first._replica.outdone
        await client.delete(f"/lbsuite/{service}/endpoints/{twin.address}".encode())
        await until_owned(2048)
        await steps.aclose()


async def test_an_entry_whose_number_has_gone_with_the_old_ones_is_not_written_anew(
    client: EtcdClient, service: str
) -> None:
    stale, fresh = PlacementLog(client, service), PlacementLog(client, service)
    await stale.read()
    placer = Placer()
    for number in range(1, 5):
        assert await fresh.append(Entry(number, {"10.0.0.1": number}, placer.digest(), placer.objects))
        placer.apply(number, {"10.0.0.1": number})
    assert await fresh.write_snapshot(placer.snapshot(), keep_from=3)
    assert not await stale.append(Entry(1, {"10.0.0.9": 1}, 0, 4096))
    await stale.read()
    assert await stale.append(Entry(5, {"10.0.0.9": 1}, placer.digest(), placer.objects))
