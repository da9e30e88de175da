"""A placement while etcd or a member is away: nothing hangs, and whoever comes back agrees."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator

import pytest
from clusters import agreed, members
from member_processes import Members

from lbsuite.errors import LbsuiteError
from lbsuite.fleet import EtcdServer
from lbsuite.placement import Cluster
from waiting import eventually


@pytest.fixture
async def own_etcd() -> AsyncIterator[EtcdServer]:
    server = EtcdServer()
    await server.start()
    yield server
    await server.kill()
    server.clean()


async def test_what_is_placed_stays_while_etcd_is_away(own_etcd: EtcdServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with members(own_etcd.address, "away", 3) as clusters:
        await eventually(lambda: agreed(clusters, 3))
        before = clusters[0].placer.digest()
        await own_etcd.kill()
        await clusters[0].update(7)
        await eventually(lambda: caplog.text.count("what is placed stays, trying again") >= 3)
        assert {cluster.placer.digest() for cluster in clusters} == {before}
        await own_etcd.start()
        await eventually(lambda: agreed(clusters, 3) and clusters[2].placer.weights["127.0.1.1"] == 7)


async def test_a_wiped_etcd_gets_the_placement_back(own_etcd: EtcdServer) -> None:
    async with members(own_etcd.address, "wiped", 3) as clusters:
        await eventually(lambda: agreed(clusters, 3))
        revision = clusters[0].revision
        await own_etcd.restart(wipe=True)
        await eventually(lambda: all(cluster.live == 3 for cluster in clusters))
        await clusters[0].update(7)
        await eventually(lambda: agreed(clusters, 3) and clusters[2].placer.weights.get("127.0.1.1") == 7)
        assert clusters[0].revision > revision


async def test_closing_while_etcd_is_away_takes_no_longer_than_its_deadline(own_etcd: EtcdServer) -> None:
    async with members(own_etcd.address, "close", 2) as clusters:
        await eventually(lambda: agreed(clusters, 2))
        reading = asyncio.create_task(_read(clusters[0]))
        waiting = asyncio.create_task(clusters[1]._until(lambda: False))
        await asyncio.sleep(0)
        own_etcd.pause()
        began = time.monotonic()
        await asyncio.gather(*(cluster.close() for cluster in clusters))
        assert time.monotonic() - began < 4
        await reading
        with pytest.raises(LbsuiteError, match="closed"):
            await waiting
        with pytest.raises(LbsuiteError, match="closed"):
            await clusters[0].caught_up()


async def _read(cluster: Cluster) -> None:
    async for _ in cluster.steps():
        pass


async def test_entering_can_be_cancelled_while_etcd_is_away() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), Cluster("127.0.0.1:1", member="127.0.0.1:1"):
            pass
    assert len(asyncio.all_tasks()) == 1


async def test_of_two_that_come_at_once_with_one_ipv4_one_is_refused(etcd: str, service: str) -> None:
    made = [Cluster(etcd, service, member=f"127.0.1.1:{port}", settle_s=0.02) for port in (1, 2, 3)]
    came = await asyncio.gather(*(cluster.__aenter__() for cluster in made), return_exceptions=True)
    there = [cluster for cluster in came if isinstance(cluster, Cluster)]
    assert len(there) == 1
    assert all("the same IPv4" in str(error) for error in came if error not in there)
    await there[0].caught_up()
    assert len(there[0].placer.owned("127.0.1.1")) == 4096
    await there[0].close()


async def test_a_member_that_was_stopped_hears_that_others_have_its_objects(etcd: str) -> None:
    processes = Members(etcd, "stopped", 3)
    stopped, *others = processes.addresses
    told = processes.told
    try:
        await asyncio.gather(*map(processes.start, processes.addresses))
        await told.until_live(set(processes.addresses), 3)
        processes.signal(stopped, signal.SIGSTOP)
        await told.until_live(set(others), 2)
        processes.signal(stopped, signal.SIGCONT)
        await told.until_live(set(processes.addresses), 3)
    finally:
        await processes.end()
    assert {len(digests) for digests in told.digests.values()} == {1}
    # It heard first that all it owned has gone, then what it owns anew.
    (gained, lost), (regained, lost_again) = told.changes[stopped][-2:]
    assert gained == lost_again == 0
    assert {lost, regained} <= {1365, 1366}
