"""A walk through everything that can befall etcd, and at the end of it: who registered is who is known."""

import asyncio
import random
from collections.abc import Callable

import pytest

from lbsuite.fleet import EtcdServer
from lbsuite.registry.etcd import EtcdSource
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.member import Member
from lbsuite.registry.registration import Registration
from lbsuite.registry.source import Source
from listener import Listener


class Walk:
    """One etcd, the members registered in it, and the steps that may be taken."""

    def __init__(self, etcd: EtcdServer, client: EtcdClient, seed: int) -> None:
        self.etcd, self.client = etcd, client
        self.random = random.Random(seed)
        self.registered: dict[str, Registration] = {}
        self.members: dict[str, Member] = {}

    async def join(self) -> None:
        member = Member(f"127.0.0.1:{self.random.randrange(4000, 4020)}", weight=self.random.randrange(1, 9))
        if member.address in self.registered:
            self.registered[member.address].update(member)
        else:
            self.registered[member.address] = Registration(self.client, member, ttl_s=2)
        self.members[member.address] = member

    async def leave(self) -> None:
        if self.registered:
            address = self.random.choice(sorted(self.registered))
            del self.members[address]
            await self.registered.pop(address).close()

    async def kill(self) -> None:
        await self.etcd.restart()

    async def wipe(self) -> None:
        await self.etcd.restart(wipe=True)

    async def freeze(self) -> None:
        self.etcd.pause()
        await asyncio.sleep(self.random.uniform(0, 1.5))
        self.etcd.resume()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_after_any_walk_who_registered_is_who_is_known(
    own_etcd: EtcdServer, own_client: EtcdClient, listen: Callable[[Source], Listener], seed: int
) -> None:
    walk = Walk(own_etcd, own_client, seed)
    source = EtcdSource(own_client)
    listener = listen(source)
    steps = [walk.join] * 6 + [walk.leave] * 3 + [walk.kill, walk.wipe, walk.freeze]
    for _ in range(60):
        await walk.random.choice(steps)()
        await asyncio.sleep(walk.random.expovariate(20))
    await listener.until(
        lambda heard: (
            {address: joined.weight for address, joined in heard.members.items()}
            == {address: member.weight for address, member in walk.members.items()}
        )
    )
    await asyncio.gather(*(registration.close() for registration in walk.registered.values()))
    await listener.until(lambda heard: not heard.members)
    await source.close()
