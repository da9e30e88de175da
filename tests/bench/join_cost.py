"""What does a call cost a server that joined, beside the same server without?

Both kinds of servers, each with its peer in turns, one unary call at a time and 64 at once, over loopback and from this
very process: the caller's own work is in every figure, so the ratio understates and the difference does not. Figures
are CPU time, which other work on the machine moves less than the clock.
"""

import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import grpc.aio
import ratios

import lbsuite

CALLS = 3000
ROUNDS = 7
AT_ONCE = (1, 64)
BAR = 1.15


async def echo(request: bytes, context: Any) -> bytes:
    return request


def plain_echo(request: bytes, context: Any) -> bytes:
    return request


def made(kind: str, *, joins: bool) -> tuple[Any, str]:
    """A server that echoes, and its address."""
    server = grpc.aio.server() if kind == "aio" else grpc.server(ThreadPoolExecutor(80))
    handler = grpc.unary_unary_rpc_method_handler(echo if kind == "aio" else plain_echo)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", {"Echo": handler}),))
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    if joins:
        lbsuite.join(server, address=address, max_concurrent=70)  # type: ignore[call-overload]
    return server, address


async def us_a_call(channel: grpc.aio.Channel, at_once: int) -> float:
    call = channel.unary_unary("/bench.Echo/Echo")

    async def one_by_one(calls: int) -> None:
        for _ in range(calls):
            await call(b"x")

    start_s = time.process_time()
    await asyncio.gather(*(one_by_one(CALLS // at_once) for _ in range(at_once)))
    return 1e6 * (time.process_time() - start_s) / (CALLS // at_once * at_once)


async def measure(kind: str) -> None:
    servers = [made(kind, joins=joins) for joins in (False, True)]
    for server, _ in servers:
        await server.start() if kind == "aio" else server.start()
    channels = [grpc.aio.insecure_channel(address) for _, address in servers]
    for at_once in AT_ONCE:
        costs: list[list[float]] = [[], []]
        for channel in channels:
            await us_a_call(channel, at_once)
        for turn in range(ROUNDS):
            for side in (0, 1) if turn % 2 else (1, 0):
                costs[side].append(await us_a_call(channels[side], at_once))
        more = [ours - theirs for theirs, ours in zip(*costs, strict=True)]
        times = ratios.over(costs[1], costs[0])
        verdict = ratios.verdict(statistics.median(times), BAR)
        print(f"{kind:8}{at_once:4} at once  {ratios.spread(costs[0], 0):22} {ratios.spread(costs[1], 0):22} "
              f"{ratios.spread(more, 1):24} {ratios.spread(times)}, {verdict}")  # fmt: skip
    for channel in channels:
        await channel.close()
    for server, _ in servers:
        await server.stop(None) if kind == "aio" else server.stop(None)


def main() -> None:
    print(f"{'':20}   {'us of CPU, without':22} {'joined':22} {'more':24} times")
    for kind in ("aio", "threads"):
        asyncio.run(measure(kind))


if __name__ == "__main__":
    main()
