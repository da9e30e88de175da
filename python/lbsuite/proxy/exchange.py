"""One request and its response in the asyncio door: from the endpoint that is picked to the last byte the client gets.

What is tried again is what has not been answered yet, and may be asked twice: methods that are idempotent (RFC 9110
9.2.2), and any that a backend refused to connect for.
"""

import asyncio
import errno
import time
from typing import TYPE_CHECKING

from lbsuite import _core
from lbsuite.proxy import forward
from lbsuite.proxy.forward import Delivery
from lbsuite.proxy.incoming import Cut
from lbsuite.proxy.keys import key_of
from lbsuite.proxy.message import Framing, Head, Refusal, parse_response
from lbsuite.proxy.pools import Upstream
from lbsuite.proxy.tunnel import Tunnel

if TYPE_CHECKING:
    from lbsuite.proxy.server import AioDoor, Client

_IDEMPOTENT = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}
_MOST_REPEATED = 65536
"""Bytes of a request that are kept to be sent again."""
_MOST_INTERIM = 16
"""Answers before the answer."""
_NOBODY_THERE = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH}


class _Lost(Exception):
    """A backend failed before it answered. refused: nobody listens there."""

    def __init__(self, why: str, *, refused: bool = False, status: int = 502) -> None:
        super().__init__(why)
        self.refusal = Refusal(status, why)
        self.refused = refused


class ClientGone(Exception):
    """There is nobody to answer."""


class _HalfAnswered(ClientGone):
    """A backend failed after it had begun to answer: the client must see that the answer is not whole."""


