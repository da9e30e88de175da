"""What etcd's own library for Go writes, we read; what we write, gRPC's resolver in Go reads."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from lbsuite.registry import grpc_go, layouts
from lbsuite.registry.etcd import EtcdSource
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import Member
from lbsuite.registry.registration import Registration
from lbsuite.registry.source import Source
from listener import Listener
from outside import go_program

pytestmark = pytest.mark.slow

Listen = Callable[[Source], Listener]
Run = Callable[..., contextlib.AbstractAsyncContextManager[asyncio.subprocess.Process]]
OURS, THEIRS = "127.0.0.1:4001", "127.0.0.1:4002"


@pytest.fixture(scope="module")
def program() -> str:
    return go_program(Path(__file__).with_name("go_naming"))


@pytest.fixture
def run(program: str) -> Run:
    """Runs the program; it ends with the block, and well."""

    @contextlib.asynccontextmanager
    async def start(*words: str) -> AsyncIterator[asyncio.subprocess.Process]:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(program, *words, stdin=pipe, stdout=pipe)
        assert process.stdin is not None
        try:
            yield process
            process.stdin.close()
            assert await asyncio.wait_for(process.wait(), 30) == 0
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    return start


async def said(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()


async def until_said(process: asyncio.subprocess.Process, wanted: list[str]) -> None:
    while json.loads(await said(process)) != wanted:
        pass


async def test_an_endpoint_that_go_names_is_ours_until_go_deletes_it(
    run: Run, etcd: str, client: EtcdClient, service: str, listen: Listen
) -> None:
    source = EtcdSource(client, service, layout="grpc-go")
    listener = listen(source)
    await listener.until(lambda heard: heard.balancers is not None)
    async with run("add", etcd, service, THEIRS) as go:
        await listener.until(lambda heard: list(heard.members) == [THEIRS])
        assert await said(go) == "added"
        (pair,) = (await client.range(grpc_go.prefix(service), prefix=True)).kvs
        assert pair.key == f"{service}/{THEIRS}".encode()
        assert pair.value == grpc_go.record(Member(THEIRS)), "what we write is not what Go writes"
    await listener.until(lambda heard: not heard.members)
    assert source.skipped == 0
    await source.close()


async def test_an_endpoint_of_ours_is_resolved_by_go_until_it_drains(
    run: Run, etcd: str, client: EtcdClient, service: str
) -> None:
    async with run("follow", etcd, service) as go:
        registration = Registration(client, Member(OURS), service=service, layout="both")
        await until_said(go, [OURS])
        registration.update(Member(OURS, load=3))
        other = Registration(client, Member(THEIRS), service=service, layout="grpc-go")
        await until_said(go, sorted([OURS, THEIRS]))
        registration.update(Member(OURS, state="draining"))
        await until_said(go, [THEIRS])
        await other.close()
        await until_said(go, [])
        await registration.close()


async def test_a_mixed_fleet_is_one_for_who_reads_both(run: Run, etcd: str, service: str, listen: Listen) -> None:
    settings = EtcdSettings((etcd,), layout="both")
    source = layouts.followed(settings, service)
    listener = listen(source)
    async with EtcdClient(settings) as client, run("add", etcd, service, THEIRS), run("follow", etcd, service) as go:
        registration = Registration(client, Member(OURS, weight=3), service=service, layout="both")
        await listener.until(lambda heard: heard.members.keys() == {OURS, THEIRS} and heard.members[OURS].weight == 3)
        await until_said(go, sorted([OURS, THEIRS]))
        await registration.close()
    await listener.until(lambda heard: not heard.members)
    await source.close()
