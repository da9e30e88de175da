"""One server's place in a fleet: it registers, tells the balancers of its load, and leaves in good order.

Who counts the tasks of the server is `gate`; who puts both onto a gRPC server is `join`.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from lbsuite import addresses, background, names
from lbsuite.events import MAX_TIER
from lbsuite.wire import messages
from lbsuite.wire.joining.limiter import Limiter
from lbsuite.wire.joining.orca import Orca
from lbsuite.wire.joining.reporter import Reporter

if TYPE_CHECKING:
    from lbsuite.registry.etcd_settings import EtcdSettings
    from lbsuite.wire.joining.desk import Desk
    from lbsuite.wire.joining.presence import Presence

LINGER_S = 1.0
"""How long a server that left at most refuses calls before it stops."""
_PAUSE_S = 0.1
START_S = 2.0
"""How long `start` waits for a balancer or etcd to answer; what has not answered by then is tried on for ever."""


@dataclass(frozen=True, slots=True)
class EnrolmentSettings:
    """limit: tasks at once. balancers: told from the start, beside those that etcd tells of. load: what utilization
    means, see `lbsuite.join`. report_s: the longest time between two reports. ttl_s: how long the key in etcd outlives
    the process. weight: its share beside others. tier: those of a lower one go before. orca_s: the shortest time
    between two messages of a stream of load reports (gRFC A51).

    Raises ValueError for what nobody could mean.
    """

    limit: int = 10
    balancers: tuple[str, ...] = ()
    etcd: "EtcdSettings | None" = None
    service: str = "default"
    load: str | Callable[[], float] = "tasks"
    weight: int = 1
    zone: str = ""
    tier: int = 0
    report_s: float = 0.5
    ttl_s: float = 5.0
    orca_s: float = 30.0

    def __post_init__(self) -> None:
        for balancer in self.balancers:
            addresses.parse(balancer)
        names.service(self.service)
        names.zone(self.zone)
        if not isinstance(self.weight, int) or self.weight < 1:
            raise ValueError(f"weight is not a whole number above 0: {self.weight!r}")
        if not isinstance(self.tier, int) or not 0 <= self.tier <= MAX_TIER:
            raise ValueError(f"tier is not a whole number in 0..{MAX_TIER}: {self.tier!r}")
        for name in ("report_s", "ttl_s", "orca_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is not above 0: {getattr(self, name)}")


class Enrolment:
    """What `lbsuite.join` gives for a grpc.aio server; belongs to the event loop of that server.

    limiter: the count of tasks. named_metrics: what the user wants told of the server beside its load (gRFC A51); may
    be changed at any time. address: where callers reach the server; ValueError if it is not one.
    """

    def __init__(self, address: str, settings: EnrolmentSettings) -> None:
        self.address, self.settings = addresses.valid(address), settings
        self.limiter = Limiter(settings.limit)
        self.named_metrics: dict[str, float] = {}
        self.orca = Orca(self.limiter, settings.load, self.named_metrics)
        self._reporter: Reporter | None = None
        self._presence: Presence | None = None
        self.begun = False
        self.desk: Desk | None = None
        """What the server answers beside its tasks, while it is enrolled."""
        self._leaving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Registers; returns when etcd and every given balancer has been asked once, after START_S each at most.

        server.start() does it; for a server that ran before it joined it is called by hand. The second time does
        nothing.
        """
        if self.begun:
            return
        self.begun = True
        if self.desk is not None:
            await self.desk.open()
        reporter = self._reporter = Reporter(self._info(), self.limiter, self.settings.report_s)
        if self.settings.etcd is not None:
            # etcd goes first: the order of joining is then the same for every balancer.
            self._presence = self._make_presence(self.settings.etcd, reporter)
            await self._presence.start(START_S)
        links = [reporter.add(balancer, register=True) for balancer in self.settings.balancers]
        reporter.report()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                await asyncio.gather(*(link.tried.wait() for link in links))

    async def leave(self) -> None:
        """Tells everybody that no more tasks are wanted, deregisters, and from then on refuses new ones.

        Takes a few seconds at most, whoever does not answer. Running tasks go on. The second time waits for the first.
        """
        if self._leaving is None:
            self._leaving = background.start(self._leave(), f"leaving of {self.address}")
        await asyncio.shield(self._leaving)

    async def idle(self, patience_s: float) -> None:
        """Waits, after `leave`, until no task runs and those who still call have heard of it, or for `patience_s`.

        gRPC drops calls that come in the moment a server stops, and their callers cannot tell whether they ran.
        """
        loop, quiet, until_s = asyncio.get_running_loop(), asyncio.Event(), time.monotonic() + patience_s

        self.limiter.when_idle(lambda: loop.call_soon_threadsafe(quiet.set))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await quiet.wait()
        self.limiter.when_idle(lambda: None)
        for pause_s in self.pauses(until_s):
            await asyncio.sleep(pause_s)

    def pauses(self, until_s: float) -> Iterator[float]:
        """Seconds between looks at whether calls are still refused."""
        until_s, refused = min(until_s, time.monotonic() + LINGER_S), -1
        while time.monotonic() < until_s and refused != self.limiter.refused:
            refused = self.limiter.refused
            yield _PAUSE_S

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave()

    async def _leave(self) -> None:
        self.limiter.draining = True
        if self.desk is not None:
            await self.desk.close()
        leaving = []
        if self._reporter is not None:
            self._reporter.report()
            leaving.append(self._reporter.deregister())
        if self._presence is not None:
            leaving.append(self._presence.leave())
        await asyncio.gather(*leaving)
        self.limiter.closed = True
        if self._reporter is not None:
            await self._reporter.close()

    def _info(self) -> messages.ServerInfo:
        settings = self.settings
        return messages.ServerInfo(
            address=self.address,
            service=settings.service,
            weight=settings.weight,
            zone=settings.zone,
            tier=settings.tier,
            limit=settings.limit,
        )

    def _make_presence(self, etcd: "EtcdSettings", reporter: Reporter) -> "Presence":
        from lbsuite.registry.member import Member
        from lbsuite.wire.joining.presence import Presence

        settings = self.settings
        member = Member(
            self.address, weight=settings.weight, zone=settings.zone, limit=settings.limit, tier=settings.tier
        )

        async def found(balancers: frozenset[str]) -> None:
            # They learn of us from etcd; the given ones stay, whatever etcd says.
            await reporter.keep(balancers | set(settings.balancers))
            for balancer in sorted(balancers):
                reporter.add(balancer, register=False)

        presence = Presence(etcd, member, settings.service, settings.ttl_s, found)
        reporter.observe = lambda load: presence.tell(load.load, draining=load.draining)
        return presence
