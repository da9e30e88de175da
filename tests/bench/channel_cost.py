"""What does lbsuite.channel cost a call beside a plain grpc.aio channel to the same backend?

One backend of grpc.aio in a process of its own, which answers at once. At 64 in flight both sides run in turns, and the
ratio is of calls a second; one at a time they take turns call by call, and the difference is of medians. CPU is the
caller's, all its threads: what others do on the machine moves it least.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from typing import Any

import grpc
import grpc.aio
import ratios

import lbsuite

METHOD = "/bench.Service/Echo"
MOST_RATIO_LOST = 0.08
MOST_US = 15.0
DEADLINE_S = 10.0


async def serve() -> None:
    """A backend, until its standard input ends."""

    async def echo(request: bytes, context: object) -> bytes:
        return request

    _, service, method = METHOD.split("/")
    handler = grpc.method_handlers_generic_handler(service, {method: grpc.unary_unary_rpc_method_handler(echo)})
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([handler])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


async def crowd(echo: Any, calls: int, in_flight: int) -> tuple[float, float]:
    """Calls a second, and microseconds of CPU a call."""

    async def caller() -> None:
        for _ in range(calls // in_flight):
            await echo(b"request", timeout=DEADLINE_S)

    begun, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(in_flight)))
    return calls / (time.perf_counter() - begun), 1e6 * (time.process_time() - cpu) / calls


async def in_turns(plain: Any, ours: Any, calls: int) -> tuple[float, float]:
    """The median call of each, in microseconds."""
    took: tuple[list[float], list[float]] = ([], [])
    for turn in range(calls):
        for side in (0, 1) if turn % 2 else (1, 0):
            begun = time.perf_counter()
            await (plain, ours)[side](b"request", timeout=DEADLINE_S)
            took[side].append(1e6 * (time.perf_counter() - begun))
    return statistics.median(took[0]), statistics.median(took[1])


async def measure(port: int, rounds: int, calls: int) -> None:
    """Prints a line a round, then the medians with their ranges."""
    plain = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
    ours = lbsuite.channel(f"static://127.0.0.1:{port}")
    sides = [channel.unary_unary(METHOD) for channel in (plain, ours)]
    for side in sides:
        await crowd(side, 1000, 64)
    rates: tuple[list[float], list[float]] = ([], [])
    cpus: tuple[list[float], list[float]] = ([], [])
    added: list[float] = []
    for number in range(rounds):
        for side in (0, 1) if number % 2 else (1, 0):
            rate, cpu = await crowd(sides[side], calls, 64)
            rates[side].append(rate)
            cpus[side].append(cpu)
        one, other = await in_turns(*sides, calls // 8)
        added.append(other - one)
        print(
            f"plain {rates[0][-1]:.0f} calls/s, p50 {one:.0f} us; ours {rates[1][-1]:.0f} calls/s, p50 {other:.0f} us"
        )
    lost = [1 - each for each in ratios.over(rates[1], rates[0])]
    more = [other - one for one, other in zip(*cpus, strict=True)]
    print(f"64 in flight: {ratios.spread(cpus[0], 1)} us of CPU a plain call, {ratios.spread(more, 1)} us more ours")
    print(f"64 in flight: share of calls/s lost {ratios.spread(lost, 3)}", end=", ")
    print(ratios.verdict(statistics.median(lost), MOST_RATIO_LOST))
    print(f"one in flight: added to the median {ratios.spread(added, 1)} us", end=", ")
    print(ratios.verdict(statistics.median(added), MOST_US))
    await ours.close()
    await plain.close()


def blocking(port: int, rounds: int, calls: int) -> None:
    """The same for channels whose calls block, one at a time: a line of medians, one of CPU."""
    plain = grpc.insecure_channel(f"127.0.0.1:{port}")
    ours = lbsuite.sync_channel(f"static://127.0.0.1:{port}")
    sides: list[Any] = [channel.unary_unary(METHOD) for channel in (plain, ours)]
    medians: tuple[list[float], list[float]] = ([], [])
    cpus: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for side in (0, 1) if number % 2 else (1, 0):
            cpu, took = time.process_time(), []
            for _ in range(calls):
                begun = time.perf_counter()
                sides[side](b"request", timeout=DEADLINE_S)
                took.append(1e6 * (time.perf_counter() - begun))
            if number:
                medians[side].append(statistics.median(took))
                cpus[side].append(1e6 * (time.process_time() - cpu) / calls)
    added, more = ([other - one for one, other in zip(*both, strict=True)] for both in (medians, cpus))
    print(
        f"blocking: p50 {ratios.spread(medians[0], 1)} us a plain call, {ratios.spread(added, 1)} us more ours",
        end="; ",
    )
    print(f"{ratios.spread(cpus[0], 1)} us of CPU, {ratios.spread(more, 1)} us more ours")
    ours.close()
    plain.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true", help="be the backend; for this program itself")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--calls", type=int, default=8000, help="calls of each side in a round, at 64 in flight")
    wishes = parser.parse_args()
    if wishes.serve:
        asyncio.run(serve())
        return
    with subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as backend:
        assert backend.stdout
        port = int(backend.stdout.readline())
        asyncio.run(measure(port, wishes.rounds, wishes.calls))
        blocking(port, wishes.rounds, wishes.calls // 8)
        backend.communicate()


if __name__ == "__main__":
    main()
