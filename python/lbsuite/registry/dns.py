"""Membership from DNS: what a name stands for, asked for anew every few seconds and whenever a listener doubts it."""

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import AsyncGenerator

from lbsuite import addresses
from lbsuite.events import Event, Joined
from lbsuite.registry.roll import Roll
from lbsuite.registry.story import Stories, Story

RESOLVE_S = 2.0
LEAST_S = 0.5
"""No more often than this is the resolver asked, however often a listener doubts."""
_SPREAD = 0.2


class Dns:
    """The addresses that `name`, a HOST:PORT, stands for; an endpoint each.

    While the resolver fails or finds nobody, nobody leaves: those whose names are gone will refuse, and that says it.
    every_s: how often the name is resolved, in seconds, give or take 20 %. Raises ValueError for a bad name or time.
    """

    def __init__(self, name: str, every_s: float = 5.0) -> None:
        if not every_s > 0:
            raise ValueError(f"every_s is not above 0: {every_s}")
        self._name, self._every_s = addresses.valid(name), every_s
        self._doubted = asyncio.Event()
        self._stories = Stories(f"addresses of {name}", self._follow)

    def events(self) -> AsyncGenerator[Event, None]:
        """See Source."""
        return self._stories.events()

    async def close(self) -> None:
        """See Source."""
        await self._stories.close()

    def look_again(self) -> None:
        """Has the name resolved now, or LEAST_S after the last time: an endpoint was lost."""
        self._doubted.set()
        self._doubted = asyncio.Event()

    async def _follow(self, story: Story) -> None:
        roll = Roll()
        while True:
            looked_at, doubted = time.monotonic(), self._doubted
            try:
                found = await resolve(self._name)
            except ValueError as error:
                story.lost(str(error))
            else:
                for event in roll.becomes({address: Joined(address) for address in found}):
                    story.tell(event)
                story.heard()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s * random.uniform(1 - _SPREAD, 1 + _SPREAD)):
                    await doubted.wait()
            await asyncio.sleep(looked_at + LEAST_S - time.monotonic())


async def resolve(name: str) -> tuple[str, ...]:
    """The IP:PORTs that HOST:PORT stands for, of one family (IPv4, if it has any): one backend is one endpoint.

    Raises ValueError if that is none, or not told within RESOLVE_S.
    """
    host, port = addresses.parse(name)
    try:
        async with asyncio.timeout(RESOLVE_S):
            found = await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError) as error:
        raise ValueError(f"cannot resolve {host!r}: {str(error) or 'no answer'}") from None
    hosts = (str(entry[4][0]) for entry in found)
    texts = (f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host in hosts)
    usable = tuple(dict.fromkeys(text for text in texts if addresses.is_valid(text)))
    if not usable:
        raise ValueError(f"{host!r} stands for no address that can serve")
    four = tuple(text for text in usable if not text.startswith("["))
    return four or usable
