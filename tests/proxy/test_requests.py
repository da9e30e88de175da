"""What both doors do with requests and responses."""

import asyncio
import hashlib
import json
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from lbsuite.addresses import network
from proxy.conftest import Serve, Stage
from proxy.wires import Backend, Wire, ask, dialled, get, post

BIG = bytes(range(256)) * 4096


async def test_connections_of_both_sides_carry_one_request_after_another(stage: Stage) -> None:
    backend = await stage.backend()
    proxy = await stage.proxy(backend)
    async with dialled(proxy.address) as wire:
        for _ in range(5):
            assert (await wire.ask(get())).body == backend.address.encode()
    assert len(backend.wires) == 1


async def test_requests_that_come_together_are_answered_in_their_order(stage: Stage) -> None:
    async def echo_path(backend: Backend, wire: Wire) -> None:
        while True:
            path = (await backend.read(wire)).line.split(" ")[1]
            await wire.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(path)}\r\n\r\n{path}")

    proxy = await stage.proxy(await stage.backend(echo_path))
    async with dialled(proxy.address) as wire:
        await wire.send("".join(get(f"/{i}") for i in range(20)))
        assert [(await wire.message()).body for _ in range(20)] == [f"/{i}".encode() for i in range(20)]


async def test_each_backend_gets_its_share_in_turn(stage: Stage) -> None:
    backends = await stage.backends(3)
    proxy = await stage.proxy(*backends)
    async with dialled(proxy.address) as wire:
        for _ in range(30):
            await wire.ask(get())
    assert [len(backend.seen) for backend in backends] == [10, 10, 10]


async def echo(backend: Backend, wire: Wire) -> None:
    while True:
        body = (await backend.read(wire)).body
        await wire.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


async def test_bodies_with_a_length_come_through_whole_both_ways(stage: Stage) -> None:
    proxy = await stage.proxy(await stage.backend(echo))
    async with dialled(proxy.address) as wire:
        sending = asyncio.create_task(
            wire.send(f"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {len(BIG)}\r\n\r\n".encode() + BIG)
        )
        answer = await wire.message()
        await sending
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(BIG).digest()


async def test_a_chunked_request_reaches_the_backend_as_it_comes(stage: Stage) -> None:
    got: asyncio.Queue[bytes] = asyncio.Queue()

    async def take(backend: Backend, wire: Wire) -> None:
        request = await wire.head()
        assert request["transfer-encoding"] == "chunked"
        async for data in wire.chunks(request):
            got.put_nowait(data)
        backend.seen.append(request)
        await wire.send("HTTP/1.1 204 No Content\r\n\r\n")

    backend = await stage.backend(take)
    proxy = await stage.proxy(backend)
    async with dialled(proxy.address) as wire, asyncio.timeout(20):
        await wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"first", b"second"):
            await wire.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            assert await got.get() == piece
        await wire.send("0\r\nX-Check: sum\r\nHost: b\r\n\r\n")
        assert (await wire.message(bodiless=True)).status == 204
    assert backend.seen[0].trailers == [("x-check", "sum")]


def answering(*pieces: str) -> Serve:
    async def serve(backend: Backend, wire: Wire) -> None:
        while True:
            await backend.read(wire)
            for piece in pieces:
                await wire.send(piece)

    return serve


async def test_a_chunked_response_keeps_its_trailers(stage: Stage) -> None:
    head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    proxy = await stage.proxy(
        await stage.backend(answering(head, "3\r\nabc\r\n", "2;x=y\r\nde\r\n", "0\r\nX-Sum: 5\r\n\r\n"))
    )
    async with dialled(proxy.address) as wire:
        for _ in range(2):
            answer = await wire.ask(get())
            assert (answer.body, answer.trailers) == (b"abcde", [("x-sum", "5")])


async def test_a_response_that_ends_with_its_connection_is_chunked_for_those_who_know_chunks(stage: Stage) -> None:
    async def serve(backend: Backend, wire: Wire) -> None:
        await backend.read(wire)
        await wire.send("HTTP/1.0 200 OK\r\n\r\nto the end")

    proxy = await stage.proxy(await stage.backend(serve))
    async with dialled(proxy.address) as wire:
        for _ in range(2):
            answer = await wire.ask(get())
            assert (answer["transfer-encoding"], answer.body) == ("chunked", b"to the end")
    async with dialled(proxy.address) as wire:
        answer = await wire.ask("GET / HTTP/1.0\r\n\r\n")
        assert (answer.values("transfer-encoding"), answer.body) == ([], b"to the end")


