"""Clients that people use, through both doors."""

import asyncio
import hashlib
import random
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from proxy.conftest import Stage

DEADLINE_S = 60.0
PAGE = """<!doctype html><script>
const said = [];
const events = new EventSource("/events");
events.onmessage = (event) => said.push(event.data);
const socket = new WebSocket(`ws://${location.host}/ws`);
socket.onopen = () => socket.send("hello");
socket.onmessage = async (event) => {
  const posted = await (await fetch("/echo", {method: "POST", body: "x".repeat(100000)})).text();
  const images = await Promise.all([...Array(20).keys()].map((i) => fetch(`/echo?${i}`)));
  const told = [event.data, posted.length, images.filter((i) => i.ok).length, said[0]].join(" ");
  await fetch("/told", {method: "POST", body: told});
};
</script>"""


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


async def page(request: web.Request) -> web.Response:
    return web.Response(text=PAGE, content_type="text/html")


async def events(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await answer.prepare(request)
    await answer.write(b"data: event\n\n")
    await asyncio.sleep(3600)
    return answer


async def socket(request: web.Request) -> web.WebSocketResponse:
    answer = web.WebSocketResponse()
    await answer.prepare(request)
    async for message in answer:
        await answer.send_str(message.data)
    return answer


TOLD = web.AppKey("told", asyncio.Queue[str])


async def told(request: web.Request) -> web.Response:
    request.app[TOLD].put_nowait(await request.text())
    return web.Response()


@pytest.fixture
def heard() -> asyncio.Queue[str]:
    """What a browser has told a backend."""
    return asyncio.Queue()


@pytest.fixture
async def proxied(stage: Stage, heard: asyncio.Queue[str]) -> AsyncIterator[str]:
    """Where a proxy before two aiohttp backends listens."""
    runners = []
    for _ in range(2):
        application = web.Application(client_max_size=2**30)
        routes = [web.get("/", page), web.route("*", "/echo", echo), web.get("/events", events), web.get("/ws", socket)]
        application.add_routes([*routes, web.post("/told", told)])
        application[TOLD] = heard
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
    proxy = await stage.proxy(*(f"127.0.0.1:{runner.addresses[0][1]}" for runner in runners))
    yield proxy.address
    await proxy.close(0.0)
    for runner in runners:
        await runner.cleanup()


async def said(*words: str) -> str:
    """What a program says; it must end well."""
    program = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            out, err = await program.communicate()
    finally:
        if program.returncode is None:
            program.kill()
    assert program.returncode == 0, err.decode()
    return out.decode()


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"no {program} here")


@needs("curl")
@pytest.mark.parametrize(
    "how", [(), ("--http1.0",), ("-H", "Transfer-Encoding: chunked"), ("-H", "Expect: 100-continue")]
)
async def test_curl_sends_and_gets_a_megabyte(proxied: str, tmp_path: Path, how: tuple[str, ...]) -> None:
    body = random.Random(1).randbytes(1 << 20)
    sent, got = tmp_path / "sent", tmp_path / "got"
    sent.write_bytes(body)
    url = f"http://{proxied}/echo"
    await said("curl", "-sSf", *how, "--data-binary", f"@{sent}", "-o", str(got), url, "--next", "-sSfI", url)
    assert hashlib.sha256(got.read_bytes()).digest() == hashlib.sha256(body).digest()


@needs("wrk")
async def test_wrk_finds_no_error(proxied: str) -> None:
    told = await said("wrk", "-t1", "-c16", "-d1s", f"http://{proxied}/echo")
    assert not re.search(r"Socket errors|Non-2xx", told), told
    assert int(re.search(r"(\d+) requests in", told)[1]) > 16


async def test_requests_keeps_a_session(proxied: str) -> None:
    program = (
        "import requests, sys\n"
        "session = requests.Session()\n"
        "for size in (0, 1, 100_000):\n"
        "    answer = session.post(sys.argv[1], data=b'x' * size, timeout=20)\n"
        "    assert (answer.status_code, len(answer.content)) == (200, size)\n"
        "print(session.get(sys.argv[1], timeout=20).headers['Via'])\n"
    )
    pytest.importorskip("requests")
    assert await said(sys.executable, "-c", program, f"http://{proxied}/echo") == "1.1 lbsuite\n"


async def test_aiohttp_streams_many_bodies_at_once(proxied: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 10_000

    async def one(session: aiohttp.ClientSession) -> int:
        async with session.post(f"http://{proxied}/echo", data=pieces()) as answer:
            assert answer.status == 200
            return len(await answer.read())

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DEADLINE_S)) as session:
        assert set(await asyncio.gather(*(one(session) for _ in range(50)))) == {200_000}


@pytest.mark.slow
@needs("chromium")
async def test_a_browser_loads_a_page_with_sockets_and_events(
    proxied: str, heard: asyncio.Queue[str], tmp_path: Path
) -> None:
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", f"--user-data-dir={tmp_path}")
    browser = await asyncio.create_subprocess_exec(
        *("chromium", *flags, f"http://{proxied}/"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            assert await heard.get() == "hello 100000 20 event"
    finally:
        browser.terminate()
        await browser.wait()


@needs("openssl")
@needs("curl")
async def test_curl_speaks_tls_to_it(stage: Stage, tmp_path: Path) -> None:
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    await said(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"),
        *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
    )
    backend = await stage.backend()
    proxy = await stage.proxy(backend, certificate=certificate, certificate_key=key)
    url = f"https://{proxy.address}/"
    assert await said("curl", "-sSf", "--cacert", certificate, url, url) == backend.address * 2
    assert {request["x-forwarded-proto"] for request in backend.seen} == {"https"}
