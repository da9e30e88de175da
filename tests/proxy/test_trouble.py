"""Backends that fail: what is tried again, what is answered, who is picked no more and when he is again."""

import asyncio

import pytest

from lbsuite.proxy.settings import HealthSettings
from proxy.conftest import Stage
from proxy.wires import Backend, Wire, ask, dialled, get, post
from waiting import eventually


async def hang_up(backend: Backend, wire: Wire) -> None:
    await backend.read(wire)


async def test_what_may_be_asked_twice_goes_to_another_backend(stage: Stage) -> None:
    bad, good = await stage.backend(hang_up), await stage.backend()
    proxy = await stage.proxy(bad, good, stages=())
    async with dialled(proxy.address) as wire:
        for _ in range(6):
            assert (await wire.ask(get())).body == good.address.encode()
    assert len(bad.seen) == proxy.door.totals()["retried"] > 0


async def test_what_may_have_been_done_is_not_done_twice(stage: Stage) -> None:
    bad, good = await stage.backend(hang_up), await stage.backend()
    proxy = await stage.proxy(bad, good, stages=())
    statuses = [(await ask(proxy.address, post())).status for _ in range(6)]
    assert sorted(statuses) == [200, 200, 200, 502, 502, 502]
    assert len(bad.seen) == len(good.seen) == 3


async def test_a_refused_connection_fails_nobody_and_is_found_once(stage: Stage) -> None:
    gone, good = await stage.backend(), await stage.backend()
    await gone.close()
    proxy = await stage.proxy(gone, good)
    for _ in range(10):
        assert (await ask(proxy.address, post())).body == good.address.encode()
    totals = proxy.door.totals()
    assert totals["failed"] == 0
    await eventually(lambda: proxy.pulse.happened["lost"] == 1)
    assert next(each for each in proxy.engine.endpoints(0.0) if each.address == gone.address).state != "ready"


async def test_a_backend_that_is_back_serves_again_soon(stage: Stage) -> None:
    gone, good = await stage.backend(), await stage.backend()
    await gone.close()
    proxy = await stage.proxy(gone, good)
    await ask(proxy.address, get())
    await ask(proxy.address, get())
    back = await stage.backend(listen=gone.address)

    async def served() -> bool:
        return (await ask(proxy.address, get())).body == back.address.encode()

    await eventually(served)
    await eventually(lambda: proxy.pulse.happened["back"] == 1)


async def test_a_backend_killed_under_load_costs_no_idempotent_request(stage: Stage) -> None:
    backends = await stage.backends(3)
    proxy = await stage.proxy(*backends)
    answers: list[int] = []
    stop = asyncio.Event()

    async def client() -> None:
        async with dialled(proxy.address) as wire:
            while not stop.is_set():
                answers.append((await wire.ask(get())).status)

    clients = [asyncio.create_task(client()) for _ in range(8)]
    for _ in range(3):
        enough = len(answers) + 200
        await eventually(lambda enough=enough: len(answers) >= enough)
        await backends[0].close()
        enough = len(answers) + 200
        await eventually(lambda enough=enough: len(answers) >= enough)
        backends[0] = await stage.backend(listen=backends[0].address)
    stop.set()
    await asyncio.gather(*clients)
    assert set(answers) == {200}


async def test_where_nobody_serves_callers_are_told_to_come_back(stage: Stage) -> None:
    gone = await stage.backend()
    await gone.close()
    proxy = await stage.proxy(gone)
    assert (await ask(proxy.address, get())).status == 502
    answer = await ask(proxy.address, get())
    assert (answer.status, answer["retry-after"]) == (503, "1")


async def test_requests_under_way_finish_while_it_drains_and_no_new_ones_come(stage: Stage) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def serve(backend: Backend, wire: Wire) -> None:
        begun.set()
        await go_on.wait()
        await backend.answer(wire)

    proxy = await stage.proxy(await stage.backend(serve))
    async with dialled(proxy.address) as idle, dialled(proxy.address) as busy:
        await busy.send(get())
        await begun.wait()
        closing = asyncio.create_task(proxy.close(20.0))
        assert await idle.ended() == b""
        idle.cut()
        with pytest.raises(ConnectionRefusedError):
            await ask(proxy.address, get())
        go_on.set()
        answer = await busy.message()
        assert (answer.status, answer["connection"]) == (200, "close")
        assert await busy.ended() == b""
        assert await closing


async def test_what_takes_longer_than_the_drain_is_cut(stage: Stage) -> None:
    begun = asyncio.Event()

    async def serve(backend: Backend, wire: Wire) -> None:
        begun.set()
        await asyncio.Event().wait()

    proxy = await stage.proxy(await stage.backend(serve))
    async with dialled(proxy.address) as wire:
        await wire.send(get())
        await begun.wait()
        assert not await proxy.close(0.1)
        assert await wire.ended() == b""


async def test_a_backend_falls_by_wrong_answers_in_a_row_and_rises_by_right_ones(stage: Stage) -> None:
    status, checks = "200 OK", 0

    async def serve(backend: Backend, wire: Wire) -> None:
        nonlocal checks
        while True:
            request = await backend.read(wire)
            checks += request.line.startswith("GET /health ")
            shown = status if request.line.startswith("GET /health ") else "200 OK"
            await wire.send(f"HTTP/1.1 {shown}\r\nContent-Length: 0\r\n\r\n")

    health = HealthSettings(every_s=0.05, path="/health", rise=2, fall=3)
    backend = await stage.backend(serve)
    proxy = await stage.proxy(backend, health=health)
    await eventually(lambda: checks > 3)
    assert (await ask(proxy.address, get())).status == 200
    status, checks = "500 Oops", 0
    await eventually(lambda: not proxy.health.up(backend.address))
    assert checks >= 3
    assert (await ask(proxy.address, get())).status == 503
    status, checks = "204 Fine", 0
    await eventually(lambda: proxy.health.up(backend.address))
    assert checks >= 2
    assert (await ask(proxy.address, get())).status == 200


async def test_a_list_that_is_replaced_takes_effect_and_cuts_nothing(stage: Stage) -> None:
    one, two, three = await stage.backends(3)
    proxy = await stage.proxy(one, two)
    async with dialled(proxy.address) as wire:
        assert {(await wire.ask(get())).body.decode() for _ in range(4)} == {one.address, two.address}
        stage.listing.replace([two.address, three.address])
        await eventually(lambda: len(proxy.engine) == 2 and three.address in proxy.engine.ready(0.0))
        assert {(await wire.ask(get())).body.decode() for _ in range(4)} == {two.address, three.address}
    with pytest.raises(ValueError, match="nonsense"):
        stage.listing.replace(["nonsense"])
    assert stage.listing.backends == (two.address, three.address)


async def test_a_name_stands_for_its_addresses(stage: Stage) -> None:
    backend = await stage.backend()
    proxy = await stage.proxy(backend.address.replace("127.0.0.1", "localhost"))
    assert (await ask(proxy.address, get())).body == backend.address.encode()
