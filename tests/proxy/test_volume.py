"""Much at once: large bodies both ways, many who hold a connection, many who never end a head, backends that die.

`tests/bench/http_transfer.py` asks the same of gigabytes and thousands, with what it costs.
"""

import asyncio
import contextlib
import hashlib
import random

import pytest

from proxy.conftest import Stage
from proxy.wires import Backend, Wire, ask, dialled, get, post
from waiting import eventually

SIZES = (1, 65535, 65536, 300_001, 2_000_003)


def in_chunks(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def framed(body: bytes, chunk: int) -> tuple[str, bytes]:
    """A field and what follows the head. chunk: 0: by length."""
    return ("Transfer-Encoding: chunked", in_chunks(body, chunk)) if chunk else (f"Content-Length: {len(body)}", body)


async def echo(backend: Backend, wire: Wire) -> None:
    """Answers with the body that came, framed as the request's X-Chunk says."""
    while True:
        request = await backend.read(wire)
        field, data = framed(request.body, int(request["x-chunk"]))
        await wire.send(f"HTTP/1.1 200 OK\r\n{field}\r\n\r\n".encode() + data)


@pytest.mark.parametrize("chunk", [0, 1000, 100_000])
@pytest.mark.parametrize("back", [0, 70_000])
async def test_bodies_of_all_sizes_are_equal_by_their_hash_there_and_back(stage: Stage, chunk: int, back: int) -> None:
    proxy = await stage.proxy(await stage.backend(echo), await stage.backend(echo))
    bodies = [random.Random(size).randbytes(size) for size in SIZES]

    async def carry(body: bytes) -> None:
        field, data = framed(body, chunk)
        head = f"PUT / HTTP/1.1\r\nHost: a\r\nX-Chunk: {back}\r\n{field}\r\n\r\n".encode()
        async with dialled(proxy.address) as wire:
            for _ in range(2):
                sending = asyncio.create_task(wire.send(head + data))
                answer = await wire.message()
                await sending
                assert hashlib.sha256(answer.body).digest() == hashlib.sha256(body).digest()

    await asyncio.gather(*map(carry, bodies))


async def test_hundreds_who_hold_a_connection_are_each_served_again(stage: Stage) -> None:
    proxy = await stage.proxy(*await stage.backends(3))
    async with contextlib.AsyncExitStack() as ending:
        wires = [await ending.enter_async_context(dialled(proxy.address)) for _ in range(300)]
        for _ in range(2):
            answers = await asyncio.gather(*(wire.ask(get()) for wire in wires))
            assert {answer.status for answer in answers} == {200}
    assert proxy.door.totals()["requests"] == 600


async def test_those_who_never_end_a_head_are_all_cut_and_keep_nobody_else_waiting(stage: Stage) -> None:
    proxy = await stage.proxy(*await stage.backends(2), head_s=0.5)
    cut = 0

    async def dawdle() -> None:
        nonlocal cut
        async with dialled(proxy.address) as wire:
            await wire.send("GET / HTTP/1.1\r\nHost: a\r\nX: ")
            dripping = asyncio.create_task(drip(wire))
            said = await wire.ended()
            dripping.cancel()
            assert said == b"" or b" 408 " in said.splitlines()[0]
            cut += 1

    async def drip(wire: Wire) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await wire.send("x")
                await asyncio.sleep(0.05)

    slow = [asyncio.create_task(dawdle()) for _ in range(50)]
    while cut < len(slow):
        assert (await ask(proxy.address, get())).status == 200
    await asyncio.gather(*slow)


async def test_a_death_under_load_costs_no_more_than_was_under_way(stage: Stage) -> None:
    backends = await stage.backends(3)
    proxy = await stage.proxy(*backends)
    answers: list[int] = []
    asking = lost = 0
    stop = asyncio.Event()

    async def client() -> None:
        nonlocal asking
        async with dialled(proxy.address) as wire:
            while not stop.is_set():
                asking += 1
                answers.append((await wire.ask(post())).status)
                asking -= 1

    clients = [asyncio.create_task(client()) for _ in range(8)]
    for _ in range(4):
        enough = len(answers) + 100
        await eventually(lambda enough=enough: len(answers) >= enough)
        lost += asking
        await backends[0].close()
        enough = len(answers) + 100
        await eventually(lambda enough=enough: len(answers) >= enough)
        backends[0] = await stage.backend(listen=backends[0].address)
    stop.set()
    await asyncio.gather(*clients)
    assert set(answers) <= {200, 502}
    assert answers.count(502) <= lost
