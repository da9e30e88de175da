"""Either side goes, stops or talks nonsense; and what is written of it."""

import asyncio
import json
from pathlib import Path

from proxy.conftest import Stage
from proxy.wires import Backend, Wire, answering, ask, dialled, get, post

BIG = bytes(range(256)) * 4096


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
