"""Where members come and go, and who tells of them does: what the contract of sources is held against."""

import pytest

from kubernetes_api import KubernetesApi, endpoint, slice_of
from lbsuite.channels.watched import Watched
from lbsuite.events import Joined
from lbsuite.fleet import EtcdServer
from lbsuite.registry.dns import Dns
from lbsuite.registry.etcd import EtcdSource
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.k8s import Kubernetes
from lbsuite.registry.member import Member, prefix
from lbsuite.registry.memory import Memory
from lbsuite.registry.source import Source
from lbsuite.wire import messages
from lbsuite.wire.balancer import Balancer
from lbsuite.wire.door import AioDoor
from lookaside import Caller
from resolver import Resolver

HOSTS = ["127.0.0.3", "127.0.0.1", "127.0.0.2"]
ADDRESSES = [f"{host}:4001" for host in HOSTS]


class InMemory:
    """A memory source, and how its members change."""

    def __init__(self) -> None:
        self.source = Memory()

    async def join(self, address: str, *, weight: int = 1) -> None:
        self.source.join(Joined(address, weight=weight))

    async def leave(self, address: str) -> None:
        self.source.leave(address)

    async def set_balancer(self, address: str) -> None:
        self.source.set_balancers([address])


class InEtcd:
    """An etcd source, and how its members change."""

    def __init__(self, client: EtcdClient, service: str) -> None:
        self.source = EtcdSource(client, service)
        self._client, self._service = client, service

    async def join(self, address: str, *, weight: int = 1) -> None:
        await self._client.put(
            prefix(self._service, "endpoints") + address.encode(), Member(address, weight=weight).to_json()
        )

    async def leave(self, address: str) -> None:
        await self._client.delete(prefix(self._service, "endpoints") + address.encode())

    async def set_balancer(self, address: str) -> None:
        await self._client.put(prefix(self._service, "balancers") + address.encode(), Member(address).to_json())


class InBalancer:
    """What a balancer tells those who watch, and how its members change."""

    def __init__(self, balancer: Balancer, caller: Caller) -> None:
        self.source = Watched([caller.address])
        self._balancer, self._caller = balancer, caller

    async def join(self, address: str, *, weight: int = 1) -> None:
        await self._caller.register(address, weight=weight)

    async def leave(self, address: str) -> None:
        await self._caller.deregister(address)

    async def set_balancer(self, address: str) -> None:
        self._balancer.peers = frozenset({address})


Place = InMemory | InEtcd | InBalancer


class EtcdGoes:
    """An etcd that can be taken away, and the source of a service in it with one member."""

    def __init__(self, own_etcd: EtcdServer, own_client: EtcdClient) -> None:
        self._etcd, self._place = own_etcd, InEtcd(own_client, "default")
        self.source: Source = self._place.source

    async def begin(self) -> None:
        await self._place.join(ADDRESSES[0])

    async def go(self) -> None:
        await self._etcd.kill()

    async def come(self) -> None:
        await self._etcd.restart()


class ResolverGoes:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.source: Source = Dns("service.example:4001", every_s=0.1)

    async def begin(self) -> None:
        self._resolver = Resolver(self._monkeypatch)
        await self.come()

    async def go(self) -> None:
        self._resolver.hosts = OSError("nobody answers")

    async def come(self) -> None:
        self._resolver.hosts = HOSTS[:1]


class KubernetesGoes:
    def __init__(self, kubernetes: KubernetesApi) -> None:
        self._api = kubernetes
        self.source: Source = Kubernetes("shop", "web", "grpc")

    async def begin(self) -> None:
        self._api.put("web-a", slice_of(endpoint(HOSTS[0]), grpc=4001))

    async def go(self) -> None:
        await self._api.stop()

    async def come(self) -> None:
        await self._api.start()


class BalancerGoes:
    def __init__(self) -> None:
        self._address = "127.0.0.1:0"

    async def begin(self) -> None:
        await self.come()
        self.source: Source = Watched([self._address])

    async def go(self) -> None:
        await self._door.close(grace_s=0)
        await self._balancer.close()

    async def come(self) -> None:
        self._balancer = Balancer()
        await self._balancer.RegisterServer(messages.ServerInfo(address=ADDRESSES[0]), None)
        self._door = AioDoor(self._balancer)
        self._address = await self._door.open(self._address)


Going = EtcdGoes | ResolverGoes | KubernetesGoes | BalancerGoes
