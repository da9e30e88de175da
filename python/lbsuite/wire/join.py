"""How a gRPC server joins a fleet: it limits its tasks, tells the balancers of its load, and leaves in good order.

enrolment = Enrolment("127.0.0.1:4001", EnrolmentSettings(limit=10, balancers=("127.0.0.1:50050",)))
await enrolment.start()                    # the server serves already
async with enrolment.task(context): ...    # in each handler whose calls count as tasks
await enrolment.leave()                    # before the server stops
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

from lbsuite import addresses
from lbsuite.wire import messages, services
from lbsuite.wire.limiter import Limiter
from lbsuite.wire.reporter import Reporter

if TYPE_CHECKING:
    from lbsuite.registry.etcd_settings import EtcdSettings
    from lbsuite.wire.presence import Presence

START_S = 2.0
"""How long `start` waits for a balancer or etcd to answer; what has not answered by then is tried on for ever."""


@dataclass(frozen=True, slots=True)
class EnrolmentSettings:
    """limit: tasks at once. balancers: told from the start, beside those that etcd tells of. report_s: the longest time
    between two reports. ttl_s: how long the key in etcd outlives the process. weight: its share beside others. tier:
    those of a lower one go before."""

    limit: int = 10
    balancers: tuple[str, ...] = ()
    etcd: "EtcdSettings | None" = None
    service: str = "default"
    weight: int = 1
    zone: str = ""
    tier: int = 0
    report_s: float = 0.5
    ttl_s: float = 5.0


class Enrolment:
    """One server's place in a fleet, for any grpc.aio server. Must be made on the event loop of that server.

    address: where callers reach the server; ValueError if it is not one.
    """

    def __init__(self, address: str, settings: EnrolmentSettings) -> None:
        self.address, self.settings = addresses.valid(address), settings
        self.limiter = Limiter(settings.limit)
        info = messages.ServerInfo(
            address=address,
            service=settings.service,
            weight=settings.weight,
            zone=settings.zone,
            tier=settings.tier,
            limit=settings.limit,
        )
        self._reporter = Reporter(info, self.limiter, settings.report_s)
        self._presence: Presence | None = None

    async def start(self) -> None:
        """Registers; returns when etcd and every given balancer has been asked once, after START_S each at most."""
        if self.settings.etcd is not None:
            # etcd goes first: the order of joining is then the same for every balancer.
            self._presence = self._make_presence(self.settings.etcd)
            self._reporter.observe = self._tell_etcd
            await self._presence.start(START_S)
        links = [self._reporter.add(balancer, register=True) for balancer in self.settings.balancers]
        self._reporter.report()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                await asyncio.gather(*(link.tried.wait() for link in links))

    @contextlib.asynccontextmanager
    async def task(self, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[None]:
        """What is done inside is one task; one that leaves by an exception has failed.

        Above the limit the call ends with RESOURCE_EXHAUSTED, after `leave` with UNAVAILABLE.
        """
        slot = self.limiter.begin(_token(context), time.monotonic())
        if slot is None:
            await self._turn_away(context)
        failed = True
        try:
            yield
            failed = False
        finally:
            self.limiter.end(slot, time.monotonic(), failed=failed)

    async def refuse(self, context: grpc.aio.ServicerContext[Any, Any], code: grpc.StatusCode, words: str) -> NoReturn:
        """Ends a call that is no task, and counts its pick as arrived."""
        self.limiter.refuse(_token(context), time.monotonic())
        await context.abort(code, words)

    async def leave(self) -> None:
        """Tells everybody that no more tasks are wanted, deregisters, and from then on refuses new ones.

        Takes a few seconds at most, whoever does not answer. Running tasks go on.
        """
        self.limiter.draining = True
        self._reporter.report()
        leaving = [self._reporter.deregister()]
        if self._presence is not None:
            leaving.append(self._presence.leave())
        await asyncio.gather(*leaving)
        self.limiter.closed = True
        await self._reporter.close()

    async def _turn_away(self, context: grpc.aio.ServicerContext[Any, Any]) -> NoReturn:
        if self.limiter.closed:
            words, why = f"{self.address} is draining", "draining"
            await context.abort(grpc.StatusCode.UNAVAILABLE, words, ((services.REFUSED_METADATA, why),))
        words, why = f"{self.address} has {self.limiter.limit} tasks, its limit", "full"
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, words, ((services.REFUSED_METADATA, why),))

    def _make_presence(self, etcd: "EtcdSettings") -> "Presence":
        from lbsuite.registry.member import Member
        from lbsuite.wire.presence import Presence

        settings = self.settings
        member = Member(
            self.address, weight=settings.weight, zone=settings.zone, limit=settings.limit, tier=settings.tier
        )
        return Presence(etcd, member, settings.service, settings.ttl_s, self._found)

    def _tell_etcd(self, load: messages.ServerLoad) -> None:
        if self._presence is not None:
            self._presence.tell(load.load, draining=load.draining)

    async def _found(self, balancers: frozenset[str]) -> None:
        """The balancers in etcd learn of us from etcd; the given ones stay, whatever etcd says."""
        await self._reporter.keep(balancers | set(self.settings.balancers))
        for balancer in sorted(balancers):
            self._reporter.add(balancer, register=False)


def _token(context: grpc.aio.ServicerContext[Any, Any]) -> int:
    """The pick that a call comes from; 0 where it does not say, or says nonsense."""
    for key, value in context.invocation_metadata() or ():
        if key == services.PICK_METADATA and isinstance(value, str) and value.isdecimal() and len(value) <= 20:
            token = int(value)
            return token if token < 1 << 64 else 0
    return 0
