import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from certificates import Certificates

from lbsuite.errors import Unreachable
from lbsuite.fleet import EtcdServer
from lbsuite.registry.etcd import EtcdSource, balancers
from lbsuite.registry.etcd_client import EtcdClient, LeaseGone
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import Member, prefix
from lbsuite.registry.registration import Registration
from lbsuite.registry.source import Source
from listener import Listener

Listen = Callable[[Source], Listener]
AskGateway = Callable[..., dict[str, object]]


@pytest.fixture
def dead() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


async def test_a_swap_writes_only_over_what_was_seen(client: EtcdClient, service: str) -> None:
    folder = prefix(service) + b"log/"
    for name in (b"1", b"2", b"3"):
        assert await client.swap(folder + name, name, 0)
        assert not await client.swap(folder + name, b"other", 0)
    kept = prefix(service) + b"kept"
    await client.put(kept, b"old")
    (pair,) = (await client.range(kept)).kvs
    assert not await client.swap(kept, b"stale", pair.mod_revision - 1, folder + b"9")
    assert (await client.range(folder, prefix=True, count_only=True)).count == 3
    assert await client.swap(kept, b"new", pair.mod_revision, folder + b"3")
    assert [found.value for found in (await client.range(folder, prefix=True)).kvs] == [b"3"]
    assert [found.value for found in (await client.range(kept)).kvs] == [b"new"]


async def test_what_was_put_is_read_back_alone_and_under_its_prefix(client: EtcdClient, service: str) -> None:
    start = prefix(service)
    for name in (b"a", b"b"):
        await client.put(start + name, name.upper())
    assert [pair.value for pair in (await client.range(start + b"a")).kvs] == [b"A"]
    assert [pair.value for pair in (await client.range(start, prefix=True)).kvs] == [b"A", b"B"]
    assert (await client.range(start, prefix=True, count_only=True)).count == 2
    assert await client.delete(start, prefix=True) == 2
    assert not (await client.range(start, prefix=True)).kvs


async def test_a_lease_takes_its_keys_with_it_and_is_gone_after(client: EtcdClient, service: str) -> None:
    lease, granted_s = await client.grant(5)
    assert granted_s >= 5
    await client.put(prefix(service), b"", lease)
    await client.keep_alive(lease)
    await client.revoke(lease)
    assert not (await client.range(prefix(service))).kvs
    for call in (client.keep_alive(lease), client.revoke(lease), client.put(prefix(service), b"", lease)):
        with pytest.raises(LeaseGone):
            await call


async def test_a_dead_endpoint_costs_one_try_and_is_not_asked_first_again(etcd: str, dead: str, service: str) -> None:
    async with EtcdClient(EtcdSettings((dead, etcd))) as client:
        for _ in range(3):
            await client.put(prefix(service), b"x")
        registration = Registration(client, Member("127.0.0.1:4001"), service=service, ttl_s=2)
        await asyncio.wait_for(registration.registered.wait(), 5)
        await registration.close()


async def test_an_endpoint_that_dies_is_left_for_the_next(etcd: str, own_etcd: EtcdServer, service: str) -> None:
    async with EtcdClient(EtcdSettings((own_etcd.address, etcd))) as client:
        await client.put(prefix(service), b"in the first")
        own_etcd.pause()
        assert not (await client.range(prefix(service))).kvs
        own_etcd.resume()


async def test_nobody_there_is_one_clear_line(dead: str) -> None:
    async with EtcdClient(EtcdSettings((dead,))) as client:
        with pytest.raises(Unreachable, match=rf"^etcd at {re.escape(dead)}: .*refused.*$"):
            await balancers(client)


async def test_a_frozen_etcd_holds_no_caller_longer_than_the_deadline(own_etcd: EtcdServer) -> None:
    async with EtcdClient(EtcdSettings((own_etcd.address,)), try_s=0.5) as client:
        await client.put(b"/x", b"")
        lease, _ = await client.grant(60)
        own_etcd.pause()
        calls = (client.range(b"/x"), client.put(b"/x", b""), client.delete(b"/x"), client.grant(5))
        for call in (*calls, client.keep_alive(lease), client.revoke(lease)):
            with pytest.raises(Unreachable):
                await asyncio.wait_for(call, 5)
        own_etcd.resume()
        assert (await asyncio.wait_for(client.range(b"/x"), 5)).header.revision > 0


