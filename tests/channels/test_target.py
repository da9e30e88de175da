"""A target in words becomes the source that it names, or one line that says what is wrong with it."""

from collections import Counter
from pathlib import Path

import pytest
from servers import DEADLINE_S, all_ready, echo, serving

from kubernetes_api import KubernetesApi, endpoint, slice_of
from lbsuite.channels.channel import channel
from lbsuite.channels.target import source_of
from lbsuite.events import Balancers, Event, Joined
from lbsuite.registry import grpc_go
from lbsuite.registry.dns import Dns
from lbsuite.registry.etcd import EtcdSource
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.k8s import Kubernetes
from lbsuite.registry.member import Member, prefix
from lbsuite.registry.source import Source
from resolver import Resolver
from waiting import eventually


async def first_list(source: Source) -> list[str]:
    told: list[Event] = []
    async for event in source.events():
        told.append(event)
        if isinstance(event, Balancers):
            break
    return [event.address for event in told if isinstance(event, Joined)]


async def test_a_list_of_addresses_is_a_static_source() -> None:
    source = source_of("static://127.0.0.1:4001,[::1]:4002,localhost:4003")
    assert await first_list(source) == ["127.0.0.1:4001", "[::1]:4002", "localhost:4003"]
    await source.close()


async def test_an_etcd_and_a_service_are_its_endpoints_through_a_client_that_is_closed_with_them(
    etcd: str, service: str
) -> None:
    async with EtcdClient(EtcdSettings((etcd,))) as client:
        for role in ("endpoints", "balancers"):
            await client.put(prefix(service) + f"{role}/127.0.0.1:4001".encode(), Member("127.0.0.1:4001").to_json())
    source = source_of(f"etcd://{etcd}/{service}")
    assert isinstance(source, EtcdSource)
    assert await first_list(source) == ["127.0.0.1:4001"]
    await source.close()


async def test_an_etcd_may_hold_the_endpoints_as_grpc_go_names_them(etcd: str, service: str) -> None:
    async with EtcdClient(EtcdSettings((etcd,))) as client:
        await client.put(f"shop/{service}/x".encode(), grpc_go.record(Member("127.0.0.1:4002")))
        await client.put(f"{service}/x".encode(), grpc_go.record(Member("127.0.0.1:4002")))
        await client.put(prefix(service) + b"endpoints/127.0.0.1:4001", Member("127.0.0.1:4001").to_json())
    there = {
        f"shop/{service}?layout=grpc-go": ["127.0.0.1:4002"],
        f"{service}?layout=grpc-go": ["127.0.0.1:4002"],
        f"{service}?layout=both": ["127.0.0.1:4001", "127.0.0.1:4002"],
        f"{service}?layout=lbsuite": ["127.0.0.1:4001"],
    }
    for place, members in there.items():
        source = source_of(f"etcd://{etcd}/{place}")
        assert sorted(await first_list(source)) == members
        await source.close()


async def test_a_service_of_kubernetes_is_followed_by_namespace_name_and_port() -> None:
    for port in ("50051", "grpc"):
        source = source_of(f"k8s://shop/web:{port}")
        assert isinstance(source, Kubernetes)
        await source.close()


