"""When a backend reports its load, and to whom."""

import asyncio
import math
import random
import threading
import time
from collections.abc import Callable, Iterable

from lbsuite.wire import messages
from lbsuite.wire.joining.limiter import Limiter
from lbsuite.wire.joining.link import Link
from lbsuite.wire.joining.usage import Usage

COALESCE_S = 0.05
"""Changes within this time of a report are told together by the next."""
SCARCE_S = 0.005
"""The same for slots that become free where none was just now: callers may wait for them."""
_JITTER = 0.2


class Reporter:
    """Tells every balancer it knows what the limiter counts: on change, and at least every `interval_s`.

    One report is made for all of them and written over by the next; each balancer has a link of its own, so one that
    is away holds up nobody. Belongs to the running event loop; tasks may begin and end on other threads.
    """

    def __init__(self, info: messages.ServerInfo, limiter: Limiter, interval_s: float) -> None:
        self.info, self.limiter, self.interval_s = info, limiter, interval_s
        self.links: dict[str, Link] = {}
        self._load = messages.ServerLoad(
            address=info.address, service=info.service, limit=info.limit, interval_ms=round(interval_s * 1000)
        )
        self._usage = Usage()
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self._last_s = self._full_s = 0.0
        self._due_s = math.inf
        self._prompt = self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self.observe: Callable[[messages.ServerLoad], None] = lambda load: None
        """Called with every report, before it goes out."""
        limiter.changed = self.changed

    def changed(self, token: int = 0) -> None:
        """There is news: a report goes out now, or COALESCE_S after the last one, SCARCE_S where slots were scarce.

        That a pick has begun is no news to the only balancer there is, which counts its own picks; on a busy fleet
        that saves half of the reports. Whoever calls holds the limiter's lock, which guards what is decided here.
        """
        now = time.monotonic()
        if self.limiter.tasks + (not token) >= self.limiter.limit:  # it is full, or was before this end
            self._full_s = now
        if token and len(self.links) == len(self.limiter.balancers) == 1:
            return
        scarce = not token and now < self._full_s + COALESCE_S
        due_s = self._last_s + (SCARCE_S if scarce else COALESCE_S)
        if not self._prompt or due_s < self._due_s:
            self._prompt, self._due_s = True, due_s
            if threading.get_ident() == self._thread:
                self._arm()
            else:
                self._loop.call_soon_threadsafe(self._arm)

    def add(self, balancer: str, *, register: bool) -> Link:
        """Begins to tell a balancer, if it is not told already. register: it does not know this backend otherwise."""
        link = self.links.get(balancer)
        if link is None:
            link = self.links[balancer] = Link(balancer, self.info, self._load, register=register)
            with self.limiter.lock:
                self.changed()
        return link

    async def keep(self, balancers: Iterable[str]) -> None:
        """Stops telling all others."""
        kept = set(balancers)
        gone = [self.links.pop(balancer) for balancer in self.links.keys() - kept]
        await asyncio.gather(*(link.close() for link in gone))

    async def deregister(self) -> None:
        """Leaves every balancer; they are told nothing more."""
        links, self.links = list(self.links.values()), {}
        await asyncio.gather(*(link.deregister() for link in links))

    async def close(self) -> None:
        """Falls silent."""
        with self.limiter.lock:
            self._closed = self._prompt = True
            self._due_s = -math.inf
        self._arm()
        await self.keep(())

    def report(self) -> None:
        """Makes a report and hands it to every link."""
        now = time.monotonic()
        self._last_s, self._prompt = now, False
        self.limiter.fill(self._load, now)
        self._usage.sample(now)
        self._load.memory_bytes, self._load.cpu = self._usage.memory_bytes, self._usage.cpu
        self.observe(self._load)
        for link in self.links.values():
            link.send()
        with self.limiter.lock:
            if not self._prompt:  # nothing has changed on another thread meanwhile
                self._due_s = now + self.interval_s * random.uniform(1 - _JITTER, 1)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._closed:
            self._timer = self._loop.call_later(self._due_s - time.monotonic(), self.report)
