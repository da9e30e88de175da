"""One client's stream: requests come in and are taken at once, answers go out as changes and requests make them due."""

import asyncio
import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from typing import Any

import grpc

from lbsuite import addresses, background
from lbsuite.wire.refusal import Refused
from lbsuite.xds import catalog, services
from lbsuite.xds.catalog import Catalog, Resource
from lbsuite.xds.subscription import Subscription, bounded

WRITE_S = 30.0
"""A client that takes no answer for so long has its stream ended."""
LISTEN = "listen"
"""What an Envoy's node tells in its metadata: HOST:PORT that it is to listen on."""

_log = logging.getLogger(__name__)

Write = Callable[[Any], Awaitable[None]]


class Stream:
    """node: what the client calls itself, escaped. peer: where it calls from. kind: how it asks, Whole or Delta."""

    def __init__(self, told: Catalog, peer: str, kind: Callable[[str], Subscription]) -> None:
        self.node = ""
        self.peer = peer
        self.subscriptions: dict[str, Subscription] = {}
        """By type; the client has asked for these."""
        self._catalog = told
        self._kind = kind
        self._met = False
        self._proxy_listeners: Mapping[str, Resource] = {}
        self._wake = asyncio.Event()
        self._fault: Refused | None = None

    async def run(self, requests: AsyncIterable[Any], write: Write) -> None:
        """Until the client ends it; raises Refused for a client that makes no sense, or takes no answer."""
        reading = background.start(self._read(requests), "requests of an xDS client")
        reading.add_done_callback(lambda _: self._wake.set())
        self._catalog.changed.add(self._wake.set)
        try:
            while not reading.done():
                await self._wake.wait()
                self._wake.clear()
                await self._answer(write)
            if self._fault is not None:
                raise self._fault
        finally:
            self._catalog.changed.discard(self._wake.set)
            reading.cancel()
            await asyncio.wait({reading})

    async def _read(self, requests: AsyncIterable[Any]) -> None:
        async for request in requests:
            try:
                self._take(request)
            except Refused as fault:
                self._fault = fault
                return
            self._wake.set()

    def _take(self, request: Any) -> None:
        if request is None:
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, "the bytes are no request of xDS")
        if not self._met and request.HasField("node"):
            self._meet(request.node)
        if request.type_url not in catalog.TYPES:
            return
        subscription = self.subscriptions.get(request.type_url)
        if subscription is None:
            subscription = self.subscriptions[request.type_url] = self._kind(request.type_url)
        before = subscription.error
        subscription.ask(request)
        if subscription.error and subscription.error != before:
            _log.warning("%s refuses a %s: %s", self.node or self.peer, subscription.kind, subscription.error)

    def _meet(self, node: Any) -> None:
        self._met, self.node = True, bounded(node.id)
        if LISTEN not in node.metadata:
            return
        wish = node.metadata[LISTEN]
        try:
            host, port = addresses.parse(str(wish), listening=True)
            listener = services.proxy_listener(host, port)
        except ValueError as error:
            _log.warning("%s has no listener: %s", self.node or self.peer, bounded(str(error)))
        else:
            self._proxy_listeners = {services.ALL: catalog.resource(listener)}

    async def _answer(self, write: Write) -> None:
        for type_url in catalog.TYPES:
            subscription = self.subscriptions.get(type_url)
            if subscription is None or (self._catalog.partial and subscription.returning):
                continue
            answer = subscription.answer(self._there(type_url, subscription))
            if answer is None:
                continue
            try:
                async with asyncio.timeout(WRITE_S):
                    await write(answer)
            except TimeoutError:
                raise Refused(grpc.StatusCode.DEADLINE_EXCEEDED, f"no answer was taken for {WRITE_S:g} s") from None

    def _there(self, type_url: str, subscription: Subscription) -> Mapping[str, Resource]:
        """Who asks for every listener is a proxy: gRPC clients, whose listeners have no address, name theirs."""
        if type_url == catalog.LISTENER and subscription.everything:
            return self._proxy_listeners
        return self._catalog[type_url]
