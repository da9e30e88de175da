"""Does a proxy hold? Large bodies, thousands of idle clients, clients that send no end of a head, backends that die.

Ours alone, as its command line starts it (the scene of kills: as its class does); what it must keep to stands beside
each figure. Needs Linux and wrk.
"""

import argparse
import asyncio
import contextlib
import http.client
import os
import re
import resource
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import http_bodies
import http_peers
import ratios
from http_killing import Killing
from http_peers import Running
from http_proxy import BROWSER

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
# So many bodies of each size are 2.5 GiB; they go up and down, by length and in chunks.
BODIES = {GIB: 1, 256 * MIB: 3, 16 * MIB: 32, MIB: 192, 64 * KIB: 1024}
MEMORY_MIB, IDLE_KIB, SLOWED, PICKED_MS = 64, 16, 2.0, 10
IDLE_CLIENTS, SLOW_CLIENTS, HEAD_S = 5000, 200, 2.0


@contextlib.contextmanager
def proxied(backends: Running, *flags: str) -> Iterator[Running]:
    with (
        tempfile.TemporaryDirectory(prefix="lbsuite-bench.") as folder,
        http_peers.lbsuite(backends.addresses, Path(folder), None, *flags) as proxy,
    ):
        yield proxy


def resident_kib(proxy: Running, what: str = "VmRSS") -> int:
    """VmHWM: the most it has ever been."""
    status = Path(f"/proc/{proxy.process.pid}/status").read_text()
    return int(re.findall(rf"{what}:\s+(\d+) kB", status)[0])


# Bodies


def transfer(gib: float) -> None:
    share = gib / 10
    bodies = [size for size, count in BODIES.items() for _ in range(round(count * share) or (share < 1 and size < GIB))]
    kinds: list[tuple[Callable[..., bool], bool]] = [
        (way, chunked) for way in (http_bodies.up, http_bodies.down) for chunked in (False, True)
    ]
    for size in {*bodies}:
        http_bodies.digest(size)
    with http_peers.told([sys.executable, http_bodies.__file__], 1) as behind, proxied(behind) as proxy:
        before = resident_kib(proxy)

        def carry(kind: tuple[Callable[..., bool], bool]) -> int:
            way, chunked = kind
            client = http.client.HTTPConnection(proxy.address, timeout=http_bodies.DEADLINE_S)
            return sum(way(client, size, chunked=chunked) for size in bodies)

        began_s = time.monotonic()
        with ThreadPoolExecutor(len(kinds)) as threads:
            equal = sum(threads.map(carry, kinds))
        took_s, most = time.monotonic() - began_s, resident_kib(proxy, "VmHWM") / KIB
    carried = sum(bodies) * len(kinds) / GIB
    print(f"bodies: {carried:.2f} GiB in {took_s:.0f} s, {equal} of {len(bodies) * len(kinds)} equal by their hash")
    print(
        f"bodies: at most {most:.1f} MiB resident ({before / KIB:.1f} before), {ratios.verdict(most, MEMORY_MIB)}",
        flush=True,
    )


# Clients that hold connections


def connected(address: str) -> socket.socket:
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), 10)


def idle(clients: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, clients + 1000), most))
    fields = "".join(f"{name}: {value}\r\n" for name, value in BROWSER.items())
    request = f"GET /hello HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode()
    with (
        http_peers.backends(10, None) as behind,
        proxied(behind, "--idle-s=600") as proxy,
        contextlib.ExitStack() as ending,
    ):

        def client() -> None:
            opened = ending.enter_context(connected(proxy.address))
            opened.sendall(request)
            assert opened.recv(4096).startswith(b"HTTP/1.1 200")

        for _ in range(200):
            client()
        before = resident_kib(proxy)
        for _ in range(clients):
            client()
        each = (resident_kib(proxy) - before) / clients
    print(f"idle: {each:.1f} KiB for each of {clients} connections, {ratios.verdict(each, IDLE_KIB)}", flush=True)


class SlowClients(threading.Thread):
    """Connections that send a field without end, a byte at a time; one that is cut is opened again until `stop`."""

    def __init__(self, address: str, count: int) -> None:
        super().__init__()
        self.address, self.count = address, count
        self.stop = threading.Event()
        self.cut_after_s: list[float] = []
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        for _ in range(self.count):
            self._open()
        while not self.stop.wait(0.1):
            for key, _ in self._selector.select(0):
                self.cut_after_s.append(time.monotonic() - key.data)
                self._close(key.fileobj)
                self._open()
            for key in list(self._selector.get_map().values()):
                with contextlib.suppress(OSError):
                    key.fileobj.send(b"x")
        for key in list(self._selector.get_map().values()):
            self._close(key.fileobj)

    def _open(self) -> None:
        client = connected(self.address)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        self._selector.register(client, selectors.EVENT_READ, time.monotonic())

    def _close(self, client: socket.socket) -> None:
        self._selector.unregister(client)
        client.close()


def p99_ms(address: str) -> float:
    words = ["wrk", "-t1", "-c32", "-d5s", "--latency", f"http://{address}/hello"]
    said = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout
    found = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert found is not None, said
    return float(found[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[found[2]]


def slow(clients: int, rounds: int) -> None:
    alone, beside, cut_after_s = [], [], []
    with http_peers.backends(10, None) as behind, proxied(behind, f"--head-s={HEAD_S}") as proxy:
        for _ in range(rounds):
            alone.append(p99_ms(proxy.address))
            slow_clients = SlowClients(proxy.address, clients)
            slow_clients.start()
            beside.append(p99_ms(proxy.address))
            slow_clients.stop.set()
            slow_clients.join()
            cut_after_s += slow_clients.cut_after_s
    times = ratios.over(beside, alone)
    print(f"slow heads: {len(cut_after_s)} cut after {ratios.spread(cut_after_s)} s, the time-out is {HEAD_S:g} s")
    print(
        f"slow heads: p99 of the others {ratios.spread(beside)} ms, {ratios.spread(alone)} ms without:"
        f" {ratios.spread(times)}, {ratios.verdict(statistics.median(times), SLOWED)}",
        flush=True,
    )


# Backends that die


def kills(seconds: int) -> None:
    told = asyncio.run(Killing(seconds).run())
    lost, in_flight = told.posts_failed, told.posts_in_flight
    print(f"kills: {told.kills} in {seconds} s")
    print(f"kills: of {told.gets} GET {told.gets_failed} failed, {ratios.verdict(told.gets_failed, 0)}")
    print(f"kills: of {told.posts} POST {lost} failed, {ratios.verdict(lost, in_flight)}, which were in flight")
    print(
        f"kills: picked no more {ratios.spread(told.gone_ms)} ms after the end of the process,"
        f" {ratios.verdict(statistics.median(told.gone_ms), PICKED_MS)}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gib", type=float, default=10.0, help="bodies in all (%(default)g)")
    parser.add_argument("--idle", type=int, default=IDLE_CLIENTS, help="connections (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of slow heads (%(default)s)")
    parser.add_argument("--kills-s", type=int, default=60, help="a backend dies each second (%(default)s)")
    args = parser.parse_args()
    os.environ.pop("PYTHONWARNINGS", None)
    if args.gib:
        transfer(args.gib)
    if args.idle:
        idle(args.idle)
    if args.rounds:
        slow(SLOW_CLIENTS, args.rounds)
    if args.kills_s:
        kills(args.kills_s)


if __name__ == "__main__":
    main()
