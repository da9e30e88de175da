"""The proxies that are compared, each a process in front of the same backends, with one thread that forwards."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import native
import psutil

READY_S = 30.0


@dataclass(frozen=True, slots=True)
class Running:
    """A process that listens. addresses: HOST:PORT, more than one for backends."""

    process: subprocess.Popen[str]
    addresses: tuple[str, ...]

    @property
    def address(self) -> str:
        return self.addresses[0]

    def cpu_ns(self) -> int:
        """CPU of all its threads, and of its children's, to the nanosecond, which its times in /proc do not tell."""
        family = [self.process.pid, *(child.pid for child in psutil.Process(self.process.pid).children(recursive=True))]
        total = 0
        for pid in family:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    total += int((thread / "schedstat").read_text().split()[0])
        return total


@contextlib.contextmanager
def running(words: Sequence[str | Path], core: int | None, *addresses: str) -> Iterator[Running]:
    """A process pinned to a core. Without addresses it tells them itself: the last word of its first lines."""
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    process = subprocess.Popen(
        [*pinned, *map(str, words)],
        stdout=subprocess.DEVNULL if addresses else subprocess.PIPE,
        text=True,
        env=os.environ | {"GOMAXPROCS": "1"},
    )
    try:
        for address in addresses:
            _until_it_listens(address, process)
        yield Running(process, addresses)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextlib.contextmanager
def told(words: Sequence[str | Path], count: int, core: int | None = None) -> Iterator[Running]:
    """A process that prints `count` lines, each with an address or a port at its end."""
    with running(words, core) as started:
        assert started.process.stdout is not None
        ends = [started.process.stdout.readline().split()[-1] for _ in range(count)]
        yield Running(started.process, tuple(end if ":" in end else f"127.0.0.1:{end}" for end in ends))


def backends(
    count: int, core: int | None, *, first_port: int = 0, body_bytes: int = 2
) -> contextlib.AbstractContextManager[Running]:
    """So many in one process."""
    return told([native.build_c("http_backend"), str(first_port), str(count), str(body_bytes)], count, core)


def _until_it_listens(address: str, process: subprocess.Popen[str]) -> None:
    host, port = address.rsplit(":", 1)
    until = time.monotonic() + READY_S
    while True:
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{process.args!r} does not listen on {address}") from None
            time.sleep(0.02)


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"127.0.0.1:{listening.getsockname()[1]}"


# Each of these starts one proxy on a core. What is on in it is part of its name in `PROXIES`.

Proxied = contextlib.AbstractContextManager[Running]


def lbsuite(behind: Sequence[str], folder: Path, core: int, *flags: str) -> Proxied:
    words = [sys.executable, "-m", "lbsuite", "proxy", "--listen=127.0.0.1:0", f"--backends={','.join(behind)}"]
    return told([*words, "--policy=round_robin", "--log-level=error", *flags], 1, core)


def logging_lbsuite(behind: Sequence[str], folder: Path, core: int) -> Proxied:
    return lbsuite(behind, folder, core, f"--access-log={folder / 'access.log'}", "--health-path=/", "--request-s=30")


def silent_lbsuite(behind: Sequence[str], folder: Path, core: int) -> Proxied:
    return lbsuite(behind, folder, core, "--health-path=/", "--request-s=30")


def nginx(behind: Sequence[str], folder: Path, core: int, log: str = "off") -> Proxied:
    listen = free_address()
    inside = folder / listen
    inside.mkdir()
    temporary = " ".join(f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (inside / "nginx.conf").write_text(
        f"""daemon off; worker_processes 1; pid nginx.pid; error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
  access_log {log}; keepalive_timeout 300s; keepalive_requests 100000000; {temporary}
  upstream backends {{
    {" ".join(f"server {address};" for address in behind)}
    keepalive 512; keepalive_requests 100000000;
  }}
  server {{
    listen {listen} backlog=4096;
    location / {{
      proxy_pass http://backends; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header Host $host;
    }}
  }}
}}
"""
    )
    return running(["nginx", "-p", inside, "-c", "nginx.conf", "-e", "stderr"], core, listen)


def logging_nginx(behind: Sequence[str], folder: Path, core: int) -> Proxied:
    return nginx(behind, folder, core, "access.log combined buffer=64k flush=1s")


def haproxy(behind: Sequence[str], folder: Path, core: int) -> Proxied:
    listen = free_address()
    written = folder / f"{listen}.cfg"
    servers = "\n  ".join(f"server s{i} {address} check inter 2s" for i, address in enumerate(behind))
    written.write_text(
        f"""global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout http-request 10s
  retries 2
  option forwardfor
  http-reuse always
frontend clients
  bind {listen} backlog 4096
  default_backend backends
backend backends
  balance roundrobin
  {servers}
"""
    )
    return running(["haproxy", "-f", written], core, listen)


def _listening(program: Path, behind: Sequence[str], core: int) -> Proxied:
    listen = free_address()
    return running([program, listen, *behind], core, listen)


def go(behind: Sequence[str], folder: Path, core: int) -> Proxied:
    program = native.build_go("go_reverse_proxy")
    assert program is not None
    return _listening(program, behind, core)


def pingora(behind: Sequence[str], folder: Path, core: int) -> Proxied:
    program = native.build_rust("pingora_proxy")
    assert program is not None
    return _listening(program, behind, core)


Start = Callable[[Sequence[str], Path, int], Proxied]

PROXIES: dict[str, Start] = {
    "lbsuite": logging_lbsuite,
    "lbsuite, no log": silent_lbsuite,
    "nginx": nginx,
    "nginx, log": logging_nginx,
    "HAProxy": haproxy,
    "Go": go,
    "pingora": pingora,
}

WHAT_IS_ON = """on in lbsuite: strict parsing, time-outs, retries with their budget, a health check of
each backend every 2 s, outlier ejection, Via and X-Forwarded-*; an access log in JSON, but for "no log"
in nginx: time-outs, retries, X-Forwarded-For; an access log, buffered, in "log" alone
in HAProxy: time-outs, retries, a health check every 2 s, X-Forwarded-For; no log
in Go and pingora: what they do unasked"""


# What each needs beside lbsuite; what these give is None where it is not.
NEEDS: dict[str, Callable[[], object]] = {
    "nginx": lambda: shutil.which("nginx"),
    "nginx, log": lambda: shutil.which("nginx"),
    "HAProxy": lambda: shutil.which("haproxy"),
    "Go": lambda: native.build_go("go_reverse_proxy"),
    "pingora": lambda: native.build_rust("pingora_proxy"),
}


def present(wanted: Iterable[str]) -> Iterator[str]:
    """Those that can be run here; says which cannot."""
    for name in wanted:
        if name in NEEDS and NEEDS[name]() is None:
            print(f"{name} is not here: left out")
        else:
            yield name
