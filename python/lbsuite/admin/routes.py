"""Which URL means what. What an operator asks goes the way of the RPCs, and so means the same."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from aiohttp import web
from prometheus_client import exposition

from lbsuite import addresses, names
from lbsuite.admin.health import Health
from lbsuite.admin.metrics import Metrics
from lbsuite.admin.state import state
from lbsuite.wire import messages, status
from lbsuite.wire.balancer import Balancer

_Written = TypeVar("_Written")


class Routes:
    """Answers requests about one balancer.

    Long answers are written in a thread of their own, one after another: while a large fleet is told, picks go on.
    """

    def __init__(self, balancer: Balancer) -> None:
        self.health = Health.STARTING
        self._balancer = balancer
        self._metrics = Metrics(balancer)
        self._writer = ThreadPoolExecutor(1, "admin")

    def table(self) -> Iterable[web.RouteDef]:
        return (
            web.get("/healthz", self.healthz),
            web.get("/metrics", self.metrics),
            web.get("/api/state", self.state),
            web.post("/api/drain", self.drain),
            web.post("/api/undrain", self.undrain),
        )

    def close(self) -> None:
        self._writer.shutdown(wait=False, cancel_futures=True)

    async def healthz(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self.health is Health.SERVING else 503, text=f"{self.health}\n")

    async def metrics(self, request: web.Request) -> web.Response:
        encode, content_type = exposition.choose_encoder(request.headers.get("Accept", ""))
        body = await self._written(lambda: encode(self._metrics))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def state(self, request: web.Request) -> web.Response:
        text = await self._written(lambda: json.dumps(state(self._balancer, self.health, time.monotonic())))
        return web.json_response(text=text)

    async def drain(self, request: web.Request) -> web.Response:
        return await self._drain(request, undo=False)

    async def undrain(self, request: web.Request) -> web.Response:
        return await self._drain(request, undo=True)

    async def _drain(self, request: web.Request, *, undo: bool) -> web.Response:
        # A page of another origin sends this type only after asking, and nothing here says yes.
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text=f"not application/json: {request.content_type!r}")
        body = await request.read()
        try:
            asked = _drain_request(body, undo)
            reply = await self._balancer.Drain(asked, None)
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return web.json_response(status.document(reply))

    async def _written(self, write: Callable[[], _Written]) -> _Written:
        return await asyncio.get_running_loop().run_in_executor(self._writer, write)


def _drain_request(body: bytes, undo: bool) -> messages.DrainRequest:
    """What `{"address": "H:P", "service": "S"}` asks; raises ValueError with the bad part."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError(f"not JSON: {body!r}") from None
    match asked:
        case {"address": str(address), "service": str(service), **rest} if not rest:
            names.service(service)
        case {"address": str(address), **rest} if not rest:
            service = ""
        case _:
            raise ValueError(f'not {{"address": "HOST:PORT"}}, with or without "service": {asked!r}')
    return messages.DrainRequest(address=addresses.valid(address), service=service, undo=undo)
