"""The look-aside balancer: what each RPC means. RPC -> engine -> reply; the clock is read here, once a request.

One engine and one membership per service name. A door (`door.py`) carries requests in and replies out.
"""

import functools
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass

import grpc

from lbsuite import _core, addresses, names
from lbsuite.errors import LbsuiteError
from lbsuite.wire import bounds, explaining, hosting, messages, status
from lbsuite.wire.allow import AllowList
from lbsuite.wire.membership import Membership
from lbsuite.wire.pick_log import PickLog
from lbsuite.wire.recordings import Recordings
from lbsuite.wire.refusal import Refused
from lbsuite.wire.watching import View, Watching
from lbsuite.wire.wishes import Wishes

DEFAULT_POLICY = "least_load:choices=auto"
DEFAULT_STAGES = ("outlier_ejection", "panic")
MAX_SERVICES = 64

_FORGETS_PICKS_S = 1.0
"""No engine gives a pick up sooner than this, so after a pick its deadline need not be asked for sooner."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as far as the door knows, and until when an answer is of use, on the clock of time.monotonic()."""

    name: str | None = None
    deadline: float | None = None


Caller = Asker | None
"""None: nobody in particular, who is in no hurry."""


@dataclass(frozen=True, slots=True)
class BalancerSettings:
    """service: what a request means that names none. policy: what a request gets that wishes none. fixed: and whatever
    it wishes. load: what least_load ranks by (tasks, memory, cpu). ttl_s: the lease time of endpoints. allow: the
    networks endpoints may be in. log_picks: one log line a pick. record: a file for the event log, one a service (see
    Recordings); None: nothing is recorded. sample: each N-th pick is told in full, for Explain; 0: none.
    stages: specs of those that protect each service. queue_s: how long a caller who finds all full may wait for a slot;
    0: not at all."""

    service: str = "default"
    policy: str | _core.Settings | _core.Policy = DEFAULT_POLICY
    fixed: bool = False
    load: str = "tasks"
    ttl_s: float = 5.0
    allow: tuple[addresses.Network, ...] = addresses.LOOPBACK
    log_picks: bool = False
    record: str | None = None
    sample: int = 0
    stages: tuple[str, ...] = DEFAULT_STAGES
    queue_s: float = 0.0


