"""End to end with parts made from `look_aside.proto` alone: no package, no etcd, no health, no field of ours."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message_factory import GetMessages
from grpc_tools import protoc

from lbsuite.fleet import Fleet
from waiting import eventually

DEADLINE_S = 20.0
LIMIT = 3
REPORT_S = 0.05


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The messages of the file by name, compiled here and now."""
    compiled = tmp_path_factory.mktemp("api") / "look_aside.binpb"
    folder = Path(__file__).parent
    assert protoc.main(["", f"-I{folder}", f"--descriptor_set_out={compiled}", "look_aside.proto"]) == 0
    return SimpleNamespace(**GetMessages(FileDescriptorSet.FromString(compiled.read_bytes()).file))


class BareBalancer:
    """A balancer as code generated from the file would call it."""

    def __init__(self, api: Any, channel: grpc.aio.Channel) -> None:
        self._api, self._channel = api, channel

    async def register(self, address: str) -> None:
        await self._call("RegisterServer", self._api.ServerInfo(address=address), self._api.RegisterResponse)

    async def report(self, address: str, load: int) -> None:
        report = self._api.ServerLoad(address=address, load=load, available=load < LIMIT)
        await self._call("ReportLoad", report, self._api.LoadResponse)

    async def pick(self, strategy: int) -> str:
        request = self._api.BalanceRequest(strategy=strategy)
        return str((await self._call("GetBestServer", request, self._api.ServerInfo)).address)

    async def _call(self, method: str, request: Any, reply: Any) -> Any:
        call = self._channel.unary_unary(f"/LoadBalancer/{method}", type(request).SerializeToString, reply.FromString)
        return await call(request, timeout=DEADLINE_S)


class BareBackend:
    """Answers Compute with its own address; reports its load at every change and every REPORT_S."""

    def __init__(self, api: Any, balancer: BareBalancer) -> None:
        self.server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.registered = asyncio.Event()
        self._api, self._balancer, self._load = api, balancer, 0
        handler = grpc.unary_unary_rpc_method_handler(
            self._compute, api.TaskRequest.FromString, api.TaskResponse.SerializeToString
        )
        table = {"Compute": handler}
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("BackendService", table),))

    async def _compute(self, request: Any, context: Any) -> Any:
        await self._change(1)
        await asyncio.sleep(0.002)
        await self._change(-1)
        return self._api.TaskResponse(result=self.address)

    async def _change(self, by: int) -> None:
        self._load += by
        await self._balancer.report(self.address, self._load)

    async def serve(self) -> None:
        await self.server.start()
        await self._balancer.register(self.address)
        self.registered.set()
        while True:
            await self._balancer.report(self.address, self._load)
            await asyncio.sleep(REPORT_S)


@asynccontextmanager
async def bare_balancer(api: Any, fleet: Fleet) -> AsyncIterator[BareBalancer]:
    async with grpc.aio.insecure_channel((await fleet.start_lb()).address) as channel:
        yield BareBalancer(api, channel)


@asynccontextmanager
async def bare_backends(api: Any, balancer: BareBalancer, count: int) -> AsyncIterator[list[BareBackend]]:
    """In the order in which they register."""
    backends = [BareBackend(api, balancer) for _ in range(count)]
    serving = []
    for backend in backends:
        serving.append(asyncio.create_task(backend.serve()))
        await asyncio.wait_for(backend.registered.wait(), DEADLINE_S)
    try:
        yield backends
    finally:
        for task, backend in zip(serving, backends, strict=True):
            task.cancel()
            await backend.server.stop(None)
        await asyncio.gather(*serving, return_exceptions=True)


async def compute(api: Any, address: str, task: str = "1") -> str:
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_unary(
            "/BackendService/Compute", api.TaskRequest.SerializeToString, api.TaskResponse.FromString
        )
        return str((await call(api.TaskRequest(task=task), timeout=DEADLINE_S)).result)


async def test_bare_callers_are_balanced_over_bare_backends(api: Any) -> None:
    async with Fleet() as fleet, bare_balancer(api, fleet) as balancer, bare_backends(api, balancer, 3) as backends:
        first, *_ = addresses = [backend.address for backend in backends]
        for strategy, expected in ((0, {first: 12}), (1, dict.fromkeys(addresses, 4))):
            assert Counter([await compute(api, await balancer.pick(strategy)) for _ in range(12)]) == expected
        least = Counter([await compute(api, await balancer.pick(2)) for _ in range(60)])
        assert min(least[address] for address in addresses) >= 5
        await backends[0].server.stop(None)

        async def gone() -> bool:
            return await balancer.pick(0) != first

        await eventually(gone)


async def test_bare_callers_run_their_tasks_on_our_backends(api: Any) -> None:
    async with Fleet() as fleet, bare_balancer(api, fleet) as balancer:
        (backend,) = await fleet.start_backends(1)
        for strategy in (0, 1, 2):
            assert await balancer.pick(strategy) == backend.address
            assert await compute(api, backend.address, "20") == "6765"


async def test_bare_backends_that_are_all_full_exhaust_the_resource(api: Any) -> None:
    async with Fleet() as fleet, bare_balancer(api, fleet) as balancer:
        await balancer.register("127.0.0.1:1")
        await balancer.report("127.0.0.1:1", LIMIT)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await balancer.pick(2)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
