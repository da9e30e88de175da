"""Load for an HTTP server, and what became of it: latencies from the intended start, requests of each server behind.

A closed loop keeps `concurrency` requests under way. An open one begins them at a rate, whatever becomes of those
before: a request that no connection is free for waits, and its wait counts (there is no coordinated omission).
"""

import asyncio
import csv
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TextIO, cast
from urllib.parse import urlsplit

import httptools

from lbsuite import arrivals
from lbsuite.errors import Unreachable
from lbsuite.results import Histogram, RunResult

UNKNOWN = "-"
"""The server of a response that does not name one, and of a request that got none."""


@dataclass(frozen=True, slots=True)
class StressSettings:
    """url: `http://HOST:PORT/PATH`. requests: in all. concurrency: connections, and most requests at once. rate: open
    loop, requests a second; None: closed. server_header: of the response, names the server behind."""

    url: str
    requests: int = 10_000
    concurrency: int = 64
    rate: float | None = None
    arrivals: str = "poisson"
    timeout_s: float = 10.0
    server_header: str = "x-backend"
    seed: int = 1

    def target(self) -> tuple[str, int, str]:
        """Host, port and path; raises ValueError with the bad URL."""
        parts = urlsplit(self.url)
        try:
            port = 80 if parts.port is None else parts.port
        except ValueError:
            port = 0
        if parts.scheme != "http" or not parts.hostname or not port or not self.url.isprintable() or " " in self.url:
            raise ValueError(f"not http://HOST:PORT/PATH: {self.url!r}")
        return parts.hostname, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


@dataclass(slots=True)
class StressResult:
    """run: of all. servers: the latencies of each server's responses. failed: those with status 500 or above, and
    requests that got no response. statuses: responses by status."""

    run: RunResult = field(default_factory=RunResult)
    servers: dict[str, Histogram] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)

    def answered(self, server: str, status: int, latency_s: float) -> None:
        self.statuses[status] += 1
        self.run.requests_per_endpoint[server] += 1
        self.servers.setdefault(server, Histogram()).record(latency_s)
        self.run.latency.record(latency_s)
        if status >= 500:
            self.lost(server, f"status {status}")

    def lost(self, server: str, why: str) -> None:
        self.failed[server] += 1
        self.run.lost += 1
        self.run.errors[why] += 1

    def rows(self) -> list[dict[str, str | int | float]]:
        """One a server: server, requests, share, errors, p50_ms, p99_ms."""
        counts = self.run.requests_per_endpoint
        total = max(sum(counts.values()), 1)
        rows: list[dict[str, str | int | float]] = []
        for server in sorted({*counts, *self.failed}):
            seen = self.servers.get(server, Histogram())
            rows.append(
                {
                    "server": server,
                    "requests": counts[server],
                    "share": round(counts[server] / total, 6),
                    "errors": self.failed[server],
                    "p50_ms": round(seen.quantile(0.5) * 1e3, 3),
                    "p99_ms": round(seen.quantile(0.99) * 1e3, 3),
                }
            )
        return rows

    def write_csv(self, file: TextIO) -> None:
        """`rows`, with a heading."""
        writer = csv.DictWriter(file, ["server", "requests", "share", "errors", "p50_ms", "p99_ms"])
        writer.writeheader()
        writer.writerows(self.rows())


class _Connection(asyncio.Protocol):
    """One request at a time; `ask` gives status and server, or raises ConnectionError."""

    def __init__(self, request: bytes, server_header: bytes) -> None:
        self._request, self._server_header = request, server_header
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, str]] | None = None
        self._server = UNKNOWN
        self._parser = httptools.HttpResponseParser(self)

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def ask(self) -> "asyncio.Future[tuple[int, str]]":
        assert self._transport is not None
        self._server = UNKNOWN
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(self._request)
        return self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionError(f"no HTTP: {error}"))

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(ConnectionError("the connection ended" if error is None else type(error).__name__))
        self._transport = None

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == self._server_header:
            self._server = value.decode("latin-1")

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            return
        keep = self._parser.should_keep_alive()
        self._parser = httptools.HttpResponseParser(self)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((status, self._server))
        if not keep:
            self.close()

    def _fail(self, error: ConnectionError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.close()


class _Stress:
    def __init__(self, settings: StressSettings) -> None:
        self.result = StressResult()
        self._settings = settings
        self._host, self._port, path = settings.target()
        host = f"[{self._host}]" if ":" in self._host else self._host
        head = f"GET {path} HTTP/1.1\r\nHost: {host}:{self._port}\r\nUser-Agent: lbsuite-stress\r\n\r\n"
        self._request = head.encode("ascii", "replace")
        self._began_s = time.monotonic()
        self._due = self._schedule()

    def _schedule(self) -> Iterator[float | None]:
        """When each request is meant to begin, from the start of the run; None: at once."""
        settings = self._settings
        if settings.rate is None:
            yield from (None for _ in range(settings.requests))
            return
        due = arrivals.KINDS[settings.arrivals](settings.rate, random.Random(settings.seed))
        yield from (next(due) for _ in range(settings.requests))

    async def work(self) -> None:
        """One connection's share of the requests."""
        connection: _Connection | None = None
        for due in self._due:
            begin_s = time.monotonic()
            if due is not None:
                begin_s = self._began_s + due
                await asyncio.sleep(max(0.0, begin_s - time.monotonic()))
            self.result.run.requests += 1
            try:
                async with asyncio.timeout(self._settings.timeout_s):
                    if connection is None or not connection.open:
                        connection = await self._connect()
                    status, server = await connection.ask()
            except (OSError, TimeoutError) as error:
                if connection is not None:
                    connection.close()
                self.result.lost(UNKNOWN, "timeout" if isinstance(error, TimeoutError) else "no answer")
                continue
            self.result.answered(server, status, time.monotonic() - begin_s)
        if connection is not None:
            connection.close()

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        header = self._settings.server_header.lower().encode("latin-1")
        _, connection = await loop.create_connection(lambda: _Connection(self._request, header), self._host, self._port)
        return connection

    async def check(self) -> None:
        """Raises Unreachable if nobody listens."""
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                (await self._connect()).close()
        except (OSError, TimeoutError):
            raise Unreachable(f"nobody answers at {self._settings.url}") from None

    def elapsed(self) -> None:
        self.result.run.duration_s = time.monotonic() - self._began_s


async def stress(
    settings: StressSettings,
    *,
    progress: Callable[[RunResult], None] | None = None,
    stop: asyncio.Event | None = None,
) -> StressResult:
    """Runs it to its end, or until `stop`. progress: called each second. Raises Unreachable if nobody listens, and
    ValueError for a URL that is none."""
    load = _Stress(settings)
    await load.check()
    load._began_s = time.monotonic()
    workers = [asyncio.create_task(load.work()) for _ in range(min(settings.concurrency, settings.requests))]
    stopping = asyncio.create_task((stop or asyncio.Event()).wait())
    try:
        pending: set[asyncio.Task[None]] = set(workers)
        while pending and not stopping.done():
            done, _ = await asyncio.wait({*pending, stopping}, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
            for worker in done & pending:
                worker.result()
            pending -= done
            load.elapsed()
            if progress is not None and not done:
                progress(load.result.run)
    finally:
        for task in (*workers, stopping):
            task.cancel()
        await asyncio.gather(*workers, stopping, return_exceptions=True)
    load.elapsed()
    return load.result
