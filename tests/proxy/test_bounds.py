"""What both doors refuse, and when they have waited long enough."""

import asyncio

import pytest

from proxy.conftest import Stage
from proxy.wires import Backend, Wire, ask, dialled, get, post

CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("told", "request_", "status"),
    [
        ({"target_bytes": 100}, get("/" + "x" * 100), 414),
        ({"target_bytes": 100}, "GET /" + "x" * 1000, 414),
        ({"head_bytes": 1000}, get("/", "X: " + "x" * 1000), 431),
        ({"fields": 10}, get("/", *(f"X-{i}: 1" for i in range(10))), 431),
        ({"body_bytes": 3}, post("four"), 413),
        ({"body_bytes": 3}, f"{CHUNKED}\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", 413),
        ({}, get().replace("Host: a\r\n", ""), 400),
        ({}, get("/", "Host: b"), 400),
        ({}, get("/", "Space : 1"), 400),
        ({}, get("/", "X: 1", " folded"), 400),
        ({}, get("/", "X: a\0b"), 400),
        ({}, get("/", "X: a\rb"), 400),
        ({}, get().replace("\r\n", "\n"), 400),
        ({}, post("x", "Content-Length: 1"), 400),
        ({}, post("x", "Transfer-Encoding: chunked"), 400),
        ({}, get("/", "Content-Length: +1"), 400),
        ({}, get("/", "Transfer-Encoding: gzip, chunked"), 400),
        ({}, f"{CHUNKED}\r\n0x1\r\na\r\n0\r\n\r\n", 400),
        ({}, f"{CHUNKED}\r\n1\na\r\n0\r\n\r\n", 400),
        ({}, f"{CHUNKED}\r\n1\r\nab\r\n0\r\n\r\n", 400),
        ({}, f"{CHUNKED}\r\n0\r\nContent-Length: 1\r\n\r\n", 400),
        ({}, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        ({}, get().replace("1.1", "2.0"), 505),
    ],
)
async def test_what_is_too_much_or_ambiguous_is_refused(
    stage: Stage, told: dict[str, int], request_: str, status: int
) -> None:
    proxy = await stage.proxy(await stage.backend(), **told)
    async with dialled(proxy.address) as wire:
        answer = await wire.ask(request_)
        assert (answer.status, answer["connection"]) == (status, "close")
        assert await wire.ended() == b""
    assert proxy.door.totals()["answered"] == 0


async def test_a_head_that_does_not_end_is_given_up(stage: Stage) -> None:
    proxy = await stage.proxy(await stage.backend(), head_s=0.2)
    async with dialled(proxy.address) as wire:
        assert (await wire.ask("GET / HTTP/1.1\r\nHo")).status == 408


async def test_a_body_that_does_not_end_is_given_up(stage: Stage) -> None:
    proxy = await stage.proxy(await stage.backend(), idle_s=0.3)
    async with dialled(proxy.address) as wire:
        assert (await wire.ask(post()[:-1])).status == 408


async def silence(backend: Backend, wire: Wire) -> None:
    await backend.read(wire)
    await asyncio.Event().wait()


@pytest.mark.parametrize("told", [{"idle_s": 0.3}, {"request_s": 0.3}])
async def test_a_backend_that_does_not_answer_is_given_up(stage: Stage, told: dict[str, float]) -> None:
    proxy = await stage.proxy(await stage.backend(silence), **told)
    assert (await ask(proxy.address, get())).status == 504


async def test_a_connection_that_asks_nothing_is_closed_without_a_word(stage: Stage) -> None:
    proxy = await stage.proxy(await stage.backend(), idle_s=0.2)
    async with dialled(proxy.address) as wire:
        assert (await wire.ask(get())).status == 200
        assert await wire.ended() == b""


async def test_an_answer_may_take_longer_than_a_connection_may_be_idle(stage: Stage) -> None:
    async def drip(backend: Backend, wire: Wire) -> None:
        await backend.read(wire)
        await wire.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            await asyncio.sleep(0.1)
            await wire.send("x")

    proxy = await stage.proxy(await stage.backend(drip), idle_s=0.5)
    assert (await ask(proxy.address, get())).body == b"x" * 10


async def test_there_are_so_many_connections_and_no_more(stage: Stage) -> None:
    proxy = await stage.proxy(await stage.backend(), connections=2)
    async with dialled(proxy.address) as one, dialled(proxy.address) as two:
        for wire in (one, two):
            assert (await wire.ask(get())).status == 200
        async with dialled(proxy.address) as three:
            assert await three.ended() == b""
        assert (await one.ask(get())).status == 200
