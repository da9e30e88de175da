"""What a backend answers is refused where it is ambiguous, and never taken for the answer to another request."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from proxy.conftest import Stage
from proxy.corpus import HEAD_BYTES, LIMITS, head
from proxy.recording import DEADLINE_S, OK, Backend, Client, Message, connected, recording
from waiting import eventually

POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"


def answer(*lines: str, body: bytes = b"", first: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join([first, *lines, "", ""]).encode("latin-1") + body


@dataclass(frozen=True)
class Answer:
    name: str
    section: str
    sent: bytes


SENSELESS = [
    Answer("two lengths", "6.3", answer("Content-Length: 2", "Content-Length: 3", body=b"abc")),
    Answer("two equal lengths", "6.3", answer("Content-Length: 2", "Content-Length: 2", body=b"ab")),
    Answer("a list of lengths", "6.3", answer("Content-Length: 2, 2", body=b"ab")),
    Answer("a signed length", "6.2", answer("Content-Length: +2", body=b"ab")),
    Answer("a length and chunks", "6.3", answer("Content-Length: 2", "Transfer-Encoding: chunked", body=b"0\r\n\r\n")),
    Answer("a coding other than chunked", "6.1", answer("Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n")),
    Answer("chunks in HTTP/1.0", "6.1", answer("Transfer-Encoding: chunked", first="HTTP/1.0 200 OK")),
    Answer("HTTP/2.0", "2.3", answer(first="HTTP/2.0 200 OK")),
    Answer("HTTP/0.9", "2.3", b"<html></html>\r\n\r\n"),
    Answer("a status of two digits", "4", answer(first="HTTP/1.1 20 OK")),
    Answer("a status of four digits", "4", answer(first="HTTP/1.1 2000 OK")),
    Answer("a status of 0", "4", answer(first="HTTP/1.1 000 OK")),
    Answer("an empty line first", "2.2", b"\r\n" + OK),
    Answer("a bare LF", "2.2", b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
    Answer("a bare CR in a value", "2.2", answer("X: a\rSet-Cookie: b")),
    Answer("a NUL in a value", "5.5", answer("X: a\0b")),
    Answer("an escape in the reason", "4", answer(first="HTTP/1.1 200 \x1b[2J")),
    Answer("a folded value", "5.2", answer("X: a\r\n b")),
    Answer("a space before the colon", "5.1", answer("X : a")),
    Answer("a line without a colon", "5", answer("Xa")),
    Answer("a head without end", "RFC 6585 5", answer("X: " + "y" * HEAD_BYTES)),
    Answer("a switch of protocols unasked", "RFC 9110 15.2.2", answer("Upgrade: x", first="HTTP/1.1 101 Yes") + POISON),
    Answer("interim answers without end", "RFC 9110 15.2", answer(first="HTTP/1.1 103 Early Hints") * 1000),
]


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    async with recording() as backend:
        yield backend


@pytest.fixture
async def address(stage: Stage, backend: Backend) -> str:
    return (await stage.proxy(backend.address, **LIMITS)).address


async def final(client: Client) -> Message:
    while (message := await client.answer()).line.split(" ")[1].startswith("1"):
        pass
    return message


@pytest.mark.parametrize("case", SENSELESS, ids=lambda case: case.name)
async def test_an_answer_that_makes_no_sense_is_a_bad_gateway(address: str, backend: Backend, case: Answer) -> None:
    backend.answer = lambda message: case.sent if "bad" in message.line else OK
    async with connected(address) as client:
        await client.send(head(first="GET /bad HTTP/1.1"), 1 << 20)
        assert (await final(client)).line.startswith("HTTP/1.1 502")
        await client.send(head(), 1 << 20)
        message = await client.answer()
    assert (message.line, message.body) == ("HTTP/1.1 200 OK", b"ok")


@pytest.mark.parametrize("ending", [b"x\r\nab\r\n0\r\n\r\n", b"2\nab\r\n0\r\n\r\n", b"2\r\nabc\r\n0\r\n\r\n", b""])
async def test_a_body_that_breaks_off_is_seen_to(address: str, backend: Backend, ending: bytes) -> None:
    broken = answer("Transfer-Encoding: chunked", "Connection: close", body=b"1\r\na\r\n" + ending)
    backend.answer = lambda message: broken
    async with connected(address) as client:
        await client.send(head(), 1 << 20)
        got = await client.rest()
    assert got.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not got.endswith(b"0\r\n\r\n")


async def test_a_length_that_is_not_reached_ends_the_connection(address: str, backend: Backend) -> None:
    backend.answer = lambda message: answer("Content-Length: 9", "Connection: close", body=b"abc")
    async with connected(address) as client:
        await client.send(head(), 1 << 20)
        assert (await client.rest()).endswith(b"\r\n\r\nabc")


@pytest.mark.parametrize(
    ("first", "sent"),
    [
        ("GET", OK + POISON),
        ("GET", answer("Transfer-Encoding: chunked", body=b"2\r\nok\r\n0\r\n\r\n" + POISON)),
        ("HEAD", OK),
        ("HEAD", answer("Transfer-Encoding: chunked", body=b"2\r\nok\r\n0\r\n\r\n")),
        ("GET", answer("Content-Length: 76", body=POISON, first="HTTP/1.1 204 No Content")),
        ("GET", answer("Content-Length: 76", body=POISON, first="HTTP/1.1 304 Not Modified")),
    ],
)
async def test_what_follows_an_answer_is_nobodys(address: str, backend: Backend, first: str, sent: bytes) -> None:
    backend.answer = lambda message: sent if "first" in message.line else answer("Content-Length: 4", body=b"next")
    async with connected(address) as client:
        await client.send(head(first=f"{first} /first HTTP/1.1", host="h"), 1 << 20)
        async with asyncio.timeout(DEADLINE_S):
            got = await client.reader.readuntil(b"\r\n\r\n")
            if first == "GET" and b" 200 " in got:
                await client.reader.readuntil(b"ok\r\n0\r\n\r\n" if b"chunked" in got else b"ok")
        assert b" 204 " not in got or b"content-length" not in got.lower()
        await client.send(head(first="GET /next HTTP/1.1"), 1 << 20)
        assert (await client.answer()).body == b"next"
    assert len(backend.writers) == 2, "a connection that is out of step is used again"


async def test_what_comes_unasked_makes_an_idle_connection_unfit(address: str, backend: Backend) -> None:
    async with connected(address) as client:
        await client.send(head(), 1 << 20)
        await client.answer()
        backend.writers[0].write(POISON)
        with contextlib.suppress(TimeoutError):  # a door may as well find out when it would use it
            await eventually(lambda: backend.closed == 1, 0.5)
        await client.send(head(), 1 << 20)
        assert (await client.answer()).body == b"ok"


async def test_each_pipelined_request_gets_its_own_answer(address: str, backend: Backend) -> None:
    backend.answer = lambda message: answer(f"Content-Length: {len(message.line)}", body=message.line.encode())
    lines = [f"GET /{number} HTTP/1.1" for number in range(50)]
    async with connected(address) as client:
        await client.send(b"".join(head(first=line) for line in lines), 1 << 20)
        assert [(await client.answer()).body.decode() for _ in lines] == lines


async def test_interim_answers_and_trailers_are_passed_on(address: str, backend: Backend) -> None:
    body = b"1;x=y\r\na\r\n0\r\nX-Sum: 1\r\nSet-Cookie: no\r\n\r\n"
    hints = answer("Link: </s>", "Connection: X-Y", "X-Y: 1", first="HTTP/1.1 103 Early Hints")
    backend.answer = lambda message: hints + answer("Transfer-Encoding: chunked", body=body)
    async with connected(address) as client:
        await client.send(head(), 1 << 20)
        early, answered = await client.answer(), await client.answer()
    assert (early.line, early.all("link"), early.all("x-y")) == ("HTTP/1.1 103 Early Hints", ["</s>"], [])
    assert (answered.body, answered.all("x-sum"), answered.all("set-cookie")) == (b"a", ["1"], [])


async def test_who_does_not_read_is_not_served_without_bound(address: str, backend: Backend) -> None:
    backend.answer = lambda message: answer(f"Content-Length: {1 << 18}", body=b"a" * (1 << 18))
    async with connected(address) as greedy, connected(address) as other:
        sending = asyncio.create_task(greedy.send(head(first="GET /greedy HTTP/1.1") * 1000, 1 << 16))
        for _ in range(40):
            await other.send(head(), 1 << 20)
            await other.answer()
        served = sum("greedy" in request.line for request in backend.requests)
        assert served < 120, f"{served} answers of 256 KiB each are kept for a client that reads none"
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending


async def test_a_tunnel_passes_what_was_sent_ahead(address: str, backend: Backend) -> None:
    switched = answer("Connection: upgrade", "Upgrade: echo", first="HTTP/1.1 101 Switching Protocols")
    got: list[bytes] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(switched + b"hello ")
        got.append(await reader.readexactly(14))
        writer.write(got[0])
        writer.close()

    backend.upgrade = echo
    async with connected(address) as client:
        await client.send(head("Connection: Upgrade", "Upgrade: echo") + b"ahead ", 1 << 20)
        async with asyncio.timeout(DEADLINE_S):
            assert b" 101 " in await client.reader.readuntil(b"\r\n\r\n")
        await client.send(b"and then", 1 << 20)
        assert await client.rest() == b"hello ahead and then"


async def test_a_tunnels_client_may_end_its_side_first(address: str, backend: Backend) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer("Connection: upgrade", "Upgrade: echo", first="HTTP/1.1 101 Switching Protocols"))
        writer.write(await reader.read())
        writer.close()

    backend.upgrade = echo
    async with connected(address) as client:
        await client.send(head("Connection: Upgrade", "Upgrade: echo"), 1 << 20)
        async with asyncio.timeout(DEADLINE_S):
            await client.reader.readuntil(b"\r\n\r\n")
        await client.send(b"a" * 300_000, 1 << 20)
        client.writer.write_eof()
        assert await client.rest() == b"a" * 300_000
