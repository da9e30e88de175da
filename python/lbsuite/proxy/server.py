"""The asyncio door: what the native one does, for systems that have none, and as a second reading of the same rules."""

import asyncio
import contextlib
import errno
import ssl
import time
from collections import Counter
from collections.abc import Mapping

from lbsuite import _core, addresses
from lbsuite.errors import StartFailed
from lbsuite.proxy import forward
from lbsuite.proxy.access_log import AccessLog
from lbsuite.proxy.exchange import ClientGone, Exchange
from lbsuite.proxy.forward import Origin
from lbsuite.proxy.incoming import Cut, Incoming
from lbsuite.proxy.message import Framing, Head, Refusal, parse_request
from lbsuite.proxy.pools import Pools
from lbsuite.proxy.settings import DoorSettings
from lbsuite.retry_budget import RetryBudget

LINGER_S = 2.0
"""After a last answer, for the client to close: a reset would take the answer with it."""
BACKLOG = 4096
_RETRY_RESERVE = 100.0


class AioDoor:
    """See Door. access_log: a file descriptor that it takes over, -1: none. Belongs to one event loop."""

    def __init__(self, engine: _core.Engine, settings: DoorSettings, access_log: int = -1) -> None:
        self.engine = engine
        self.settings = settings
        self.pools = Pools(settings)
        self.retries = RetryBudget(
            time.monotonic(), settings.retry_share, settings.retries_per_s, reserve=_RETRY_RESERVE
        )
        self.counts: Counter[str] = Counter()
        self.draining = False
        self.log = AccessLog(access_log) if access_log >= 0 else None
        self._clients: set[Client] = set()
        self._gone = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def open(self, listen: str) -> str:
        """See Door."""
        host, port = addresses.parse(listen, listening=True)
        tls = _tls(self.settings)
        try:
            self._server = await asyncio.start_server(
                self._accept,
                host.strip("[]"),
                port,
                backlog=BACKLOG,
                ssl=tls,
                ssl_handshake_timeout=self.settings.head_s if tls else None,
            )
        except OSError as error:
            words = errno.errorcode.get(error.errno or 0, "")
            raise StartFailed(f"cannot listen on {listen}: {words}") from None
        return f"{host}:{self._server.sockets[0].getsockname()[1]}"

    def totals(self) -> Mapping[str, int]:
        """See Door."""
        names = ("connections", "requests", "answered", "refused", "failed", "retried", "bytes_out")
        counted = {name: self.counts[name] for name in names}
        bytes_in = self.counts["bytes_in"] + sum(client.incoming.bytes for client in self._clients)
        return counted | {"open": len(self._clients), "bytes_in": bytes_in}

    async def close(self, drain_s: float) -> bool:
        """See Door."""
        self.draining = True
        if self._server is not None:
            self._server.close()
        for client in list(self._clients):
            client.drain()
        whole = await self._until_gone(drain_s)
        for client in list(self._clients):
            client.task.cancel()
        await asyncio.gather(*(client.task for client in self._clients), return_exceptions=True)
        self.pools.close()
        if self.log is not None:
            await self.log.close()
            self.log = None
        return whole

    async def _until_gone(self, drain_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                while self._clients:
                    self._gone.clear()
                    await self._gone.wait()
        return not self._clients

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.counts["connections"] += 1
        if self.draining or len(self._clients) >= self.settings.connections:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        client = Client(self, reader, writer, task)
        self._clients.add(client)
        try:
            await client.serve()
        finally:
            self._clients.discard(client)
            self.counts["bytes_in"] += client.incoming.bytes
            self._gone.set()


def _tls(settings: DoorSettings) -> ssl.SSLContext | None:
    if not settings.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.certificate, settings.certificate_key)
    except OSError as error:
        raise StartFailed(f"cannot speak TLS with {settings.certificate!r}: {error}") from None
    return context


class Client:
    """A client's connection: one request after another is read off it, and each is an exchange."""

    def __init__(
        self,
        door: AioDoor,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        task: asyncio.Task[None],
    ) -> None:
        host = str(writer.get_extra_info("peername")[0])
        parsed = addresses.ip_of(host)
        trusted = parsed is not None and addresses.inside([parsed], door.settings.trusted)
        self.origin = Origin(host, trusted, tls=writer.get_extra_info("ssl_object") is not None)
        self.incoming = Incoming(reader, door.settings)
        self.task = task
        self._door = door
        self._writer = writer
        self._busy = False

    def drain(self) -> None:
        """The request under way, if there is one, is its last."""
        if not self._busy and not self.incoming.ahead:
            self.task.cancel()

    async def serve(self) -> None:
        """Until either side has had enough."""
        try:
            while await self._serve_one():
                pass
            await self._linger()
        except (OSError, Cut, ClientGone):
            pass  # it has gone, or says nothing
        except asyncio.CancelledError:
            if not self._door.draining:
                raise
        finally:
            self._busy = False
            self._writer.transport.abort()

    async def send(self, data: bytes) -> None:
        """Raises ClientGone where it does not take it."""
        self._door.counts["bytes_out"] += len(data)
        self._writer.write(data)
        try:
            async with asyncio.timeout(self._door.settings.idle_s):
                await self._writer.drain()
        except OSError:
            raise ClientGone from None

    def end(self) -> None:
        """See Side."""
        if self._writer.can_write_eof() and not self._writer.is_closing():
            self._writer.write_eof()

    async def answer(self, refusal: Refusal, *, keep_alive: bool, bodiless: bool = False) -> None:
        await self.send(forward.answer(refusal.status, refusal.why, keep_alive, bodiless))

    async def _serve_one(self) -> bool:
        """One request; False if it was the last."""
        self._busy = self.incoming.ahead
        try:
            data = await self.incoming.head(first=True)
            if data is None:
                raise ClientGone
            self._busy = True
            head = self._checked(parse_request(data, self._door.settings))
        except Refusal as refusal:
            self._door.counts["refused"] += 1
            await self.answer(refusal, keep_alive=False)
            return False
        return await self._exchange(head) and not self._door.draining

    def _checked(self, head: Head) -> Head:
        most = self._door.settings.body_bytes
        if most and head.framing is Framing.LENGTH and head.length > most:
            raise Refusal(413, "the body is too long")
        return head

    async def _exchange(self, head: Head) -> bool:
        self._door.counts["requests"] += 1
        self._door.retries.earn()
        exchange = Exchange(self._door, self, head)
        began = time.monotonic()
        try:
            return await exchange.run()
        finally:
            if self._door.log is not None:
                self._door.log.add(
                    time.monotonic() - began,
                    client=self.origin.host,
                    method=head.method,
                    target=head.target,
                    status=exchange.status,
                    endpoint=exchange.address,
                    request_bytes=exchange.request_bytes,
                    response_bytes=exchange.response_bytes,
                    attempts=exchange.attempts,
                )

    async def _linger(self) -> None:
        self._writer.transport.set_write_buffer_limits(0)
        await self.send(b"")
        if not self._writer.can_write_eof():
            self._writer.close()
            return
        self._writer.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(LINGER_S, self._door.settings.idle_s)):
                async for _ in self.incoming.stream():
                    pass
