"""What holds for every request: it ends in time, its errors are one line of JSON, and no strange page may send it."""

import asyncio
import re
from typing import TYPE_CHECKING

import grpc
from aiohttp import web

from lbsuite import addresses
from lbsuite.wire.refusal import Refused

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

DEADLINE_S = 5.0
"""Of one request, from its head to the last byte of its answer."""
CLOSE_S = 1.0
"""Of requests that are under way when the door closes."""
MAX_REQUEST_BYTES = 64 * 1024
MAX_WORDS = 500
"""Characters of an error that quotes the caller."""

STATUSES = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNAVAILABLE: 503,
}


def middlewares(host: str) -> "tuple[Middleware, ...]":
    """What a request passes, from the outside in. host: the one that the door was told to listen on."""

    @web.middleware
    async def from_here(request: web.Request, handler: "Handler") -> web.StreamResponse:
        """A page whose name was made to point at this machine (DNS rebinding) sends that name."""
        socket = request.get_extra_info("sockname")
        named = request.headers.get("Host")
        if named is not None and socket and is_loopback(str(socket[0])) and not _is_ours(named, host):
            raise web.HTTPForbidden(text=f"not a name of this machine: {named!r}")
        return await handler(request)

    return in_time, in_words, from_here


@web.middleware
async def in_time(request: web.Request, handler: "Handler") -> web.StreamResponse:
    """Ends each request within DEADLINE_S, also where its body or the reader of its answer is slow."""
    answer: web.StreamResponse | None = None
    try:
        async with asyncio.timeout(DEADLINE_S):
            answer = await handler(request)
            await answer.prepare(request)
            await answer.write_eof()
    except TimeoutError:
        if answer is None:
            return error(503, f"not done within {DEADLINE_S:g} s")
        if request.transport is not None:
            request.transport.abort()
    return answer


@web.middleware
async def in_words(request: web.Request, handler: "Handler") -> web.StreamResponse:
    """Makes an error the words that a caller reads."""
    try:
        return await handler(request)
    except Refused as refusal:
        return error(STATUSES.get(refusal.code, 500), str(refusal))
    except web.HTTPError as refusal:
        answer = error(refusal.status, refusal.text or refusal.reason)
        if allowed := refusal.headers.get("Allow"):
            answer.headers["Allow"] = allowed
        return answer


def error(status: int, words: str) -> web.Response:
    return web.json_response({"error": words[:MAX_WORDS]}, status=status)


def is_loopback(ip: str) -> bool:
    parsed = addresses.ip_of(ip.partition("%")[0])
    return parsed is not None and addresses.inside([parsed], addresses.LOOPBACK)


def _is_ours(named: str, host: str) -> bool:
    name = re.sub(r":\d+$", "", named).lower()
    return name in ("localhost", host.lower()) or addresses.ip_of(name.strip("[]")) is not None
