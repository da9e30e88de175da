"""Callers and backends made from the look-aside API alone work unmodified: no etcd, no health, no new field."""

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
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

from lbsuite.fleet import Fleet

SCHEMA = Path(__file__).with_name("look_aside.proto")
DEADLINE_S = 10.0


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The messages of the schema, as protoc compiles it."""
    compiled = tmp_path_factory.mktemp("schema") / "look_aside.binpb"
    assert protoc.main(["protoc", f"-I{SCHEMA.parent}", f"--descriptor_set_out={compiled}", str(SCHEMA)]) == 0
    (file,) = descriptor_pb2.FileDescriptorSet.FromString(compiled.read_bytes()).file
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindFileByName(file.name).message_types_by_name
    return SimpleNamespace(**{name: message_factory.GetMessageClass(message) for name, message in found.items()})


def calls(channel: grpc.aio.Channel, bare: SimpleNamespace) -> SimpleNamespace:
    def unary(path: str, request: str, reply: str) -> Any:
        return channel.unary_unary(path, getattr(bare, request).SerializeToString, getattr(bare, reply).FromString)

    return SimpleNamespace(
        register=unary("/LoadBalancer/RegisterServer", "ServerInfo", "RegisterResponse"),
        report=unary("/LoadBalancer/ReportLoad", "ServerLoad", "LoadResponse"),
        pick=unary("/LoadBalancer/GetBestServer", "BalanceRequest", "ServerInfo"),
        compute=unary("/BackendService/Compute", "TaskRequest", "TaskResponse"),
    )


@asynccontextmanager
async def foreign_backend(bare: SimpleNamespace) -> AsyncIterator[str]:
    """A backend that knows Compute and nothing else; it answers with its own port."""
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")

    async def compute(request: Any, context: Any) -> Any:
        return bare.TaskResponse(result=str(port))

    handler = grpc.unary_unary_rpc_method_handler(
        compute, bare.TaskRequest.FromString, bare.TaskResponse.SerializeToString
    )
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("BackendService", {"Compute": handler})])
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


async def test_foreign_callers_and_foreign_backends_meet_over_the_balancer(bare: SimpleNamespace) -> None:
    async with Fleet() as fleet, foreign_backend(bare) as one, foreign_backend(bare) as two:
        balancer = await fleet.start_lb()
        async with grpc.aio.insecure_channel(balancer.address) as channel:
            call = calls(channel, bare)
            for address in (one, two):
                await call.register(bare.ServerInfo(address=address), timeout=DEADLINE_S)
                await call.report(bare.ServerLoad(address=address, load=0, available=True), timeout=DEADLINE_S)
            served = Counter()
            for strategy in [0] * 4 + [1] * 6 + [2] * 6:
                picked = await call.pick(bare.BalanceRequest(strategy=strategy), timeout=DEADLINE_S)
                async with grpc.aio.insecure_channel(picked.address) as backend:
                    reply = await calls(backend, bare).compute(bare.TaskRequest(task="anything"), timeout=DEADLINE_S)
                assert picked.address.endswith(f":{reply.result}")
                served[strategy, picked.address] += 1
            assert served[0, one] == 4
            assert served[1, one] == served[1, two] == 3
            assert served[2, two] > served[2, one]  # pick_first's four are on their way to the other
            await call.report(bare.ServerLoad(address=one, load=10, available=False), timeout=DEADLINE_S)
            picks = [await call.pick(bare.BalanceRequest(), timeout=DEADLINE_S) for _ in range(5)]
            assert {pick.address for pick in picks} == {two}


async def test_foreign_callers_use_our_backends(bare: SimpleNamespace) -> None:
    async with Fleet() as fleet:
        balancer = await fleet.start_lb()
        await fleet.start_backends(2)

        async def caller() -> tuple[str, str]:
            async with grpc.aio.insecure_channel(balancer.address) as channel:
                picked = await calls(channel, bare).pick(bare.BalanceRequest(strategy=2), timeout=DEADLINE_S)
            async with grpc.aio.insecure_channel(picked.address) as backend:
                reply = await calls(backend, bare).compute(bare.TaskRequest(task="sleep:0.1"), timeout=DEADLINE_S)
            return picked.address, reply.result

        answers = [answer for _ in range(5) for answer in await asyncio.gather(*(caller() for _ in range(8)))]
        assert {result for _, result in answers} == {"done"}
        shares = Counter(address for address, _ in answers)
        assert len(shares) == 2
        assert min(shares.values()) >= 12  # no token comes back, and yet they are told apart
