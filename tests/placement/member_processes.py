"""Members of one placement, each in a process of its own, and what they say."""

import asyncio
import contextlib
import json
import sys
from collections import defaultdict

DEADLINE_S = 60.0

MEMBER = """
import asyncio, json, sys
from lbsuite.placement.cluster import Cluster

async def main(etcd, service, member):
    async with Cluster(etcd, service, member=member, ttl_s=2.0, settle_s=0.05) as cluster:
        async for step in cluster.steps():
            change = [len(step.gained), len(step.lost)]
            told = [step.revision, step.digest, step.moved, step.minimum, cluster.placer.live, change]
            print(json.dumps(told), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


class Told:
    """What every process said of every revision."""

    def __init__(self) -> None:
        self.digests: dict[int, set[int]] = defaultdict(set)
        self.moves: dict[int, tuple[int, int]] = {}
        self.live: dict[str, int] = {}
        self.changes: dict[str, list[tuple[int, ...]]] = defaultdict(list)
        self.changed = asyncio.Event()

    async def listen(self, member: str, output: asyncio.StreamReader) -> None:
        async for line in output:
            revision, digest, moved, minimum, live, change = json.loads(line)
            if revision:
                self.digests[revision].add(digest)
            if moved:
                self.moves[revision] = (moved, minimum)
            self.live[member] = live
            self.changes[member].append(tuple(change))
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

    def signal(self, member: str, number: int) -> None:
        self._children[member].send_signal(number)

    async def end(self) -> None:
        for member in self._children:
            await self.kill(member)
        await asyncio.gather(*self._listeners, return_exceptions=True)
