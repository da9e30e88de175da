"""A balancer in this process behind its admin door, and who asks it over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from lbsuite.admin.door import AdminDoor
from lbsuite.admin.routes import Routes
from lbsuite.wire import messages
from lbsuite.wire.balancer import Balancer, BalancerSettings

A, B, C = "127.0.0.1:1", "127.0.0.2:1", "127.0.0.3:1"
DEADLINE_S = 10.0

UNFINISHED = (
    b"POST /api/drain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
)
"""A request whose body does not come."""


@asynccontextmanager
async def opened(settings: BalancerSettings | None = None) -> AsyncIterator[tuple[Balancer, AdminDoor]]:
    """Open and serving."""
    balancer = Balancer(settings)
    door = AdminDoor(Routes(balancer))
    try:
        await door.open("127.0.0.1:0")
        door.tell_serving()
        yield balancer, door
    finally:
        await door.close()
        await balancer.close()


def asking(door: AdminDoor) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(f"http://{door.address}", timeout=aiohttp.ClientTimeout(DEADLINE_S))


async def register(balancer: Balancer, *addresses: str, service: str = "") -> None:
    for address in addresses:
        await balancer.RegisterServer(messages.ServerInfo(address=address, service=service), None)


async def report(balancer: Balancer, address: str, load: int, limit: int) -> None:
    """As an endpoint reports that is not to report again soon."""
    told = messages.ServerLoad(
        address=address, load=load, limit=limit, available=True, memory_bytes=3 << 20, interval_ms=60_000
    )
    await balancer.ReportLoad(told, None)
