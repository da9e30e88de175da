"""What does one backend that is ten times slower cost callers who do not wait, under each policy?

An open loop of `sleep` tasks at 70 % of capacity over 25 backends, one slow. Each policy is the others' peer: they run
in turns on one fleet, and round_robin, which knows no load, is what the ratios are to.
"""

import argparse
import asyncio
from collections.abc import Mapping, Sequence

import ratios

from lbsuite.demo import SLOWDOWN, Scene
from lbsuite.fleet import Fleet
from lbsuite.results import RunResult
from lbsuite.wire.client import ClientSettings, run
from lbsuite.wire.hosting import hosted_policies

PEER = "round_robin"


async def measure(scene: Scene, policies: Sequence[str], rounds: int) -> None:
    """Prints each run, then each policy's p99 over round_robin's and the slow backend's share over a fair one."""
    found: dict[str, list[tuple[RunResult, float]]] = {policy: [] for policy in policies}
    async with Fleet() as fleet:
        await fleet.start_etcd()
        balancer = await fleet.start_lb()
        slow = await fleet.start_backend(f"--slowdown={SLOWDOWN}")
        await fleet.start_backends(scene.backends - 1)
        print(f"{scene}, {scene.rate:.1f} tasks/s")
        for _ in range(rounds):
            for policy, runs in found.items():
                result = await run(_settings(scene, balancer.address, policy))
                done = max(result.requests - result.lost, 1)
                runs.append((result, result.requests_per_endpoint[slow.address] / done * scene.backends))
                show(policy, *runs[-1])
    compare(found)


def show(policy: str, result: RunResult, share: float) -> None:
    """A line of one run. share: what the slow one got over a fair share."""
    latency = result.latency_ms()
    times = "  ".join(f"{name} {latency[name]:8.1f} ms" for name in ("p50", "p99"))
    print(f"{policy:24} {result.requests:6} tasks, {result.lost} lost  {times}  slow one {share:.3f} of a fair share")


def compare(found: Mapping[str, Sequence[tuple[RunResult, float]]]) -> None:
    """A line a policy, over all rounds."""
    for policy, runs in found.items():
        slower = ratios.over([_p99_ms(one) for one, _ in runs], [_p99_ms(one) for one, _ in found[PEER]])
        shares = ratios.spread([share for _, share in runs], 3)
        print(f"{policy}: p99 over {PEER}'s {ratios.spread(slower, 3)}; the slow one's share over a fair one {shares}")


def _settings(scene: Scene, balancer: str, policy: str) -> ClientSettings:
    return ClientSettings(
        balancers=(balancer,),
        strategy=policy,
        rate=scene.rate,
        duration_s=scene.seconds,
        task=f"sleep:{scene.sleep_s}",
    )


def _p99_ms(result: RunResult) -> float:
    return result.latency_ms()["p99"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--sleep-s", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--policies", nargs="+", default=[name for name in hosted_policies() if name != PEER])
    args = parser.parse_args()
    scene = Scene(backends=args.backends, seconds=args.seconds, sleep_s=args.sleep_s)
    asyncio.run(measure(scene, [PEER, *args.policies], args.rounds))


if __name__ == "__main__":
    main()
