"""A balancer on a loop of its own, as a command brings another."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator

from lbsuite.wire.balancer import Balancer, BalancerSettings
from lbsuite.wire.door import AioDoor


@contextlib.contextmanager
def balancer_on_its_own_loop(
    prepare: Callable[[Balancer], Awaitable[None]], settings: BalancerSettings | None = None
) -> Iterator[str]:
    """Gives its address once `prepare` has told it what it is to know."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="balancer")
    thread.start()

    async def start() -> tuple[Balancer, AioDoor, str]:
        balancer = Balancer(settings)
        door = AioDoor(balancer)
        await prepare(balancer)
        return balancer, door, await door.open("127.0.0.1:0")

    async def stop(balancer: Balancer, door: AioDoor) -> None:
        await door.close(grace_s=0)
        await balancer.close()

    served, door, address = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    try:
        yield address
    finally:
        asyncio.run_coroutine_threadsafe(stop(served, door), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
