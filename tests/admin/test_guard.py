"""What holds for every request to the admin door."""

import asyncio

import pytest
from admin_door import DEADLINE_S, UNFINISHED, A, asking, opened, register
from aiohttp import web
from aiohttp.typedefs import Handler

from lbsuite.admin import guard


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:80", "localhost", "LOCALHOST:9", "[::1]:9", "10.1.2.3:9"])
async def test_this_machine_may_be_called_by_its_addresses_and_localhost(host: str) -> None:
    async with opened() as (_, door), asking(door) as asks, asks.get("/healthz", headers={"Host": host}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", "a b", "[", ""])
async def test_a_page_of_another_name_learns_and_drains_nothing(host: str) -> None:
    async with opened() as (balancer, door), asking(door) as asks:
        await register(balancer, A)
        revision = balancer.membership.revision
        async with asks.get("/api/state", headers={"Host": host}) as answer:
            assert (answer.status, A in await answer.text()) in ((403, False), (400, False))
        async with asks.post("/api/drain", json={"address": A}, headers={"Host": host}) as answer:
            assert answer.status in (400, 403)
        assert balancer.membership.revision == revision


async def test_no_page_of_another_origin_is_let_in_by_its_browser() -> None:
    async with opened() as (_, door), asking(door) as asks:
        asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
        async with asks.options("/api/drain", headers=asked) as answer:
            assert answer.status == 405
            assert not [name for name in answer.headers if name.lower().startswith("access-control")]


async def test_a_body_that_does_not_come_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "DEADLINE_S", 0.2)
    async with opened() as (_, door):
        host, _, port = door.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(UNFINISHED)
        async with asyncio.timeout(DEADLINE_S):
            assert b" 503 " in await reader.readline()
        writer.close()


async def test_a_reader_that_stops_reading_is_let_go_of_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "DEADLINE_S", 0.2)
    size, over = 1 << 26, asyncio.Event()

    @web.middleware
    async def watched(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        finally:
            over.set()

    async def much(request: web.Request) -> web.Response:
        return web.Response(body=bytes(size))

    application = web.Application(middlewares=[watched, guard.in_time])
    application.router.add_get("/", much)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection(*runner.addresses[0], limit=1024)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(DEADLINE_S):
        await over.wait()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(size)
    writer.close()
    await runner.cleanup()


async def test_what_is_no_http_gets_400_and_leaves_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async with opened() as (_, door):
        host, _, port = door.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /\x00 HTTP/9.9\r\nA B\r\n\r\n")
        async with asyncio.timeout(DEADLINE_S):
            assert b" 400 " in await reader.readline()
        writer.close()
    assert not caplog.records
