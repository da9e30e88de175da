"""What both doors do with requests and responses."""

import asyncio
import hashlib

import aiohttp
import pytest
from aiohttp import web

from proxy.conftest import Stage
from proxy.wires import Backend, Wire, answering, dialled, get, post

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