async def test_a_name_is_what_it_stands_for() -> None:
    for target in ("dns://localhost:4001", "dns:///localhost:4001"):
        source = source_of(target)
        assert isinstance(source, Dns)
        assert await first_list(source) == ["127.0.0.1:4001"]
        await source.close()


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("", "not a target of static://"),
        ("127.0.0.1:4001", "not a target of static://.*; write 'dns://127.0.0.1:4001'"),
        ("dns:localhost:80", "not a target of static://.*; write 'dns://localhost:80'"),
        ("ipv4:127.0.0.1:1,127.0.0.1:2", "not a target of static://.*; write 'static://127.0.0.1:1,127.0.0.1:2'"),
        ("xds:///default", "not a target of static://.*; that is for gRPC's own channels"),
        ("http://127.0.0.1:80", "not a target of static://, lb://, etcd://, dns://, k8s://"),
        ("static://", "not HOST:PORT: ''"),
        ("static://127.0.0.1:4001,", "not HOST:PORT: ''"),
        ("static://0.0.0.0:4001", "cannot serve: '0.0.0.0:4001'"),
        ("dns://127.0.0.1/localhost:80", "DNS name: '127.0.0.1/localhost:80'"),
        ("dns://localhost", "not HOST:PORT: 'localhost'"),
        ("etcd://127.0.0.1:2379", "no /SERVICE after the addresses"),
        ("etcd:///default", "not HOST:PORT: ''"),
        ("etcd://127.0.0.1:2379/a/b", "not a service name .*: 'a/b'"),
        ("etcd://127.0.0.1:2379/default?lay=out", "no such option: 'lay'"),
        ("etcd://127.0.0.1:2379/default?layout=x", "etcd layout is not one of lbsuite, grpc-go, both: 'x'"),
        ("etcd://127.0.0.1:2379/a//b?layout=grpc-go", "not a service name of grpc-go's .*: 'a//b'"),
        ("etcd://127.0.0.1:2379/default?nonsense", "bad query field: 'nonsense'"),
        ("k8s://shop/web", "not NAMESPACE/SERVICE:PORT"),
        ("k8s://web:80", "not NAMESPACE/SERVICE:PORT"),
        ("k8s://shop/web:", "neither a port's number .*: ''"),
        ("k8s://shop/Web:80", "not a name in Kubernetes .*: 'Web'"),
        ("lb://127.0.0.1:50050", "no /SERVICE after the addresses"),
        ("lb://127.0.0.1:50050/", "not a service name .*: ''"),
        ("lb://127.0.0.1:0/default", "port out of 1..65535: '127.0.0.1:0'"),
    ],
)
def test_nonsense_is_refused_with_the_target_and_the_bad_value(target: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        source_of(target)
    assert repr(target) in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_a_channel_calls_the_pods_of_a_service_as_they_come_and_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with KubernetesApi() as api, serving(2) as servers:
        api.lead_here(tmp_path, monkeypatch)
        first, second = (int(server.address.rpartition(":")[2]) for server in servers)
        api.put("web-a", slice_of(endpoint("127.0.0.1"), grpc=first))
        async with channel("k8s://shop/web:grpc", policy="round_robin") as balanced:
            assert await echo(balanced)(b"", timeout=DEADLINE_S) == servers[0].address.encode()
            api.put("web-b", slice_of(endpoint("127.0.0.1"), grpc=second))
            await all_ready(balanced, 2)
            answers = Counter([await echo(balanced)(b"", timeout=DEADLINE_S) for _ in range(20)])
            assert answers == {server.address.encode(): 10 for server in servers}
            await api.stop()
            await eventually(lambda: not balanced.status().heard)
            assert len({await echo(balanced)(b"", timeout=DEADLINE_S) for _ in range(4)}) == 2
            api.put("web-a", slice_of(endpoint("127.0.0.1", ready=False, terminating=True), grpc=first))
            await api.start()
            await eventually(lambda: any(each.draining for each in balanced.status().endpoints))
            answers = Counter([await echo(balanced)(b"", timeout=DEADLINE_S) for _ in range(10)])
            assert answers == {servers[1].address.encode(): 10}


async def test_a_channel_that_loses_an_endpoint_has_its_name_resolved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver(monkeypatch)
    resolver.hosts = ["127.0.0.1"]
    async with serving(1) as (server,):
        port = int(server.address.rpartition(":")[2])
        async with channel(Dns(f"service.example:{port}", every_s=3600), policy="round_robin") as balanced:
            assert await echo(balanced)(b"", timeout=DEADLINE_S) == server.address.encode()
            resolver.hosts = ["127.0.0.1", "127.0.0.2"]
            await server.stop()
            await eventually(lambda: len(balanced.status().endpoints) == 2)
