"""Round robin four ways behind one HTTP proxy: `python -m lbsuite.round_robins`, or `make stress`.

Backends that answer at once, a proxy with each roster in turn, a load of many connections: one table of throughput and
fairness, and `server_stats.<roster>.csv` for each, a row a backend. Exit status 1 if a request failed.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lbsuite import _core
from lbsuite.errors import LbsuiteError
from lbsuite.fleet.process import Lbsuite
from lbsuite.proxy.stress import StressResult, StressSettings, stress


@dataclass(frozen=True, slots=True)
class Scene:
    """How large the comparison is. folder: where the CSV files go."""

    backends: int = 10
    requests: int = 50_000
    concurrency: int = 256
    threads: int = 2
    folder: Path = Path()


def alone(threads: Sequence[int], rounds: int = 3, endpoints: int = 25, down: int = 0) -> list[tuple[str, int, float]]:
    """Roster, threads, and ns of wall time a pick, one for each round; the rosters take turns. See `_core.pick_ns`."""
    return [
        (roster, count, _core.pick_ns("round_robin", roster, count, endpoints, down))
        for count in threads
        for _ in range(rounds)
        for roster in _core.rosters()
    ]


async def compare(scene: Scene) -> list[tuple[str, StressResult]]:
    """One result a roster, in the order of the list of rosters. Raises StartFailed, or OSError for a CSV file."""
    dummies = Lbsuite("dummy", ("-n", str(scene.backends)), count=scene.backends)
    results = []
    try:
        await dummies.start(30.0)
        for roster in _core.rosters():
            result = await _behind(roster, dummies.addresses, scene)
            with (scene.folder / f"server_stats.{roster}.csv").open("w", newline="") as file:
                result.write_csv(file)
            results.append((roster, result))
    finally:
        await dummies.kill()
    return results


async def _behind(roster: str, backends: Sequence[str], scene: Scene) -> StressResult:
    flags = (f"--backends={','.join(backends)}", f"--roster={roster}", f"--threads={scene.threads}")
    proxy = Lbsuite("proxy", (*flags, "--policy=round_robin"))
    try:
        await proxy.start(30.0)
        return await stress(StressSettings(f"http://{proxy.address}/", scene.requests, scene.concurrency))
    finally:
        await proxy.stop(10.0)


def table(results: Sequence[tuple[str, StressResult]]) -> str:
    """One row a roster; spread: the most and the fewest requests of a backend, beside the mean."""
    lines = [
        f"{'roster':9} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'failed':>7} {'most':>8} {'fewest':>8} {'Jain':>9}"
    ]
    for roster, result in results:
        run, counts = result.run, result.run.requests_per_endpoint.values()
        times = run.latency_ms()
        lines.append(
            f"{roster:9} {run.throughput_rps:8.0f} {times['p50']:8.2f} {times['p99']:8.2f} {run.lost:7}"
            f" {max(counts, default=0):8} {min(counts, default=0):8} {run.jain:9.6f}"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the comparison and returns its exit status."""
    parser = argparse.ArgumentParser(prog="lbsuite.round_robins", description=__doc__)
    parser.add_argument("--backends", type=int, default=10, help="(%(default)s)")
    parser.add_argument("--requests", type=int, default=50_000, help="for each roster (%(default)s)")
    parser.add_argument("--concurrency", type=int, default=256, help="connections (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of the proxy (%(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(), help="for the CSV files (here)")
    args = parser.parse_args(argv)
    scene = Scene(args.backends, args.requests, args.concurrency, args.threads, args.folder)
    print(f"{scene.requests} requests over {scene.concurrency} connections to {scene.backends} backends, each roster")
    try:
        results = asyncio.run(compare(scene))
    except (LbsuiteError, OSError) as error:
        print(f"lbsuite.round_robins: {error}", file=sys.stderr)
        return 1
    print(table(results))
    return 1 if any(result.run.lost for _, result in results) else 0


if __name__ == "__main__":
    raise SystemExit(main())
