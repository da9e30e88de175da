"""What does a forwarded request cost a proxy: ours beside nginx, HAProxy, Go's ReverseProxy and pingora?

CPU of the proxy's process a request. The proxy has core 0, wrk and ten backends in C have core 1. All run in turns,
some seconds each, and are compared round by round. Needs Linux, two cores and wrk; peers that are not here are left
out.
"""

import argparse
import contextlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.request import urlopen

import http_peers
import ratios
from http_peers import Running

PROXY_CORE, LOAD_CORE = 0, 1
BACKENDS = 10
# Ours over theirs, at most; and Go's over ours, at least.
BARS = {"nginx": 1.0, "HAProxy": 0.85}
GO_AT_LEAST = 2.5
FAIR_REQUESTS, FAIR_THREADS = 100_000, 2

BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.7,de;q=0.3",
    "Accept-Encoding": "gzip, deflate, br",
    "Cookie": "session=0f1e2d3c4b5a69788796a5b4c3d2e1f0; theme=dark; language=en",
    "Referer": "http://127.0.0.1/where/it/came/from",
    "Cache-Control": "max-age=0",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Mode": "navigate",
    "X-Request-Id": "5d1f2a34-9c1b-4a77-8e60-1b2c3d4e5f60",
}
HEADS: dict[str, Mapping[str, str]] = {"tiny": {}, "browser": BROWSER}


def wrk(address: str, connections: int, head: str, seconds: int) -> tuple[int, int]:
    """Requests that were answered, and those that failed or were answered with an error."""
    fields = [word for name, value in HEADS[head].items() for word in ("-H", f"{name}: {value}")]
    words = ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *fields]
    said = subprocess.run([*words, f"http://{address}/hello"], stdout=subprocess.PIPE, text=True, check=True).stdout
    done = re.search(r"(\d+) requests in", said)
    assert done is not None, said
    bad = sum(
        int(number)
        for line in re.findall(r"(?:Socket errors|Non-2xx)(.*)", said)
        for number in re.findall(r"\d+$|\d+(?=,)", line)
    )
    return int(done[1]), bad


def cost_us(proxy: Running, connections: int, head: str, seconds: int) -> tuple[float, int]:
    """CPU a request, once its connections are there and its caches are warm; and requests that failed."""
    wrk(proxy.address, connections, head, 1)
    began_ns = proxy.cpu_ns()
    requests, failed = wrk(proxy.address, connections, head, seconds)
    return (proxy.cpu_ns() - began_ns) / 1e3 / requests, failed


def compare(proxies: Mapping[str, Running], connections: int, head: str, args: argparse.Namespace) -> None:
    found: dict[str, list[float]] = defaultdict(list)
    failed: dict[str, int] = defaultdict(int)
    for _ in range(args.rounds):
        for name, proxy in proxies.items():
            cost, bad = cost_us(proxy, connections, head, args.seconds)
            found[name].append(cost)
            failed[name] += bad
    for name, costs in found.items():
        errors = f", {failed[name]} failed" if failed[name] else ""
        print(f"{connections:4} {head:8} {name:16} {ratios.spread(costs, 1):22} us of CPU a request{errors}")
    for ours in (name for name in found if name.startswith("lbsuite")):
        for peer in (name for name in found if not name.startswith("lbsuite")):
            print(f"{connections:4} {head:8} {told(ours, peer, found)}", flush=True)


def told(ours: str, peer: str, found: Mapping[str, Sequence[float]]) -> str:
    if peer == "Go":
        times = ratios.over(found[peer], found[ours])
        stands = ratios.verdict(statistics.median(times), GO_AT_LEAST, at_least=True)
        return f"{peer} over {ours}: {ratios.spread(times)}, {stands}"
    times = ratios.over(found[ours], found[peer])
    bar = BARS.get(peer)
    stands = f", {ratios.verdict(statistics.median(times), bar)}" if bar else ""
    return f"{ours} over {peer}: {ratios.spread(times)}{stands}"


def counts(backends: Running) -> list[int]:
    with urlopen(f"http://{backends.address}/counts", timeout=10) as answer:
        return [int(line.split()[1]) for line in answer.read().decode().splitlines()]


def fairness(folder: Path) -> None:
    """How far from an equal share is each backend, of 100,000 requests over two threads?"""
    with contextlib.ExitStack() as ending:
        behind = ending.enter_context(http_peers.backends(BACKENDS, None))
        proxy = ending.enter_context(http_peers.lbsuite(behind.addresses, folder, 0, f"--threads={FAIR_THREADS}"))
        url = f"http://{proxy.address}/"
        words = [sys.executable, "-m", "lbsuite", "stress", f"--requests={FAIR_REQUESTS}", "--concurrency=64"]
        subprocess.run([*words, "--url", url], cwd=folder, stdout=subprocess.DEVNULL, timeout=600, check=True)
        served = counts(behind)
    off = max(abs(each - sum(served) / BACKENDS) for each in served)
    stands = ratios.verdict(off, 2 * FAIR_THREADS)
    print(f"round_robin, {sum(served)} requests, {FAIR_THREADS} threads: at most {off:g} off an equal share, {stands}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=2, help="of each turn (%(default)s)")
    parser.add_argument("--connections", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--heads", nargs="+", choices=HEADS, default=list(HEADS))
    parser.add_argument("--only", nargs="+", choices=http_peers.PROXIES, help="these proxies (all)")
    args = parser.parse_args()
    names = list(http_peers.present(args.only or http_peers.PROXIES))
    print(http_peers.WHAT_IS_ON)
    with contextlib.ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="lbsuite-bench.")))
        behind = ending.enter_context(http_peers.backends(BACKENDS, LOAD_CORE))
        proxies = {
            name: ending.enter_context(http_peers.PROXIES[name](behind.addresses, folder, PROXY_CORE)) for name in names
        }
        time.sleep(1)  # what starts up with them is no request's cost
        for head in args.heads:
            for connections in args.connections:
                compare(proxies, connections, head, args)
        fairness(folder)


if __name__ == "__main__":
    main()