async def test_the_answer_to_head_has_a_length_and_no_body(stage: Stage) -> None:
    backend = await stage.backend()
    proxy = await stage.proxy(backend)
    async with dialled(proxy.address) as wire:
        for _ in range(2):
            answer = await wire.ask(get().replace("GET", "HEAD"), bodiless=True)
            assert (answer.status, answer["content-length"]) == (200, str(len(backend.address)))
        assert (await wire.ask(get())).body == backend.address.encode()


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_an_answer_that_has_no_body_is_not_waited_for(stage: Stage, status: str) -> None:
    proxy = await stage.proxy(await stage.backend(answering(f"HTTP/1.1 {status}\r\n\r\n")))
    async with dialled(proxy.address) as wire:
        for _ in range(2):
            assert (await wire.ask(get(), bodiless=True)).line.endswith(status)


async def test_a_client_that_expects_it_is_told_to_continue_before_it_sends_its_body(stage: Stage) -> None:
    async def serve(backend: Backend, wire: Wire) -> None:
        request = await wire.head()
        assert request["expect"] == "100-continue"
        await wire.send("HTTP/1.1 100 Continue\r\n\r\n")
        body = await wire.reader.readexactly(int(request["content-length"]))
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    proxy = await stage.proxy(await stage.backend(serve))
    async with dialled(proxy.address) as wire:
        head, body = post("hello", "Expect: 100-continue").split("\r\n\r\n")
        assert (await wire.ask(f"{head}\r\n\r\n", bodiless=True)).status == 100
        assert (await wire.ask(body)).body == b"hello"


async def test_events_arrive_as_they_are_sent(stage: Stage) -> None:
    go_on = asyncio.Event()

    async def serve(backend: Backend, wire: Wire) -> None:
        await backend.read(wire)
        await wire.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
        await go_on.wait()
        await wire.send("data: two\n\n")

    proxy = await stage.proxy(await stage.backend(serve))
    async with dialled(proxy.address) as wire:
        await wire.send(get())
        chunks = wire.chunks(await wire.head())
        assert await anext(chunks) == b"data: one\n\n"
        go_on.set()
        assert [data async for data in chunks] == [b"data: two\n\n"]


async def test_a_websocket_echoes_through_it(stage: Stage) -> None:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"{message.data}!")
        return socket

    application = web.Application()
    application.add_routes([web.get("/ws", echo)])
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        proxy = await stage.proxy(f"127.0.0.1:{runner.addresses[0][1]}")
        async with (
            asyncio.timeout(20),
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://{proxy.address}/ws") as socket,
        ):
            for word in ("one", "two", "x" * 100_000):
                await socket.send_str(word)
                assert await socket.receive_str() == f"{word}!"
    finally:
        await runner.cleanup()


async def test_fields_of_one_hop_go_no_further(stage: Stage) -> None:
    async def serve(backend: Backend, wire: Wire) -> None:
        while True:
            await backend.answer(wire, "Connection: X-Ours", "X-Ours: 1", "Keep-Alive: 5", "X-Mine: 2")

    backend = await stage.backend(serve)
    proxy = await stage.proxy(backend)
    hops = ("Connection: X-Secret, keep-alive", "X-Secret: 1", "TE: trailers", "Proxy-Authorization: x", "X-Mine: 2")
    answer = await ask(proxy.address, get("/", *hops))
    for message in (answer, backend.seen[0]):
        names = {name for name, _ in message.fields}
        gone = {"connection", "x-secret", "x-ours", "te", "proxy-authorization", "keep-alive"}
        assert not names & gone
        assert message["x-mine"] == "2"


CLAIMS = ("X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https", "Forwarded: for=1.2.3.4;proto=https")


