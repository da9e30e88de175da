"""What does it cost a call to find its endpoint: by asking a balancer, by a streamed list, or by gRPC's own xDS client?

A user's tiny service, which has joined a balancer and answers at once: a process each. All ways end at that one server,
and their peer is a plain grpc.aio channel to it; they run in turns, one call at a time and 64 at once. CPU is that of
caller, balancer and service together. The break-even is the length of a task from which on what a way adds to a call is
less than 10 % and 1 % of the task.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import grpc
import grpc.aio
import metering
import ratios

import lbsuite
from lbsuite.fleet import Fleet, Process
from lbsuite.wire import messages, services
from lbsuite.xds import bootstrap

NAME = "bench"
METHOD = "/bench.Service/Echo"
PEER = "a plain channel"
WAYS = (PEER, "asked each time", "streamed list", "xDS")
IN_FLIGHT = (1, 64)
DEADLINE_S = 10.0

Call = Callable[[bytes], Awaitable[bytes]]


@dataclass(slots=True)
class Costs:
    """Of one way and so many calls in flight, a figure a round: microseconds a call, calls a second."""

    p50_us: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)


class Service(Process):
    """This program with --serve: the user's service."""

    def __init__(self, balancer: str) -> None:
        super().__init__("service", "")
        self._balancer = balancer

    def _argv(self) -> Sequence[str]:
        return (sys.executable, __file__, "--serve", self._balancer)

    async def _ready(self, lines: asyncio.Queue[str]) -> None:
        self.address = await lines.get()


async def serve(balancer: str) -> None:
    async def echo(request: bytes, context: object) -> bytes:
        return request

    _, service, method = METHOD.split("/")
    server = grpc.aio.server()
    handler = grpc.method_handlers_generic_handler(service, {method: grpc.unary_unary_rpc_method_handler(echo)})
    server.add_generic_rpc_handlers([handler])
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    lbsuite.join(server, address=address, service=NAME, lb=balancer, max_concurrent=10_000, signals=True)
    await server.start()
    print(address, flush=True)
    await server.wait_for_termination()


def asked_each_time(asked: grpc.aio.Channel, service: grpc.aio.Channel) -> Call:
    """What a caller of the look-aside API does, with kept connections."""
    best, echo = services.stub(asked, "LoadBalancer").GetBestServer, service.unary_unary(METHOD)
    request = messages.BalanceRequest(service=NAME)

    async def call(data: bytes) -> bytes:
        pick = await best(request, timeout=DEADLINE_S)
        answer: bytes = await echo(data, timeout=DEADLINE_S, metadata=((services.PICK_METADATA, str(pick.token)),))
        return answer

    return call


def alone(target: str) -> grpc.aio.Channel:
    """As a user makes one, but that channels to one server share no connection."""
    return grpc.aio.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)])


def straight(channel: grpc.aio.Channel) -> Call:
    echo = channel.unary_unary(METHOD)
    return lambda data: echo(data, timeout=DEADLINE_S, wait_for_ready=True)


async def crowd(call: Call, calls: int, in_flight: int, others: Sequence[Process]) -> tuple[float, float, float]:
    """Microseconds of the median call, microseconds of everybody's CPU a call, calls a second."""
    took: list[float] = []

    async def caller() -> None:
        for _ in range(calls // in_flight):
            begun = time.perf_counter()
            await call(b"request")
            took.append(time.perf_counter() - begun)

    begun, cpu_s = time.perf_counter(), time.process_time() + metering.cpu_s(others)
    await asyncio.gather(*(caller() for _ in range(in_flight)))
    spent_s = time.process_time() + metering.cpu_s(others) - cpu_s
    return 1e6 * statistics.median(took), 1e6 * spent_s / len(took), len(took) / (time.perf_counter() - begun)


async def measure(rounds: int, calls: int) -> None:
    async with contextlib.AsyncExitStack() as stack:
        fleet = await stack.enter_async_context(Fleet())
        balancer = await fleet.start_lb(xds="127.0.0.1:0")
        os.environ[bootstrap.VARIABLE] = json.dumps(bootstrap.for_grpc([str(balancer.xds)]))
        service = Service(balancer.address)
        await service.start()
        stack.push_async_callback(service.stop)
        targets = [alone(service.address), lbsuite.channel(f"lb://{balancer.address}/{NAME}")]
        targets += [alone(f"xds:///{NAME}"), alone(balancer.address)]
        plain, streamed, xds, asked = [await stack.enter_async_context(target) for target in targets]
        sides = (straight(plain), asked_each_time(asked, plain), straight(streamed), straight(xds))
        ways = dict(zip(WAYS, sides, strict=True))
        show(await in_turns(ways, rounds, calls, (balancer, service)))


async def in_turns(
    ways: dict[str, Call], rounds: int, calls: int, others: Sequence[Process]
) -> dict[tuple[int, str], Costs]:
    found = {(in_flight, way): Costs() for in_flight in IN_FLIGHT for way in ways}
    for call in ways.values():
        await crowd(call, 64, 64, ())
    for number, in_flight in itertools.product(range(rounds), IN_FLIGHT):
        first = number % len(WAYS)
        for way in WAYS[first:] + WAYS[:first]:
            costs = found[in_flight, way]
            p50_us, cpu_us, rate = await crowd(ways[way], calls if in_flight > 1 else calls // 4, in_flight, others)
            costs.p50_us.append(p50_us)
            costs.cpu_us.append(cpu_us)
            costs.rate.append(rate)
    return found


def show(found: dict[tuple[int, str], Costs]) -> None:
    """Two tables: each way beside the plain channel, and what it adds to a call as a share of tasks."""
    figures = f"{'p50, us':26} {'over plain':22} {'CPU, us':26} {'over plain':22} calls/s over plain"
    print(f"in flight  {'way':16} {figures}")
    for (in_flight, way), costs in found.items():
        plain = found[in_flight, PEER]
        slower, dearer = ratios.over(costs.p50_us, plain.p50_us), ratios.over(costs.cpu_us, plain.cpu_us)
        first = f"{ratios.spread(costs.p50_us, 0):26} {ratios.spread(slower):22}"
        second = f"{ratios.spread(costs.cpu_us, 0):26} {ratios.spread(dearer):22}"
        print(f"{in_flight:9}  {way:16} {first} {second} {ratios.spread(ratios.over(costs.rate, plain.rate))}")
    print("\nadded to a call, and the length of task of which it is less than 10 %, than 1 %")
    for way in WAYS[1:]:
        alone, plain = found[1, way], found[1, PEER]
        for what, ours, theirs in (("p50", alone.p50_us, plain.p50_us), ("CPU", alone.cpu_us, plain.cpu_us)):
            added_us = statistics.median(one - other for one, other in zip(ours, theirs, strict=True))
            lengths = f"{max(added_us, 0) / 1e2:8.1f} ms {max(added_us, 0) / 1e1:8.1f} ms"
            print(f"{way:16} {what}  {added_us:7.0f} us  {lengths}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", metavar="BALANCER", help="be the service; for this program itself")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--calls", type=int, default=4000, help="of each way in a round, with 64 in flight")
    args = parser.parse_args()
    asyncio.run(serve(args.serve) if args.serve else measure(args.rounds, args.calls))


if __name__ == "__main__":
    main()
