"""One contract for every source of membership."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest
from places import (
    ADDRESSES,
    HOSTS,
    BalancerGoes,
    EtcdGoes,
    Going,
    InBalancer,
    InEtcd,
    InMemory,
    KubernetesGoes,
    Place,
    ResolverGoes,
)

from kubernetes_api import KubernetesApi, endpoint, slice_of
from lbsuite.events import Balancers, Contact, Joined, Left
from lbsuite.registry.dns import Dns
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.k8s import Kubernetes
from lbsuite.registry.source import Source
from lbsuite.registry.static import Static
from listener import Listener
from lookaside import serving
from resolver import Resolver

Listen = Callable[[Source], Listener]


@pytest.fixture
async def places(client: EtcdClient, service: str) -> AsyncIterator[dict[str, Place]]:
    """Places where members come and go."""
    async with serving() as (balancer, caller):
        places = {
            "memory": InMemory(),
            "etcd": InEtcd(client, service),
            "balancer": InBalancer(balancer, caller),
        }
        yield places
        for place in places.values():
            await place.source.close()


@pytest.fixture(params=["memory", "etcd", "balancer"])
def place(request: pytest.FixtureRequest, places: dict[str, Place]) -> Place:
    """One of them."""
    return places[request.param]


@pytest.fixture(params=["memory", "static", "etcd", "dns", "k8s", "balancer"])
async def peopled(
    request: pytest.FixtureRequest,
    places: dict[str, Place],
    monkeypatch: pytest.MonkeyPatch,
    kubernetes: KubernetesApi,
) -> AsyncIterator[Source]:
    """A source that has ADDRESSES for members, from the start."""
    source: Source
    match request.param:
        case "static":
            source = Static(ADDRESSES)
        case "dns":
            Resolver(monkeypatch).hosts = HOSTS
            source = Dns("service.example:4001")
        case "k8s":
            kubernetes.put("web-a", slice_of(*map(endpoint, HOSTS), grpc=4001))
            source = Kubernetes("shop", "web", "grpc")
        case kind:
            place = places[kind]
            for address in ADDRESSES:
                await place.join(address)
            source = place.source
    yield source
    await source.close()


async def test_tells_first_who_is_there_in_order_of_joining_and_then_that_this_was_all(
    peopled: Source, listen: Listen
) -> None:
    listener = listen(peopled)
    await listener.until(lambda heard: heard.balancers is not None)
    assert [event.address for event in listener.heard[:-1] if isinstance(event, Joined)] == ADDRESSES
    assert listener.heard[-1] == Balancers(frozenset()), "contact is told of when it is lost"
    orders = [member.order for member in listener.members.values()]
    assert orders == sorted(orders, key=lambda order: order or 0)


async def test_tells_each_listener_the_whole_story(peopled: Source, listen: Listen) -> None:
    for listener in [listen(peopled), listen(peopled)]:
        await listener.until(lambda heard: heard.balancers is not None)
        assert list(listener.members) == ADDRESSES


async def test_closing_ends_every_story_and_a_closed_source_tells_none(peopled: Source, listen: Listen) -> None:
    listeners = [listen(peopled), listen(peopled)]
    for listener in listeners:
        await listener.until(lambda heard: heard.balancers is not None)
    await peopled.close()
    for listener in [*listeners, listen(peopled)]:
        await listener.ended()
    await peopled.close()


async def test_a_listener_may_stop_in_the_middle(peopled: Source) -> None:
    async with aclosing(peopled.events()) as events, asyncio.timeout(5):
        assert (await anext(events)) is not None


async def test_tells_of_joining_updates_and_leaving(place: Place, listen: Listen) -> None:
    listener = listen(place.source)
    await listener.until(lambda heard: heard.balancers is not None)
    await place.join("127.0.0.1:4001")
    await listener.until(lambda heard: bool(heard.members))
    await place.join("127.0.0.1:4001", weight=3)
    await listener.until(lambda heard: heard.members["127.0.0.1:4001"].weight == 3)
    await place.leave("127.0.0.1:4001")
    await listener.until(lambda heard: not heard.members)
    assert [type(event) for event in listener.heard] == [Balancers, Joined, Joined, Left]


async def test_tells_nothing_of_what_changes_nothing(place: Place, listen: Listen) -> None:
    listener = listen(place.source)
    await listener.until(lambda heard: heard.balancers is not None)
    for address in ["127.0.0.1:4001", "127.0.0.1:4001", "127.0.0.1:4002"]:
        await place.join(address)
        await place.leave("127.0.0.1:4999")
    await listener.until(lambda heard: len(heard.members) == 2)
    assert len(listener.heard) == 3


async def test_tells_which_balancers_there_are(place: Place, listen: Listen) -> None:
    listener = listen(place.source)
    await place.set_balancer("127.0.0.1:50050")
    await listener.until(lambda heard: heard.balancers == {"127.0.0.1:50050"})


@pytest.fixture
async def balancer_goes() -> AsyncIterator[BalancerGoes]:
    going = BalancerGoes()
    yield going
    await going.go()


@pytest.fixture(params=["etcd", "dns", "k8s", "balancer"])
def going(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Going:
    """A source with one member, once begun, that can lose whoever tells it."""
    match request.param:
        case "etcd":
            return EtcdGoes(request.getfixturevalue("own_etcd"), request.getfixturevalue("own_client"))
        case "dns":
            return ResolverGoes(monkeypatch)
        case "k8s":
            return KubernetesGoes(request.getfixturevalue("kubernetes"))
        case _:
            going: BalancerGoes = request.getfixturevalue("balancer_goes")
            return going


async def test_contact_is_told_of_when_it_is_lost_and_when_it_is_back_once_each_and_nobody_leaves(
    going: Going, listen: Listen
) -> None:
    await going.begin()
    listener = listen(going.source)
    await listener.until(lambda heard: heard.balancers is not None)
    for _ in range(2):
        await going.go()
        await listener.until(lambda heard: isinstance(heard.heard[-1], Contact) and not heard.heard[-1].up)
        assert str(listener.heard[-1]).isprintable()
        await going.come()
        await listener.until(lambda heard: heard.heard[-1] == Contact(True))
    assert [type(event) for event in listener.heard] == [Joined, Balancers, *[Contact] * 4]
    await going.source.close()


async def test_who_begins_to_listen_where_nobody_can_be_heard_is_told_so_first(going: Going, listen: Listen) -> None:
    await going.begin()
    await going.go()
    listener = listen(going.source)
    await listener.until(lambda heard: bool(heard.heard))
    await going.come()
    await listener.until(lambda heard: heard.heard[-1] == Contact(True))
    assert [type(event) for event in listener.heard] == [Contact, Joined, Balancers, Contact]
    await going.source.close()


def test_a_list_with_a_bad_address_is_refused() -> None:
    with pytest.raises(ValueError, match="not HOST:PORT: 'nonsense'"):
        Static(["127.0.0.1:1", "nonsense"])


async def test_the_same_address_twice_in_a_list_is_one_endpoint(listen: Listen) -> None:
    source = Static(["127.0.0.1:2", "127.0.0.1:1", "127.0.0.1:2"])
    listener = listen(source)
    await listener.until(lambda heard: heard.balancers is not None)
    assert [event.address for event in listener.heard if isinstance(event, Joined)] == ["127.0.0.1:2", "127.0.0.1:1"]
    await source.close()
