"""What a name stands for, followed while the resolver answers, lies and fails."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from lbsuite.events import Contact, Joined, Left
from lbsuite.registry import dns
from lbsuite.registry.dns import Dns, resolve
from lbsuite.registry.source import Source
from listener import Listener
from resolver import Resolver

Listen = Callable[[Source], Listener]
SELDOM_S = 3600.0
OFTEN_S = 0.02


@pytest.fixture
async def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    monkeypatch.setattr(dns, "LEAST_S", 0.01)
    resolver = Resolver(monkeypatch)
    resolver.hosts = ["10.0.0.1", "10.0.0.2"]
    return resolver


@pytest.fixture
async def source() -> AsyncIterator[Dns]:
    """Asks only when told to look again."""
    source = Dns("service.example:80", every_s=SELDOM_S)
    yield source
    await source.close()


async def listed(source: Source, listen: Listen) -> Listener:
    listener = listen(source)
    await listener.until(lambda heard: heard.balancers is not None)
    return listener


async def test_who_comes_and_goes_is_told_without_being_asked_to_look(resolver: Resolver, listen: Listen) -> None:
    source = Dns("service.example:80", every_s=OFTEN_S)
    listener = await listed(source, listen)
    assert list(listener.members) == ["10.0.0.1:80", "10.0.0.2:80"]
    resolver.hosts = ["10.0.0.3", "10.0.0.2"]
    await listener.until(lambda heard: list(heard.members) == ["10.0.0.2:80", "10.0.0.3:80"])
    assert listener.heard[-2:] == [Joined("10.0.0.3:80"), Left("10.0.0.1:80")]
    await resolver.asked_again(2)
    assert len(listener.heard) == 5
    await source.close()


async def test_a_doubt_has_every_listener_look_again_at_once(resolver: Resolver, source: Dns, listen: Listen) -> None:
    listeners = [await listed(source, listen), await listed(source, listen)]
    resolver.hosts = ["10.0.0.2"]
    source.look_again()
    for listener in listeners:
        await listener.until(lambda heard: list(heard.members) == ["10.0.0.2:80"])


async def test_many_doubts_are_one_question_in_a_while(
    resolver: Resolver, source: Dns, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns, "LEAST_S", SELDOM_S)
    await listed(source, listen)
    for _ in range(100):
        source.look_again()
        await asyncio.sleep(0)
    assert resolver.asked == 1


async def test_a_doubt_while_the_resolver_thinks_is_not_forgotten(
    resolver: Resolver, source: Dns, listen: Listen
) -> None:
    listener = listen(source)
    await resolver.asked_again()
    resolver.hosts = ["10.0.0.9"]
    source.look_again()
    await listener.until(lambda heard: list(heard.members) == ["10.0.0.9:80"])


@pytest.mark.parametrize(
    "hosts",
    [[], ["0.0.0.0"], socket.gaierror(socket.EAI_NONAME, "unknown"), socket.gaierror(socket.EAI_AGAIN, "later")],
)
async def test_nobody_leaves_while_the_resolver_fails_or_finds_nobody(
    hosts: list[str] | OSError, resolver: Resolver, source: Dns, listen: Listen, caplog: pytest.LogCaptureFixture
) -> None:
    listener = await listed(source, listen)
    there = resolver.hosts
    resolver.hosts = hosts
    for _ in range(2):
        source.look_again()
        await resolver.asked_again()
    await listener.until(lambda heard: isinstance(heard.heard[-1], Contact))
    lost = listener.heard[-1]
    assert isinstance(lost, Contact)
    assert not lost.up
    assert "'service.example'" in lost.why
    assert len(listener.members) == 2
    resolver.hosts = there
    source.look_again()
    await listener.until(lambda heard: heard.heard[-1] == Contact(True))
    assert len(listener.heard) == 5
    assert len(caplog.records) == 2


async def test_a_name_that_does_not_resolve_yet_is_no_empty_list(
    resolver: Resolver, source: Dns, listen: Listen
) -> None:
    there, resolver.hosts = resolver.hosts, []
    listener = listen(source)
    await listener.until(lambda heard: bool(heard.heard))
    assert [type(event) for event in listener.heard] == [Contact]
    resolver.hosts = there
    source.look_again()
    await listener.until(lambda heard: heard.balancers is not None)
    await listener.until(lambda heard: heard.heard[-1] == Contact(True))


async def test_a_resolver_that_hangs_is_a_resolver_that_fails(
    source: Dns, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", hang)
    monkeypatch.setattr(dns, "RESOLVE_S", 0.05)
    listener = listen(source)
    await listener.until(lambda heard: bool(heard.heard))
    assert listener.heard == [Contact(False, "cannot resolve 'service.example': no answer")]


async def test_one_backend_is_one_endpoint_by_the_family_it_is_reached_by(resolver: Resolver) -> None:
    resolver.hosts = ["::1", "127.0.0.1", "127.0.0.1"]
    assert await resolve("both.example:80") == ("127.0.0.1:80",)
    resolver.hosts = ["::1", "fe80::1"]
    assert await resolve("six.example:80") == ("[::1]:80",)


@pytest.mark.parametrize("name", ["service.example", "a b:80", "service.example:0"])
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=repr(name)):
        Dns(name)


@pytest.mark.parametrize("every_s", [0, -1.0, float("nan")])
def test_a_bad_time_is_refused(every_s: float) -> None:
    with pytest.raises(ValueError, match="every_s is not above 0"):
        Dns("localhost:80", every_s)
