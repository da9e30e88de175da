"""Load for an HTTP server: every request is accounted for, whatever the server makes of it."""

import asyncio
import contextlib
import csv
import io
from collections.abc import AsyncIterator

import pytest

from lbsuite.errors import Unreachable
from lbsuite.proxy.stress import UNKNOWN, StressSettings, stress


@contextlib.asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[str]:
    """A server that gives these in turn; an empty one ends the connection. Gives its URL."""
    turn = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal turn
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                answer = answers[turn % len(answers)]
                turn += 1
                if not answer:
                    break
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x?y=1"


def answer(server: str, status: int = 200) -> bytes:
    return b"HTTP/1.1 %d X\r\nX-Backend: %s\r\nContent-Length: 2\r\n\r\nok" % (status, server.encode())


@pytest.mark.parametrize("rate", [None, 5000.0])
async def test_requests_are_counted_by_the_server_that_answered(rate: float | None) -> None:
    async with answering(answer("a"), answer("b")) as url:
        result = await stress(StressSettings(url, requests=500, concurrency=8, rate=rate))
    assert result.run.requests == 500
    assert result.run.lost == 0
    assert result.run.requests_per_endpoint == {"a": 250, "b": 250}
    assert result.run.latency.count == 500


async def test_what_fails_is_told_with_its_reason_and_the_run_goes_on() -> None:
    async with answering(answer("a"), answer("b", 503), b"", b"nonsense\r\n\r\n") as url:
        result = await stress(StressSettings(url, requests=400, concurrency=1))
    assert result.run.requests == 400
    assert result.run.errors == {"status 503": 100, "no answer": 200}
    assert result.failed == {"b": 100, UNKNOWN: 200}
    assert result.statuses == {200: 100, 503: 100}


async def test_who_says_nothing_is_waited_for_as_long_as_was_told() -> None:
    async with answering(b"HTTP/1.1 200 X\r\n") as url:
        result = await stress(StressSettings(url, requests=3, concurrency=3, timeout_s=0.05))
    assert result.run.errors == {"timeout": 3}


async def test_nobody_there_is_said_at_once() -> None:
    async with answering(b"") as url:
        pass
    with pytest.raises(Unreachable, match="nobody answers at http://127"):
        await stress(StressSettings(url, requests=10))


async def test_a_row_a_server() -> None:
    async with answering(answer("a"), answer("a"), answer("b", 500)) as url:
        result = await stress(StressSettings(url, requests=300, concurrency=2))
    file = io.StringIO()
    result.write_csv(file)
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert [(row["server"], row["requests"], row["errors"]) for row in rows] == [("a", "200", "0"), ("b", "100", "100")]
    assert float(rows[0]["share"]) == pytest.approx(2 / 3, abs=1e-6)


@pytest.mark.parametrize(
    "url", ["", "localhost:80", "https://a/", "http://", "http://a:0/", "http://a:99999/", "http://a/ b"]
)
def test_a_url_that_is_none_is_refused_with_its_text(url: str) -> None:
    with pytest.raises(ValueError, match="not http://HOST:PORT/PATH: "):
        StressSettings(url).target()