@pytest.mark.parametrize(
    ("trusted", "before", "forwarded_before", "proto"),
    [("10.0.0.0/8", "", "", "http"), ("127.0.0.0/8", "1.2.3.4, ", "for=1.2.3.4;proto=https, ", "https")],
)
async def test_the_backend_learns_whom_a_request_is_from(
    stage: Stage, trusted: str, before: str, forwarded_before: str, proto: str
) -> None:
    backend = await stage.backend()
    proxy = await stage.proxy(backend, trusted=(network(trusted),))
    answer = await ask(proxy.address, get("/", *CLAIMS))
    (request,) = backend.seen
    assert request["x-forwarded-for"] == f"{before}127.0.0.1"
    assert request["x-forwarded-proto"] == proto
    assert request["x-forwarded-host"] == "a"
    assert request["forwarded"] == f"{forwarded_before}for=127.0.0.1;proto=http"
    assert request["via"] == answer["via"] == "1.1 lbsuite"


@pytest.mark.parametrize(
    ("key", "fields"),
    [("header:X-User", "X-User: {}"), ("cookie:user", "Cookie: a=b; user={}; c=d"), ("path", "X-Nothing: 1")],
)
async def test_requests_of_one_key_go_to_one_backend(stage: Stage, key: str, fields: str) -> None:
    backends = await stage.backends(5)
    proxy = await stage.proxy(*backends, policy="hashed", key=key)
    served: dict[int, set[bytes]] = {}
    async with dialled(proxy.address) as wire:
        for i in range(60):
            user = i % 12
            answer = await wire.ask(get(f"/{user}?{i}" if key == "path" else f"/{i}", fields.format(user)))
            served.setdefault(user, set()).add(answer.body)
    assert all(len(each) == 1 for each in served.values())
    assert len(set.union(*served.values())) > 1


async def test_a_client_that_goes_takes_its_request_with_it(stage: Stage) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def serve(backend: Backend, wire: Wire) -> None:
        await backend.read(wire)
        begun.set()
        await wire.ended()
        ended.set()

    proxy = await stage.proxy(await stage.backend(serve))
    async with asyncio.timeout(20):
        async with dialled(proxy.address) as wire:
            await wire.send(get())
            await begun.wait()
            wire.reset()
        await ended.wait()


async def test_a_reader_that_stops_stops_the_backend_too(stage: Stage) -> None:
    sent = 0
    stopped = asyncio.Event()

    async def serve(backend: Backend, wire: Wire) -> None:
        nonlocal sent
        await backend.read(wire)
        await wire.send(f"HTTP/1.1 200 OK\r\nContent-Length: {2**30}\r\n\r\n")
        while True:
            wire.writer.write(BIG)
            try:
                async with asyncio.timeout(1.0):
                    await wire.writer.drain()
            except TimeoutError:
                stopped.set()
                return
            sent += len(BIG)

    proxy = await stage.proxy(await stage.backend(serve))
    async with asyncio.timeout(20), dialled(proxy.address) as wire:
        await wire.send(get())
        await stopped.wait()
    assert sent < 2**26


async def test_what_a_backend_says_that_makes_no_sense_is_a_bad_gateway(stage: Stage) -> None:
    for nonsense in (
        "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na",
        "HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ):
        proxy = await stage.proxy(await stage.backend(answering(nonsense)))
        assert (await ask(proxy.address, get())).status == 502


async def test_a_response_that_ends_too_soon_is_seen_to_be_cut(stage: Stage) -> None:
    async def serve(backend: Backend, wire: Wire) -> None:
        await backend.read(wire)
        await wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")

    proxy = await stage.proxy(await stage.backend(serve))
    async with dialled(proxy.address) as wire:
        await wire.send(get())
        assert (await wire.ended()).endswith(b"3\r\nabc\r\n")


async def test_the_access_log_has_a_line_a_request(stage: Stage, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    backend = await stage.backend()
    proxy = await stage.proxy(backend, access_log=str(log))
    assert (await ask(proxy.address, post("four", 'X: "quoted"'))).status == 200
    assert await proxy.close(5.0)
    (line,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert line["endpoint"] == backend.address
    told = {name: line[name] for name in ("client", "method", "target", "status", "request_bytes", "attempts")}
    assert told == {
        "client": "127.0.0.1",
        "method": "POST",
        "target": "/",
        "status": 200,
        "request_bytes": 4,
        "attempts": 1,
    }
    assert line["took_s"] >= 0
