"""What does one endpoint that is ten times slower cost callers who do not wait, where a channel picks in their process?

An open loop of `sleep` tasks through `lbsuite.channel`, at 70 % of what 25 backends can do with ten slots each; their
limits are so far away that nobody is turned away, and what the slow one gets is the policy's choice alone. Each policy
is the others' peer: they run in turns on one fleet, each time over a new channel that has to learn who is slow.
round_robin, which learns nothing, is what the ratios are to. slow_backend.py asks the same of a balancer.
"""

import argparse
import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from typing import Any

import grpc
import grpc.aio
from slow_backend import PEER, compare, show

import lbsuite
from lbsuite import arrivals
from lbsuite.channels.channel import Channel
from lbsuite.demo import SLOWDOWN, Scene
from lbsuite.fleet import Fleet
from lbsuite.results import RunResult
from lbsuite.wire import messages, services

POLICIES = ("two_choices", "peak_ewma", "prequal", "least_load:choices=auto")
LIMIT = 1000
MOST_SHARE = 0.5
TIMEOUT_S = 60.0


async def measure(scene: Scene, policies: Sequence[str], rounds: int) -> None:
    """Prints each run, then each policy's p99 over round_robin's and the slow endpoint's share over a fair one."""
    found: dict[str, list[tuple[RunResult, float]]] = {policy: [] for policy in policies}
    async with Fleet() as fleet:
        slow = await fleet.start_backend(f"--slowdown={SLOWDOWN}", f"--max-concurrent={LIMIT}")
        await fleet.start_backends(scene.backends - 1, f"--max-concurrent={LIMIT}")
        addresses = [backend.address for backend in fleet.backends]
        print(f"{scene}, {scene.rate:.1f} tasks/s; the bar is a share of {MOST_SHARE}")
        for number in range(rounds):
            for policy, runs in found.items():
                result = await run(scene, addresses, policy, seed=number)
                share = result.requests_per_endpoint[slow.address] / max(result.requests, 1) * scene.backends
                runs.append((result, share))
                show(policy, result, share)
    compare(found)


async def run(scene: Scene, addresses: Sequence[str], policy: str, seed: int) -> RunResult:
    """One open loop over a channel of its own; latencies count from when a task was meant to start."""
    async with lbsuite.channel("static://" + ",".join(addresses), policy=policy) as channel:
        await _connected(channel)
        compute = services.stub(channel, "BackendService").Compute
        result, begun_s = RunResult(), time.monotonic()
        starts = arrivals.poisson(scene.rate, random.Random(seed))
        async with asyncio.TaskGroup() as tasks:
            for at_s in itertools.takewhile(lambda at_s: at_s < scene.seconds, starts):
                await asyncio.sleep(max(begun_s + at_s - time.monotonic(), 0))
                tasks.create_task(_task(compute, scene.sleep_s, begun_s + at_s, result))
        result.duration_s = time.monotonic() - begun_s
        result.requests_per_endpoint.update({each.address: each.picks for each in channel.status().endpoints})
        return result


async def _connected(channel: Channel) -> None:
    while True:
        status = channel.status()
        if status.listed and all(each.state == "ready" for each in status.endpoints):
            return
        await asyncio.sleep(0.05)


async def _task(compute: Any, sleep_s: float, start_s: float, result: RunResult) -> None:
    result.requests += 1
    try:
        await compute(messages.TaskRequest(task=f"sleep:{sleep_s}"), timeout=TIMEOUT_S)
    except grpc.aio.AioRpcError as error:
        result.lost += 1
        result.errors[error.code().name] += 1
    else:
        result.latency.record(time.monotonic() - start_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--sleep-s", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--policies", nargs="+", default=POLICIES)
    args = parser.parse_args()
    scene = Scene(backends=args.backends, seconds=args.seconds, sleep_s=args.sleep_s)
    asyncio.run(measure(scene, [PEER, *args.policies], args.rounds))


if __name__ == "__main__":
    main()