class Exchange:
    """See the module. `run` is called once. failed: the backends that did; address: of the last one asked."""

    def __init__(self, door: "AioDoor", client: "Client", head: Head) -> None:
        self._door = door
        self._client = client
        self._settings = door.settings
        self._head = head
        self._key = key_of(head, door.settings.key)
        self._request = bytearray(forward.request(head, client.origin, door.settings.via))
        self._request_whole = head.framing is Framing.NONE
        self._repeatable = True
        self._answered = self._tunnels = False
        self._upstream: Upstream | None = None
        self._reached = asyncio.Event()
        self._feeding: asyncio.Task[None] | None = None
        self.failed: list[str] = []
        self.attempts = 0
        self.address = ""
        self.status = 0
        self.request_bytes = self.response_bytes = 0

    async def run(self) -> bool:
        """Answers the client; True if its connection may go on. Raises ClientGone where it has gone."""
        self._feeding = feeding = asyncio.create_task(self._feed())
        asking = asyncio.create_task(self._ask())
        try:
            await asyncio.wait({feeding, asking}, return_when=asyncio.FIRST_COMPLETED)
            if self._tunnels:
                await asyncio.wait({asking})
            if asking.done():
                return asking.result()
            feeding.result()
            raise ClientGone
        except Refusal as refusal:
            return await self._refuse(refusal)
        except (OSError, Cut):
            raise ClientGone from None
        finally:
            for task in (feeding, asking):
                task.cancel()
            await asyncio.gather(feeding, asking, return_exceptions=True)

    async def _refuse(self, refusal: Refusal) -> bool:
        if self._answered:
            raise ClientGone
        self.status = refusal.status
        keep = self._request_whole and self._head.keep_alive and not self._door.draining
        self._door.counts["failed" if refusal.status in (408, 502, 503, 504) else "refused"] += 1
        await self._client.answer(refusal, keep_alive=keep, bodiless=self._head.method == "HEAD")
        return keep

    # The request

    async def _feed(self) -> None:
        """The body goes to the backend; then raises OSError when the client has gone."""
        if not self._request_whole:
            try:
                await self._feed_body()
            except TimeoutError:
                raise Refusal(408, "the body took too long") from None
        await self._client.incoming.until_end()

    async def _feed_body(self) -> None:
        incoming, most = self._client.incoming, self._settings.body_bytes
        chunked = self._head.framing is Framing.CHUNKED
        async for data in incoming.body(self._head):
            self.request_bytes += len(data)
            if most and self.request_bytes > most:
                raise Refusal(413, "the body is too long")
            await self._send(forward.chunk(data) if chunked else data)
        if chunked:
            await self._send(b"0\r\n%b\r\n" % incoming.trailers)
        self._request_whole = True

    async def _send(self, data: bytes) -> None:
        if len(self._request) + len(data) > _MOST_REPEATED:
            await self._reached.wait()
            self._repeatable = False
            self._request.clear()
        if self._repeatable:
            self._request += data
        if (upstream := self._upstream) is not None:
            await upstream.send(data)

    # Backends

    async def _ask(self) -> bool:
        until = asyncio.get_running_loop().time() + self._settings.request_s if self._settings.request_s else None
        while True:
            pick = self._pick()
            self.attempts += 1
            self.address = pick.endpoint
            began, failed = time.monotonic(), False
            try:
                async with asyncio.timeout_at(until):
                    keep = await self._ask_backend(pick.endpoint)
                failed = self.status >= 500
                return keep
            except _Lost as lost:
                failed = True
                self._count(lost)
            except (_HalfAnswered, Refusal):
                failed = True
                raise
            except TimeoutError:
                failed = self._request_whole
                raise self._too_long() from None
            finally:
                now = time.monotonic()
                self._door.engine.done(pick, now, now - began, "failed" if failed else None)

    def _too_long(self) -> Refusal:
        if self._request_whole:
            return Refusal(504, "a backend took too long to answer")
        return Refusal(408, "the body took too long")

    def _pick(self) -> _core.Pick:
        engine, now = self._door.engine, time.monotonic()
        pick = engine.pick(now, self._key, exclude=self.failed, attempt=self.attempts)
        if isinstance(pick, _core.Pick):
            return pick
        if self.failed:
            raise Refusal(502, "no backend answered")
        full = engine.why(now) == "all_full"
        raise Refusal(503, "all backends are full" if full else "no backend is up")

    def _count(self, lost: _Lost) -> None:
        """Raises Refusal where it is not tried again."""
        now = time.monotonic()
        if lost.refused:
            self._door.engine.lost(self.address, now)
        self.failed.append(self.address)
        may_be_asked_twice = lost.refused or self._head.method in _IDEMPOTENT
        if not self._repeatable or not may_be_asked_twice or len(self.failed) >= self._settings.attempts:
            raise lost.refusal
        if not self._door.retries.spend(now):
            raise lost.refusal
        self._door.counts["retried"] += 1

    async def _ask_backend(self, address: str) -> bool:
        try:
            upstream = await self._door.pools.take(address, fresh=self.attempts > 1)
        except TimeoutError:
            raise _Lost("a backend took too long to connect", status=504) from None
        except OSError as error:
            raise _Lost("no backend takes the connection", refused=error.errno in _NOBODY_THERE) from None
        upstream.writer.write(bytes(self._request))
        self._upstream = upstream
        self._reached.set()
        try:
            return await self._relay(upstream)
        finally:
            self._reached.clear()
            if self._upstream is not None:
                self._upstream.close()
                self._upstream = None

    # The response

    async def _relay(self, upstream: Upstream) -> bool:
        head = await self._response_head(upstream)
        self._answered = True
        self.status = head.status
        delivery = Delivery.AS_FRAMED
        if head.framing in (Framing.CHUNKED, Framing.UNTIL_CLOSE):
            delivery = Delivery.CHUNKED if self._head.minor else Delivery.UNTIL_CLOSE
        keep = self._head.keep_alive and self._request_whole and delivery is not Delivery.UNTIL_CLOSE
        keep = keep and not self._door.draining
        await self._client.send(forward.response(head, delivery, keep, self._head.minor, self._settings.via))
        if head.status == 101:
            await self._tunnel(upstream)
            return False
        await self._relay_body(upstream, head, delivery)
        self._door.counts["answered"] += 1
        if head.keep_alive and self._request_whole and head.framing is not Framing.UNTIL_CLOSE:
            self._upstream = None
            self._door.pools.give_back(upstream)
        return keep

    async def _response_head(self, upstream: Upstream) -> Head:
        """The final one; those before go to the client, unless it speaks HTTP/1.0."""
        interims = 0
        while interims <= _MOST_INTERIM:
            try:
                data = await upstream.incoming.head()
                if data is None:
                    raise Cut
                head = parse_response(data, for_head=self._head.method == "HEAD")
            except (OSError, Cut) as error:
                if not isinstance(error, TimeoutError):
                    raise _Lost("a backend ended the connection") from None
                if self._request_whole:
                    raise self._too_long() from None
                continue
            except Refusal:
                raise Refusal(502, "a backend's answer makes no sense") from None
            if head.status == 101 and not self._head.upgrade:
                raise Refusal(502, "a backend's answer makes no sense")
            if head.status >= 200 or head.status == 101:
                return head
            interims += 1
            if self._head.minor:
                via = self._settings.via
                await self._client.send(forward.response(head, Delivery.UNTIL_CLOSE, True, 1, via))
        raise Refusal(502, "a backend answers for ever without an answer")

    async def _relay_body(self, upstream: Upstream, head: Head, delivery: Delivery) -> None:
        chunked = delivery is Delivery.CHUNKED
        try:
            async for data in upstream.incoming.body(head):
                self.response_bytes += len(data)
                await self._client.send(forward.chunk(data) if chunked else data)
        except (OSError, Cut, Refusal):
            raise _HalfAnswered from None
        if chunked:
            await self._client.send(b"0\r\n%b\r\n" % upstream.incoming.trailers)

    async def _tunnel(self, upstream: Upstream) -> None:
        self._tunnels = True
        assert self._feeding is not None
        self._feeding.cancel()
        await asyncio.wait({self._feeding})
        tunnel = Tunnel(self._client, upstream, self._settings.idle_s)
        try:
            await tunnel.run()
        finally:
            self.request_bytes += tunnel.passed[self._client]
            self.response_bytes += tunnel.passed[upstream]
