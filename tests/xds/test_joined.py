"""The whole way: servers that join, the balancer that they join, and an unmodified client of gRPC that follows it."""

import time
from collections import deque
from contextlib import AsyncExitStack
from typing import Any

import grpc
import grpc.aio
from xds_fleet import Serving, caller

import lbsuite
from lbsuite.wire.door import AioDoor


class Costly:
    """A server whose utilization is what it did in the last second, times what a call costs."""

    def __init__(self, cost: float) -> None:
        self.address = ""
        self._cost = cost
        self._calls: deque[float] = deque()
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        handler = grpc.unary_unary_rpc_method_handler(self._answer)
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("who.Who", {"Are": handler})])

    async def start(self, balancer: str) -> None:
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        lbsuite.join(self._server, address=self.address, max_concurrent=10, lb=balancer, load=self._utilization)
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(None)

    def _utilization(self) -> float:
        while self._calls and self._calls[0] < time.monotonic() - 1:
            self._calls.popleft()
        return len(self._calls) * self._cost

    async def _answer(self, request: bytes, context: Any) -> bytes:
        self._calls.append(time.monotonic())
        return self.address.encode()


async def test_servers_that_join_get_calls_by_what_a_call_costs_them() -> None:
    policy = "client_side_weighted_round_robin:blackout_s=0,update_s=0.1"
    async with Serving(policy) as serving, AsyncExitStack() as ending:
        door = AioDoor(serving.balancer)
        balancer = await door.open("127.0.0.1:0")
        ending.push_async_callback(door.close, 0)
        cheap, dear = Costly(0.0001), Costly(0.0004)
        for server in (cheap, dear):
            await server.start(balancer)
            ending.push_async_callback(server.stop)
        async with caller(serving.door.address) as client:
            await client.becomes(lambda counts: counts[dear.address] > 0 and counts[cheap.address] > 0)
            await client.becomes(lambda counts: 145 <= counts[cheap.address] <= 175, times=200)
            await cheap.stop()
            assert await client.call(50) == {dear.address: 50}