async def test_a_watch_of_a_frozen_etcd_ends(own_etcd: EtcdServer) -> None:
    async with EtcdClient(EtcdSettings((own_etcd.address,)), try_s=0.5) as client, asyncio.timeout(10):
        answers = client.watch(b"/x", 1, quiet_s=0.2)
        assert (await anext(answers)).created
        assert not (await anext(answers)).events, "a sign of life is no event"
        own_etcd.pause()
        with pytest.raises(Unreachable):
            async for _ in answers:
                pass


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"endpoints": ()}, "no etcd endpoint"),
        ({"endpoints": ("http://127.0.0.1:2379",)}, "http://127.0.0.1:2379"),
        ({"user": "root"}, "user and password go together"),
        ({"ca": "ca.pem", "cert": "cert.pem"}, "cert and key go together"),
        ({"cert": "cert.pem", "key": "key.pem"}, "cert without a ca"),
        ({"layout": "consul"}, "layout is not one of lbsuite, grpc-go, both: 'consul'"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EtcdSettings(**({"endpoints": ("127.0.0.1:2379",)} | fields))  # type: ignore[arg-type]


def test_a_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match=r"'/nowhere/ca\.pem': No such file"):
        EtcdClient(EtcdSettings(("127.0.0.1:2379",), ca="/nowhere/ca.pem"))


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(EtcdSettings(("127.0.0.1:2379",), user="root", password="secret"))


@pytest.fixture
def guarded(own_etcd: EtcdServer, ask_gateway: AskGateway) -> EtcdServer:
    """An etcd that asks for a password."""
    ask_gateway(own_etcd, "auth/user/add", name="root", password="secret")
    ask_gateway(own_etcd, "auth/role/add", name="root")
    ask_gateway(own_etcd, "auth/user/grant", user="root", role="root")
    ask_gateway(own_etcd, "auth/enable")
    return own_etcd


async def test_user_and_password_open_a_guarded_etcd_also_when_a_token_is_refused(
    guarded: EtcdServer, service: str, listen: Listen, ask_gateway: AskGateway
) -> None:
    async with EtcdClient(EtcdSettings((guarded.address,), user="root", password="secret")) as client:
        source = EtcdSource(client, service)
        listener = listen(source)
        registration = Registration(client, Member("127.0.0.1:4001"), service=service, ttl_s=2)
        await listener.until(lambda heard: bool(heard.members))
        token = ask_gateway(guarded, "auth/authenticate", name="root", password="secret")["token"]
        # Even to what it was: all tokens of the user are void.
        ask_gateway(guarded, "auth/user/changepw", token=token, name="root", password="secret")
        registration.update(Member("127.0.0.1:4001", weight=2))
        await listener.until(lambda heard: bool(heard.members) and heard.members["127.0.0.1:4001"].weight == 2)
        await guarded.restart()
        registration.update(Member("127.0.0.1:4001", weight=3))
        await listener.until(lambda heard: bool(heard.members) and heard.members["127.0.0.1:4001"].weight == 3)
        await registration.close()
        await listener.until(lambda heard: not heard.members)
        await source.close()


@pytest.mark.parametrize("password", ["wrong", None])
async def test_a_guarded_etcd_refuses_who_does_not_know_the_password(guarded: EtcdServer, password: str | None) -> None:
    settings = EtcdSettings((guarded.address,), user=password and "root", password=password)
    async with EtcdClient(settings) as client:
        with pytest.raises(Unreachable, match=r"authentication failed|user name is empty"):
            await balancers(client)


async def test_a_password_where_none_is_asked_for_does_no_harm(etcd: str, service: str) -> None:
    async with EtcdClient(EtcdSettings((etcd,), user="root", password="secret")) as client:
        assert await balancers(client, service) == frozenset()


@pytest.fixture
async def private_etcd(certificates: Certificates) -> AsyncIterator[EtcdServer]:
    """An etcd that speaks TLS, and only with who shows the certificate."""
    context = ssl.create_default_context(cafile=certificates.cert)
    context.load_cert_chain(certificates.cert, certificates.key)
    cert, key = certificates.cert, certificates.key
    flags = (f"--cert-file={cert}", f"--key-file={key}", "--client-cert-auth", f"--trusted-ca-file={cert}")
    server = EtcdServer(flags=flags, tls=context)
    await server.start()
    yield server
    await server.kill()
    server.clean()


async def test_tls_with_a_certificate_of_our_own(private_etcd: EtcdServer, certificates: Certificates) -> None:
    cert, key = certificates.cert, certificates.key
    async with EtcdClient(EtcdSettings((private_etcd.address,), ca=cert, cert=cert, key=key)) as client:
        await client.put(b"/x", b"y")
        assert (await client.range(b"/x")).kvs[0].value == b"y"
    for stranger in (EtcdSettings((private_etcd.address,)), EtcdSettings((private_etcd.address,), ca=cert)):
        async with EtcdClient(stranger) as client:
            with pytest.raises(Unreachable):
                await client.range(b"/x")
