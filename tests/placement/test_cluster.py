"""Members that keep one placement together, over a real etcd."""

import asyncio

import pytest
from clusters import agreed, members

from lbsuite.errors import LbsuiteError
from lbsuite.placement import Cluster
from lbsuite.placement.log import Entry, PlacementLog
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from waiting import eventually

DEADLINE_S = 30.0


async def test_members_agree_and_share_all_objects(etcd: str, service: str) -> None:
    async with members(etcd, service, 4) as clusters:
        await eventually(lambda: agreed(clusters, 4))
        owned = [set(cluster.placer.owned(cluster.address).tolist()) for cluster in clusters]
        assert [len(each) for each in owned] == [1024] * 4
        assert set.union(*owned) == set(range(4096))
        leaver = clusters[2]
        await leaver.close()
        rest = [cluster for cluster in clusters if cluster is not leaver]
        await eventually(lambda: agreed(rest, 3))
        assert {cluster.live for cluster in rest} == {3}


async def test_a_member_hears_what_it_owns_and_loses(etcd: str, service: str) -> None:
    async with members(etcd, service, 1) as (first,):
        steps = first.steps()
        owned: set[int] = set()

        async def follow(until_owned: int) -> None:
            async with asyncio.timeout(DEADLINE_S):
                while len(owned) != until_owned:
                    step = await anext(steps)
                    assert owned.isdisjoint(step.gained)
                    assert owned >= set(step.lost)
                    owned.update(step.gained)
                    owned.difference_update(step.lost)
                    if step.minimum:
                        assert step.moved == step.minimum

        await follow(4096)
        async with Cluster(etcd, service, member="127.0.1.2:4000", settle_s=0.02):
            await follow(2048)
        await follow(4096)
        await steps.aclose()


async def test_one_that_comes_late_reads_the_snapshot_and_the_tail(etcd: str, service: str) -> None:
    async with members(etcd, service, 3, snapshot_every=2) as clusters:
        await eventually(lambda: agreed(clusters, 3))
        for weight in (2, 5, 9):
            await clusters[0].update(weight)
            await eventually(lambda weight=weight: clusters[1].placer.weights.get("127.0.1.1") == weight)
        async with Cluster(etcd, service, settle_s=0.02) as onlooker:
            async with asyncio.timeout(DEADLINE_S):
                await onlooker.caught_up()
            await eventually(lambda: agreed([*clusters, onlooker], 3))
            assert onlooker.address is None


async def test_when_the_last_has_gone_the_table_stays(etcd: str, service: str) -> None:
    async with Cluster(etcd, service, settle_s=0.02) as onlooker:
        async with members(etcd, service, 2) as clusters:
            await eventually(lambda: agreed([*clusters, onlooker], 2))
        await eventually(lambda: onlooker.live == 0)
        before = onlooker.placer.digest()
        assert onlooker.placer.live >= 1
        async with Cluster(etcd, service, member="127.0.1.9:4000", settle_s=0.02) as fresh:
            await eventually(lambda: agreed([onlooker, fresh], 1))
            assert onlooker.placer.digest() != before


async def test_a_second_member_with_one_ipv4_is_refused(etcd: str, service: str) -> None:
    async with members(etcd, service, 1) as (first,):
        await eventually(lambda: first.live == 1)
        with pytest.raises(LbsuiteError, match=r"127\.0\.1\.1:4000"):
            async with Cluster(etcd, service, member="127.0.1.1:4001"):
                pass


async def test_an_entry_is_written_once(etcd: str, service: str) -> None:
    async with EtcdClient(EtcdSettings((etcd,))) as client:
        logs = [PlacementLog(client, service) for _ in range(5)]
        entries = [Entry(1, {f"10.0.0.{i}": 1}, 0) for i in range(5)]
        written = await asyncio.gather(*(log.append(entry) for log, entry in zip(logs, entries, strict=True)))
        assert sorted(written) == [False] * 4 + [True]
        assert (await logs[0].read()).entries == [entries[written.index(True)]]


async def test_a_wiped_log_goes_on_from_what_the_members_know(etcd: str, service: str) -> None:
    async with members(etcd, service, 3) as clusters:
        await eventually(lambda: agreed(clusters, 3))
        revision = clusters[0].revision
        async with EtcdClient(EtcdSettings((etcd,))) as client:
            await client.delete(f"/lbsuite/{service}/placement/".encode(), prefix=True)
        await clusters[1].update(7)
        await eventually(lambda: agreed(clusters, 3) and clusters[0].placer.weights["127.0.1.2"] == 7)
        assert clusters[0].revision > revision
        async with Cluster(etcd, service) as late:
            await eventually(lambda: agreed([*clusters, late], 3))


@pytest.mark.parametrize(
    ("settings", "blamed"),
    [
        ({"member": "[::1]:4000"}, r"\[::1\]:4000"),
        ({"member": "host:4000"}, "host:4000"),
        ({"member": ""}, "''"),
        ({"weight": 65}, "65"),
        ({"ttl_s": 0}, "ttl_s"),
        ({"settle_s": -1}, "settle_s"),
        ({"snapshot_every": 0}, "snapshot_every"),
        ({"service": "a/b"}, "a/b"),
    ],
)
async def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], blamed: str) -> None:
    with pytest.raises(ValueError, match=blamed):
        Cluster("127.0.0.1:1", **settings)