class Balancer:
    """Answers the RPCs of LoadBalancer; the methods are named as there. They raise Refused for an answer that is a
    status and ValueError for a request that makes no sense. Settings that make none raise ValueError here, a file that
    cannot be written to LbsuiteError.

    Belongs to one event loop. Its `id` is the high half of every pick's token.
    """

    def __init__(self, settings: BalancerSettings | None = None) -> None:
        self.settings = settings or BalancerSettings()
        self.id = secrets.randbelow(2**32 - 1) + 1
        self.allowed = AllowList(self.settings.allow)
        self.peers: frozenset[str] = frozenset()
        """The balancers of the service that the registry knows, this one included."""
        self.listed = True
        """Whether the source of membership, where there is one, has told its first list."""
        self._began_s = time.monotonic()
        self._watching = Watching(self.id, self._view)
        self.changed: list[Callable[[str, str], None]] = [self._watching.changed]
        """Called with a service and an address of whom there is news."""
        self.xds_clients: Callable[[str], Iterable[messages.XdsClient]] = lambda service: ()
        """Those that follow a service over xDS: set by the door that they come by."""
        self._pick_log = PickLog() if self.settings.log_picks else None
        self._recordings = Recordings(self.settings.record) if self.settings.record else None
        self._memberships: dict[str, Membership] = {}
        self.membership = self._open(self.settings.service)
        """Of the balancer's own service: the one that a source of membership feeds."""
        self._wishes = Wishes(self.settings.fixed, self.membership.engine.policy)

    @property
    def services(self) -> dict[str, Membership]:
        """Who may be picked, by the name of the service."""
        return dict(self._memberships)

    def partial(self, service: str) -> bool:
        """Whether there may be endpoints of a service that the balancer, having just begun, does not know yet."""
        # Who lives registers, or reports and is told to register, within a lease time.
        began = time.monotonic() < self._began_s + self.settings.ttl_s
        return began or (service == self.settings.service and not self.listed)

    async def GetBestServer(self, request: messages.BalanceRequest, caller: Caller) -> messages.ServerInfo:
        """A pick by the policy wished; nothing wished: the operator's."""
        strategy = request.strategy if request.HasField("strategy") else None
        return await self._pick(request, self._wishes.read(request.policy, strategy), caller)

    async def bare_GetBestServer(self, request: messages.BalanceRequest, caller: Caller) -> messages.ServerInfo:
        """The same for callers whose message cannot leave the strategy out: nothing said is PICK_FIRST."""
        return await self._pick(request, self._wishes.read(request.policy, request.strategy), caller)

    async def RegisterServer(self, request: messages.ServerInfo, caller: Caller) -> messages.RegisterResponse:
        names.zone(request.zone)
        await self.allowed.targets(request.address)
        membership = self._find(request.service) or self._open(request.service)
        new = membership.register(request, time.monotonic())
        _log.log(logging.INFO if new else logging.DEBUG, "%s is registered", request.address)
        return messages.RegisterResponse(message=f"registered {request.address}")

    async def ReportLoad(self, request: messages.ServerLoad, caller: Caller) -> messages.LoadResponse:
        bounds.check_report(request)
        membership = self._find(request.service)
        own = next((counts for counts in request.by_balancer if counts.balancer == self.id), messages.BalancerCounts())
        if membership is None or not membership.report(request, self._begun(request), own, time.monotonic()):
            raise _unknown(request.address)
        return messages.LoadResponse(message="ok")

    async def Deregister(self, request: messages.ServerInfo, caller: Caller) -> messages.RegisterResponse:
        addresses.parse(request.address)
        membership = self._find(request.service)
        if membership is None or not membership.leave(request.address, time.monotonic()):
            return messages.RegisterResponse(message=f"{request.address} was not registered")
        _log.info("%s is deregistered", request.address)
        return messages.RegisterResponse(message=f"deregistered {request.address}")

    async def Status(self, request: messages.StatusRequest, caller: Caller) -> messages.StatusReply:
        return self._status(request.service)

    async def Drain(self, request: messages.DrainRequest, caller: Caller) -> messages.StatusReply:
        membership = self._find(request.service)
        if membership is None or not membership.drain(request.address, time.monotonic(), undo=request.undo):
            raise _unknown(request.address)
        _log.info("%s is %s by the operator", request.address, "undrained" if request.undo else "drained")
        return self._status(request.service)

    async def Explain(self, request: messages.ExplainRequest, caller: Caller) -> messages.ExplainReply:
        """What a pick would be now, and why; or the newest of those that were sampled."""
        engine, now, asked = self._known(request.request.service).engine, time.monotonic(), request.request
        if not request.last:
            bounds.check_question(asked)
            strategy = asked.strategy if asked.HasField("strategy") else None
            return explaining.choice(engine, asked, self._wishes.read(asked.policy, strategy), now)
        if not self.settings.sample:
            raise Refused(grpc.StatusCode.FAILED_PRECONDITION, "no pick is kept: the balancer runs without --sample")
        return explaining.kept(engine, request.last, now)

    async def Watch(self, request: messages.WatchRequest, caller: Caller) -> AsyncGenerator[bytes, None]:
        """RosterUpdates, serialized: see Watching.follow."""
        service = request.service or self.settings.service
        async with aclosing(self._watching.follow(service, request.revision)) as frames:
            async for frame in frames:
                yield frame

    def stop_waiting(self) -> None:
        """Callers who wait for a slot, those who watch, and those who would, are told UNAVAILABLE from now on."""
        self._watching.stop()
        for membership in self._memberships.values():
            membership.alarm.tickets.stop()

    async def close(self) -> None:
        self.stop_waiting()
        for membership in self._memberships.values():
            await membership.close()
        if self._recordings:
            self._recordings.close()

    async def _pick(self, request: messages.BalanceRequest, policy: str | None, caller: Caller) -> messages.ServerInfo:
        membership = self._find(request.service)
        if membership is None:
            raise Refused(grpc.StatusCode.UNAVAILABLE, f"nobody is registered for service {request.service!r}")
        bounds.check_question(request)
        now, engine = time.monotonic(), membership.engine
        answer = engine.pick(
            now,
            request.key or None,
            request.cost or 1,
            request.exclude,
            policy,
            caller.deadline if caller else None,
            request.priority,
            request.attempt,
        )
        if isinstance(answer, _core.Ticket):
            answer, now = await _waited(membership, answer, now, request), time.monotonic()
        if answer is None:
            raise status.nobody(membership, now, request)
        if membership.alarm.due > now + _FORGETS_PICKS_S:
            membership.alarm.ring_by(engine.next_deadline(), now)
        if self._pick_log is not None:
            self._pick_log.note(engine, policy, answer.endpoint, now)
        return messages.ServerInfo(address=answer.endpoint, token=self.id << 32 | explaining.number(answer.sequence))

    def _begun(self, load: messages.ServerLoad) -> int | None:
        """How many of our picks an endpoint has begun; None: it does not count them.

        Tasks that came without a token count as ours too, so that callers who know no tokens do not look as if they
        never arrived.
        """
        if not load.begun and not load.interval_ms:
            return None
        return max(0, load.begun - sum(counts.begun for counts in load.by_balancer if counts.balancer != self.id))

    def _status(self, service: str) -> messages.StatusReply:
        membership = self._known(service)
        endpoints = membership.engine.endpoints(time.monotonic())
        service = service or self.settings.service
        return status.reply(membership, service, endpoints, self.peers, self.xds_clients(service))

    def _view(self, service: str) -> View:
        peers = self.peers if service == self.settings.service else frozenset[str]()
        return View(self._memberships.get(service), peers, self.partial(service))

    def _known(self, service: str) -> Membership:
        membership = self._find(service)
        if membership is None:
            raise Refused(grpc.StatusCode.NOT_FOUND, f"nobody is registered for service {service!r}")
        return membership

    def _find(self, service: str) -> Membership | None:
        return self._memberships.get(service or self.settings.service)

    def _open(self, service: str) -> Membership:
        names.service(service)
        if len(self._memberships) >= MAX_SERVICES:
            self._let_go_of_an_empty_one()
        settings = self.settings
        engine = hosting.engine(settings.policy, settings.load, settings.stages, settings.queue_s)
        self._record(service, engine)
        engine.sample(settings.sample)
        changed = functools.partial(self._tell_changed, service)
        membership = self._memberships[service] = Membership(engine, self.allowed, settings.ttl_s, changed)
        return membership

    def _tell_changed(self, service: str, address: str) -> None:
        for call in self.changed:
            call(service, address)

    def _record(self, service: str, engine: _core.Engine) -> None:
        """Begins a service's log; the balancer's own must be there, others are served without if need be."""
        if self._recordings is None:
            return
        try:
            self._recordings.begin(service, engine)
        except LbsuiteError as error:
            if service == self.settings.service:
                raise
            _log.error("service %s is not recorded: %s", service, error)

    def _let_go_of_an_empty_one(self) -> None:
        for service, membership in self._memberships.items():
            if not membership.standings and membership is not self.membership:
                membership.alarm.cancel()
                membership.alarm.tickets.stop()
                if self._recordings:
                    self._recordings.end(service)
                del self._memberships[service]
                return
        raise Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{MAX_SERVICES} services are registered already")


async def _waited(
    membership: Membership, ticket: _core.Ticket, since: float, request: messages.BalanceRequest
) -> _core.Pick:
    """The pick that a ticket is answered with; raises Refused for one that waits in vain."""
    pick = await membership.alarm.wait(ticket, since)
    if pick is None:
        now = time.monotonic()
        raise status.nobody(membership, now, request, now - since)
    return pick


def _unknown(address: str) -> Refused:
    """For an endpoint that is not here; raises ValueError for what is no address at all."""
    addresses.parse(address)
    return Refused(grpc.StatusCode.NOT_FOUND, f"{address} is not registered")
