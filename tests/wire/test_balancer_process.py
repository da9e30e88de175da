"""A balancer as a process, with a real etcd and real backends that are killed."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lbsuite import cli
from lbsuite.fleet import Fleet, Lbsuite
from lbsuite.registry import grpc_go
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import Member, prefix
from lbsuite.registry.registration import Registration
from lookaside import DEADLINE_S, Caller, backends
from waiting import eventually


@asynccontextmanager
async def lb(*flags: str) -> AsyncIterator[tuple[Lbsuite, Caller]]:
    process = Lbsuite("lb", flags)
    await process.start()
    try:
        async with Caller(process.address) as caller:
            yield process, caller
    finally:
        await process.kill()


def etcd_client(etcd: str) -> EtcdClient:
    return EtcdClient(EtcdSettings((etcd,)))


async def test_sigterm_ends_it_with_status_0() -> None:
    async with lb("--no-etcd") as (process, caller):
        assert await caller.states() == {}
        assert await process.stop() == 0
        assert "Traceback" not in process.stderr_tail


async def test_it_is_in_etcd_while_it_runs(etcd: str, service: str) -> None:
    async with (
        etcd_client(etcd) as client,
        lb("--etcd", etcd, "--service", service) as (process, caller),
    ):
        keys = prefix(service, "balancers")

        async def told() -> bool:
            return list((await caller.status()).balancers) == [process.address]

        await eventually(told)
        (pair,) = (await client.range(keys, prefix=True)).kvs
        assert pair.key == keys + process.address.encode()
        assert json.loads(pair.value)["id"] > 0
        assert await process.stop() == 0
        assert not (await client.range(keys, prefix=True)).kvs


async def test_a_restarted_balancer_answers_at_once_from_etcd(etcd: str, service: str) -> None:
    async with (
        etcd_client(etcd) as client,
        lb("--etcd", etcd, "--service", service) as (process, caller),
    ):
        full = Member("127.0.0.1:1", limit=4, load=4, available=False)
        free = Member("127.0.0.2:1", limit=4, load=1)
        registrations = [Registration(client, member, service=service) for member in (full, free)]
        try:
            await caller.state_becomes(full.address, "FULL")
            await process.restart()
            async with Caller(process.address) as again:
                assert await again.picks(3, strategy="ROUND_ROBIN") == [free.address] * 3
        finally:
            for registration in registrations:
                await registration.close()


@pytest.mark.parametrize("layout", ["grpc-go", "both"])
async def test_a_fleet_is_moved_over_from_the_keys_of_go(layout: str, etcd: str, service: str) -> None:
    """A Go program names one endpoint; ours is found by both; the balancer's peers are told whatever the layout."""
    theirs = "127.0.0.1:1"
    etcd_flags = ("--etcd", etcd, "--service", service, "--etcd-layout")
    async with etcd_client(etcd) as client, lb(*etcd_flags, layout) as (process, caller):
        await client.put(f"{service}/any".encode(), grpc_go.record(Member(theirs)))
        backend = Lbsuite("backend", (*etcd_flags, layout))
        await backend.start()
        try:
            await eventually(lambda: _same(caller, {theirs, backend.address}))
            assert list((await caller.status()).balancers) == [process.address]
            (pair,) = (await client.range(f"{service}/{backend.address}".encode())).kvs
            assert pair.value == grpc_go.record(Member(backend.address))
            assert await backend.stop() == 0
            assert not (await client.range(pair.key)).kvs
        finally:
            await backend.kill()


async def test_etcd_killed_and_wiped_fails_no_pick_and_drops_nobody_who_registers_again() -> None:
    async with Fleet() as fleet, backends(2) as (first, second):
        server = await fleet.start_etcd()
        process = await fleet.start_lb("--ttl-s", "3")
        async with etcd_client(server.address) as client, Caller(process.address) as caller:
            members = [Member(backend.address) for backend in (first, second)]
            staying = Registration(client, members[0], ttl_s=3)
            going = Registration(client, members[1], ttl_s=3)
            both = {first.address, second.address}
            await eventually(lambda: _same(caller, both))
            await caller.reaches(first, second)
            await going.close()
            await server.kill()
            assert set(await caller.picks(20)) == both
            await server.restart(wipe=True)
            while set(await caller.states()) == both:
                await caller.pick()
            assert await caller.picks(5) == [first.address] * 5
            await staying.close()


async def _same(caller: Caller, addresses: set[str]) -> bool:
    return set(await caller.states()) == addresses


async def test_a_killed_backend_is_ejected_long_before_its_reports_are_missed_and_named_again_when_back() -> None:
    async with Fleet() as fleet:
        process = await fleet.start_lb("--no-etcd", "--ttl-s", "3600")
        first, second = await fleet.start_backends(2, "--report-ms", "3600000")
        async with Caller(process.address) as caller:
            both = {first.address, second.address}
            await eventually(lambda: _same(caller, both))
            assert set(await caller.picks(6, strategy="ROUND_ROBIN")) == both
            await first.kill()
            await caller.state_becomes(first.address, "EJECTED")
            assert set(await caller.picks(6, strategy="ROUND_ROBIN")) == {second.address}
            await first.restart()
            await caller.state_becomes(first.address, "READY")


async def test_a_killed_balancer_is_joined_again_by_its_backends() -> None:
    async with Fleet() as fleet:
        process = await fleet.start_lb()
        (backend,) = await fleet.start_backends(1)
        await process.restart()
        async with Caller(process.address) as caller:
            await caller.state_becomes(backend.address, "READY")
            assert (await caller.pick()).address == backend.address


async def test_picks_are_logged_on_stderr() -> None:
    async with lb("--no-etcd", "--log-picks") as (process, caller):
        await caller.register("127.0.0.1:1")
        await caller.pick(strategy="ROUND_ROBIN")
        await eventually(lambda: "pick round_robin -> 127.0.0.1:1, load 1" in process.stderr_tail)


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        (sys.executable, "-m", "lbsuite", *words),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=DEADLINE_S * 3,
        check=False,
    )


async def test_a_taken_port_is_one_line_and_status_1() -> None:
    async with lb("--no-etcd") as (process, _):
        ended = run("lb", "--no-etcd", "--listen", process.address)
        assert ended.returncode == 1
        assert re.fullmatch(rf"lbsuite lb: cannot listen on {process.address}: .*\n", ended.stderr)
        assert ended.stdout == ""


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--listen", "nohost"), ("--listen", "127.0.0.1:65536"), ("--policy", "bogus"), ("--load", "bogus"),
     ("--policy", "least_load:choices=0"), ("--allow", "10.0.0.0/40"), ("--ttl-s", "0"), ("--ttl-s", "1.5"),
     ("--service", "a/b"), ("--etcd", "127.0.0.1"), ("--advertise", "0.0.0.0:1"), ("--log-level", "loud"),
     ("--door", "bogus"), ("--etcd-user", "someone"), ("--nonsense", "1")],
)  # fmt: skip
def test_a_bad_flag_is_one_line_and_status_2(flag: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["lb", flag, value])
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert err.startswith("lbsuite lb: ")
    assert err.count("\n") == 1
    assert out == ""
