"""Member processes that are killed and come back in groups."""

import asyncio
import contextlib
import json
import random
import sys
from collections import defaultdict

import pytest

DEADLINE_S = 60.0

MEMBER = """
import asyncio, json, sys
from lbsuite.placement.cluster import Cluster

async def main(etcd, service, member):
    async with Cluster(etcd, service, member=member, ttl_s=2.0, settle_s=0.05) as cluster:
        async for step in cluster.steps():
            print(json.dumps([step.revision, step.digest, step.moved, step.minimum, cluster.placer.live]), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


class Told:
    """What every process said of every revision."""

    def __init__(self) -> None:
        self.digests: dict[int, set[int]] = defaultdict(set)
        self.moves: dict[int, tuple[int, int]] = {}
        self.live: dict[str, int] = {}
        self.changed = asyncio.Event()

    async def listen(self, member: str, output: asyncio.StreamReader) -> None:
        async for line in output:
            revision, digest, moved, minimum, live = json.loads(line)
            if revision:
                self.digests[revision].add(digest)
            if moved:
                self.moves[revision] = (moved, minimum)
            self.live[member] = live
            self.changed.set()

    async def until_live(self, members: set[str], live: int) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not all(self.live.get(member) == live for member in members):
                self.changed.clear()
                await self.changed.wait()


class Members:
    """One process a member, to be killed and started again."""

    def __init__(self, etcd: str, service: str, count: int) -> None:
        self.addresses = [f"127.0.0.{2 + i}:4000" for i in range(count)]
        self.told = Told()
        self._words = (etcd, service)
        self._children: dict[str, asyncio.subprocess.Process] = {}
        self._listeners: list[asyncio.Task[None]] = []

    async def start(self, member: str) -> None:
        words = (sys.executable, "-c", MEMBER, *self._words, member)
        child = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        self._children[member] = child
        assert child.stdout is not None
        self._listeners.append(asyncio.create_task(self.told.listen(member, child.stdout)))

    async def kill(self, member: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._children[member].kill()
        await self._children[member].wait()
        self.told.live.pop(member, None)

    async def end(self) -> None:
        for member in self._children:
            await self.kill(member)
        await asyncio.gather(*self._listeners, return_exceptions=True)


@pytest.mark.parametrize(
    ("count", "rounds", "group"),
    [(5, 3, 2), pytest.param(20, 10, 5, marks=pytest.mark.slow)],
)
async def test_survivors_agree_at_every_revision(etcd: str, count: int, rounds: int, group: int) -> None:
    members, rng = Members(etcd, f"kills{count}", count), random.Random(count)
    everyone, told = set(members.addresses), members.told
    try:
        await asyncio.gather(*map(members.start, members.addresses))
        await told.until_live(everyone, count)
        for _ in range(rounds):
            victims = rng.sample(members.addresses, group)
            await asyncio.gather(*map(members.kill, victims))
            await told.until_live(everyone - set(victims), count - group)
            await asyncio.gather(*map(members.start, victims))
            await told.until_live(everyone, count)
    finally:
        await members.end()
    assert {len(digests) for digests in told.digests.values()} == {1}
    assert max(told.digests) >= 2 * rounds
    assert sum(moved for moved, _ in told.moves.values()) == sum(minimum for _, minimum in told.moves.values()) > 0
