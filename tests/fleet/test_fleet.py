import asyncio

import psutil
import pytest

from lbsuite.errors import StartFailed
from lbsuite.fleet import Fleet
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import prefix
from waiting import eventually


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


async def test_nothing_is_left_when_the_caller_fails() -> None:
    before = children()

    async def fail() -> None:
        async with Fleet() as fleet:
            etcd = await fleet.start_etcd()
            assert etcd.pid in children()
            raise RuntimeError("of the caller")

    with pytest.raises(RuntimeError, match="of the caller"):
        await fail()
    assert children() == before


async def test_nothing_is_left_when_closing_is_given_up() -> None:
    before = children()
    fleet = Fleet()
    etcd = await fleet.start_etcd()
    etcd.pause()
    closing = asyncio.create_task(fleet.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    assert children() == before


async def test_a_process_that_fails_is_told_and_the_rest_goes_with_the_fleet() -> None:
    before = children()
    async with Fleet() as fleet:
        await fleet.start_etcd()
        with pytest.raises(StartFailed, match=r"^lb ended with status [12]: .+"):
            await fleet.start_lb("--no-such-flag")
        with pytest.raises(StartFailed, match=r"^backend ended with status [12]: .+"):
            await fleet.start_backends(2, "--no-such-flag", lb=["127.0.0.1:1"])
        assert (fleet.balancers, fleet.backends) == ([], [])
    assert children() == before


async def test_a_fleet_comes_up_registers_and_leaves_no_key_behind(etcd: str, service: str) -> None:
    pytest.importorskip("lbsuite.cli.lb")
    pytest.importorskip("lbsuite.cli.backend")
    client = EtcdClient(EtcdSettings((etcd,)))

    async def keys_are(wanted: set[str]) -> bool:
        start = prefix(service)
        pairs = (await client.range(start, prefix=True)).kvs
        return {pair.key.removeprefix(start).decode() for pair in pairs} == wanted

    before = children()
    async with Fleet(service, etcd=[etcd]) as fleet:
        balancer = await fleet.start_lb()
        backends = await fleet.start_backends(3)
        assert len({balancer.address, *(backend.address for backend in backends)}) == 4
        everyone = {f"balancers/{balancer.address}", *(f"endpoints/{backend.address}" for backend in backends)}
        await eventually(lambda: keys_are(everyone))
        address = backends[0].address
        await backends[0].kill()
        await backends[0].restart()
        assert backends[0].address == address
    assert children() == before
    assert await keys_are(set())
    await client.close()
