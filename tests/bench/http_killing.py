"""A backend killed (-9) each second, under load, and back half a second later: what its death costs."""

import asyncio
import contextlib
import logging
import re
import time
from dataclasses import dataclass, field

import http_peers
from http_peers import Running

from lbsuite.proxy.listing import Listing
from lbsuite.proxy.proxy import Proxy
from lbsuite.proxy.settings import HealthSettings, ProxySettings

BACKENDS, GETTING, POSTING = 5, 48, 16
DOWN_S = 0.5


@dataclass
class Told:
    """posts_in_flight: at all the kills together, over all backends. gone_ms: from the end of a backend's process to
    the moment from which nobody is sent there."""

    kills: int = 0
    gets: int = 0
    gets_failed: int = 0
    posts: int = 0
    posts_failed: int = 0
    posts_in_flight: int = 0
    gone_ms: list[float] = field(default_factory=list)


class Killing:
    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._told = Told()
        self._in_flight = 0
        self._over = False

    async def run(self) -> Told:
        logging.disable(logging.WARNING)
        with contextlib.ExitStack() as ending:
            backends = [self._backend(ending) for _ in range(BACKENDS)]
            listing = Listing(backend.address for backend, _ in backends)
            proxy = Proxy(ProxySettings(health=HealthSettings(every_s=0.2)), listing.source)
            await proxy.open("127.0.0.1:0")
            try:
                getting = asyncio.create_task(self._get(proxy.address))
                posting = [asyncio.create_task(self._post(proxy.address)) for _ in range(POSTING)]
                await asyncio.sleep(1)
                await self._kill(proxy, backends, ending)
                self._over = True
                await asyncio.gather(getting, *posting)
            finally:
                await proxy.close(0.0)
        return self._told

    def _backend(self, ending: contextlib.ExitStack, port: str = "0") -> tuple[Running, contextlib.ExitStack]:
        own = ending.enter_context(contextlib.ExitStack())
        return own.enter_context(http_peers.backends(1, None, first_port=int(port))), own

    async def _kill(
        self, proxy: Proxy, backends: list[tuple[Running, contextlib.ExitStack]], ending: contextlib.ExitStack
    ) -> None:
        began_s = time.monotonic()
        for kill in range(self._seconds - 2):
            await asyncio.sleep(max(0.0, began_s + kill - time.monotonic()))
            victim, own = backends[kill % BACKENDS]
            self._told.kills += 1
            self._told.posts_in_flight += self._in_flight
            victim.process.kill()
            victim.process.wait()
            ended_s = time.monotonic()
            await self._until_gone(proxy, victim.address)
            self._told.gone_ms.append((time.monotonic() - ended_s) * 1e3)
            own.close()
            await asyncio.sleep(DOWN_S)
            backends[kill % BACKENDS] = self._backend(ending, victim.address.rpartition(":")[2])

    async def _until_gone(self, proxy: Proxy, address: str) -> None:
        until_s = time.monotonic() + 1
        while address in proxy.engine.ready(now := time.monotonic()) and now < until_s:  # noqa: ASYNC110 - the engine wakes nobody
            await asyncio.sleep(0)

    async def _get(self, address: str) -> None:
        words = ["wrk", "-t1", f"-c{GETTING}", f"-d{self._seconds}s", f"http://{address}/"]
        wrk = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        said = (await wrk.communicate())[0].decode()
        done = re.search(r"(\d+) requests in", said)
        assert done is not None, said
        self._told.gets = int(done[1])
        bad = " ".join(re.findall(r"(?:Socket errors|Non-2xx or 3xx responses): (.*)", said))
        self._told.gets_failed = sum(map(int, re.findall(r"\d+", bad)))

    async def _post(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        while not self._over:
            reader, writer = await asyncio.open_connection(host, int(port))
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while not self._over and await self._post_once(reader, writer):
                    pass
            writer.close()

    async def _post_once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """False: it failed, and the connection is not used again."""
        self._told.posts += 1
        self._in_flight += 1
        status = b""
        try:
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            async with asyncio.timeout(10):
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"Content-Length: (\d+)", head)
                await reader.readexactly(int(length[1]) if length else 0)
            status = head.split(b" ")[1]
        finally:
            self._in_flight -= 1
            self._told.posts_failed += status != b"200"
        return status == b"200"
