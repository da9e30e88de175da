"""Proxies over both doors, each test with backends of its own."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from lbsuite.proxy import native
from lbsuite.proxy.listing import Listing
from lbsuite.proxy.proxy import Proxy
from lbsuite.proxy.settings import DoorSettings, HealthSettings, ProxySettings
from proxy.wires import Backend, Serve

DOORS = ("native", "aio") if native.AVAILABLE else ("aio",)


class Stage:
    """Opens backends and proxies, and closes them at the end of the test."""

    def __init__(self, door: str, ending: contextlib.AsyncExitStack) -> None:
        self.door = door
        self._ending = ending

    async def backend(self, serve: Serve | None = None, listen: str = "127.0.0.1:0") -> Backend:
        backend = Backend(serve)
        await backend.open(listen)
        self._ending.push_async_callback(backend.close)
        return backend

    async def backends(self, count: int) -> list[Backend]:
        return [await self.backend() for _ in range(count)]

    async def proxy(self, *backends: Backend | str, **told: Any) -> Proxy:
        """told: settings of the proxy, of its door, and `health` ones; without those nobody is checked."""
        ours = {each.name for each in dataclasses.fields(ProxySettings)}
        requests = DoorSettings(**{name: value for name, value in told.items() if name not in ours})
        whole = {"health": HealthSettings(every_s=0)} | {name: told[name] for name in told.keys() & ours}
        settings = ProxySettings(door=self.door, requests=requests, **whole)
        listing = Listing(each if isinstance(each, str) else each.address for each in backends)
        proxy = Proxy(settings, listing.source)
        self.listing = listing
        self._ending.push_async_callback(proxy.close, 0.0)
        await proxy.open("127.0.0.1:0")
        return proxy


@pytest.fixture(params=DOORS)
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    async with contextlib.AsyncExitStack() as ending:
        yield Stage(request.param, ending)
