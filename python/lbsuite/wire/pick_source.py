"""Where a caller's picks come from: the balancers of a service, one at a time."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio

from lbsuite.backoff import Backoff
from lbsuite.errors import Unreachable
from lbsuite.wire import messages, services
from lbsuite.wire.dial import dial, target

ASK_S = 5.0
"""Deadline of one question to one balancer, in seconds."""
_PREFER_S = 0.1
"""How much longer the first of the balancers may take to connect than another."""
SAY_NOTHING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
"""How a balancer ends that knows nobody, is gone or is just going."""
_UP = (messages.READY, messages.FULL)

Find = Callable[[], Awaitable[Sequence[str]]]


class PickSource:
    """Asks the balancer that answered last, and the next one when that is unavailable.

    balancers: HOST:PORT each, in order of preference. find: looks up the balancers that are there now; asked when none
    of those known answers. Belongs to one event loop; close it when done.
    """

    def __init__(self, balancers: Sequence[str] = (), find: Find | None = None) -> None:
        self._find = find
        self.look_every_s = 1.0
        self._next_look_s = 0.0
        self._channels: list[grpc.aio.Channel] = []
        self._stubs: dict[str, Any] = {}
        self._current = ""
        self._know(balancers)

    async def reach(self, timeout_s: float) -> None:
        """Waits until a balancer can be asked; raises Unreachable, with all that were tried, when none can in time."""
        backoff = Backoff()
        try:
            async with asyncio.timeout(timeout_s):
                await self._look()
                while not await self._connected(backoff.next_s()):
                    await self._look()
        except TimeoutError:
            tried = ", ".join(self._stubs) or "none is registered"
            raise Unreachable(f"no balancer answered within {timeout_s:g} s ({tried})") from None

    async def ask(self, request: messages.BalanceRequest, timeout_s: float) -> messages.ServerInfo:
        """The endpoint that a balancer names; asks each balancer once at most.

        Raises AioRpcError: the last balancer's answer where none named an endpoint, INTERNAL where it named no address.
        """
        for tries_left in reversed(range(len(self._stubs))):
            asked = self._current
            try:
                return _checked(await self._stubs[asked].GetBestServer(request, timeout=min(timeout_s, ASK_S)))
            except grpc.aio.AioRpcError as error:
                if error.code() not in SAY_NOTHING:
                    raise
                self._leave(asked)
                if not tries_left:
                    await self._look()
                    raise
        raise Unreachable("no balancer is known")

    async def endpoints(self, service: str, timeout_s: float) -> list[str]:
        """The endpoints that are up as the current balancer knows them; none where it cannot tell.

        The balancers that it knows are asked from now on, too, after those known before.
        """
        request = messages.StatusRequest(service=service)
        try:
            status: messages.StatusReply = await self._stubs[self._current].Status(request, timeout=timeout_s)
        except grpc.aio.AioRpcError:
            return []
        self._learn(status.balancers)
        return [endpoint.info.address for endpoint in status.endpoints if endpoint.state in _UP]

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()

    def _know(self, balancers: Sequence[str]) -> None:
        for address in balancers:
            self._add(address)
        if balancers and self._current not in balancers:
            self._current = balancers[0]

    def _learn(self, peers: Sequence[str]) -> None:
        for address in peers:
            with contextlib.suppress(ValueError):
                self._add(address)

    def _add(self, address: str) -> None:
        if address not in self._stubs:
            self._channels.append(channel := dial(address))
            self._stubs[address] = services.stub(channel, "LoadBalancer")

    def _leave(self, asked: str) -> None:
        # Of all callers that were waiting for a lost balancer, one moves on for the others too.
        if self._current == asked:
            known = list(self._stubs)
            self._current = known[(known.index(asked) + 1) % len(known)]

    async def _look(self) -> None:
        now = time.monotonic()
        if self._find is None or now < self._next_look_s:
            return
        self._next_look_s = now + self.look_every_s
        with contextlib.suppress(Unreachable):
            self._know(await self._find())

    async def _connected(self, wait_s: float) -> bool:
        if not self._channels:
            await asyncio.sleep(wait_s)
            return False
        waits = [asyncio.create_task(channel.channel_ready()) for channel in self._channels]
        done, _ = await asyncio.wait(waits, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        if done:
            done, _ = await asyncio.wait(waits, timeout=_PREFER_S)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        ready = [address for address, wait in zip(self._stubs, waits, strict=True) if wait in done]
        self._current = next(iter(ready), self._current)
        return bool(ready)


def _checked(pick: messages.ServerInfo) -> messages.ServerInfo:
    try:
        target(pick.address)
    except ValueError as error:
        nothing = grpc.aio.Metadata()
        raise grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, nothing, nothing, str(error)) from None
    return pick
