import math
from collections.abc import Collection

from oracle.endpoint import Costs, Endpoint, Finished, Report
from oracle.numbers import Rng, xxh64
from oracle.policies import twin_of
from oracle.view import Request, View


class Engine:
    """Accounting "done" or "reported", loads by tasks, one policy, one lane.

    spec: with every setting written out, as the engine's generators are seeded by it.
    """

    def __init__(self, spec: str, seed: int, accounting: str) -> None:
        self.reported = accounting == "reported"
        self.rng = Rng(xxh64(spec.encode(), seed))
        self.policy = twin_of(spec)
        self.listening = False  # a policy hears of nothing before its first pick
        self.members: dict[str, Endpoint] = {}
        self.fleet = Finished(memory=1024)
        self.costs = Costs()
        self.joined = 0
        self.pickers = 1
        self.version = 0
        self.published: list[tuple[object, ...]] = []
        self.wanted: list[Endpoint] = []
        self.now = -math.inf

    def join(self, address: str, now: float, weight: int, limit: int, order: int | None, lease_s: float) -> None:
        self.now = max(now, self.now)
        self.joined += 1
        place = (math.inf, self.joined, address) if order is None else (float(order), 0, address)
        endpoint = self.members.setdefault(address, Endpoint(address, place))
        endpoint.weight, endpoint.limit, endpoint.lease_s = weight, limit, lease_s
        endpoint.lease_until = self.now + lease_s if lease_s else math.inf
        self.publish()

    def leave(self, address: str, now: float) -> None:
        self.now = max(now, self.now)
        self.members.pop(address, None)
        self.publish()

    def drain(self, address: str, now: float, undo: bool) -> None:
        self.now = max(now, self.now)
        if (e := self.members.get(address)) is not None:
            e.drained = not undo
            self.publish()

    def connection(self, address: str, now: float, lost: bool) -> None:
        self.now = max(now, self.now)
        if (e := self.members.get(address)) is not None:
            e.lost = lost
            self.publish()

    def report(self, address: str, now: float, report: Report) -> None:
        self.now = now = max(now, self.now)
        if (e := self.members.get(address)) is None:
            return
        before, e.last, e.reported_at = e.last, report, now
        if report.limit is not None:
            e.limit = report.limit
        self.costs.add(e.unlearnt)
        e.unlearnt = []
        if self.reported:
            e.take(report, now, self.fleet, self.costs.mean)
        else:
            e.reported = max(0, report.tasks - e.in_flight)
        e.stale, e.stale_at = False, now + 3 * report.interval_s if report.interval_s else math.inf
        if e.lease_s:
            e.lease_until = now + e.lease_s
        e.forget(now)
        self.publish()
        if report.own_finished < before.own_finished or report.own_latency_s < before.own_latency_s:
            before = Report()
        if ended := report.own_finished - before.own_finished:
            failed = min(ended, report.own_failed - min(before.own_failed, report.own_failed))
            latency_s = (report.own_latency_s - before.own_latency_s) / ended
            self.tell("ended", e, ended, failed, latency_s, now)
        self.tell("reported", e, report, now)

    def probed(self, address: str, now: float, tasks: int, latency_s: float) -> None:
        self.now = max(now, self.now)
        if (e := self.members.get(address)) is not None:
            self.tell("probed", e, tasks, latency_s, self.now)

    def expire(self, now: float) -> None:
        self.now = now = max(now, self.now)
        for e in list(self.members.values()):
            if now >= e.lease_until:
                del self.members[e.address]
                continue
            e.forget(now)
            if now >= e.stale_at and not e.stale:
                e.stale = True
                self.version += 1
        self.publish()

    def publish(self) -> None:
        """A new view, if pickers must see one."""
        seen = [(e, e.up, e.serves, e.weight) for e in self.in_order()]
        if seen != self.published:
            self.published, self.version = seen, self.version + 1

    def in_order(self) -> list[Endpoint]:
        return sorted(self.members.values(), key=lambda e: e.order)

    def pick(self, now: float, exclude: Collection[str] = (), key: bytes = b"", cost: int = 1) -> str | None:
        now = max(now, self.now)
        self.listen()
        up = [e for e in self.in_order() if e.up]
        view = View(up, exclude, now, self.reported, self.pickers, self.version, self.costs.mean)
        chosen = self.policy.pick(view, Request(key, cost, exclude), self.rng)
        self.wanted += [view[i] for i in getattr(self.policy, "probes", tuple)()]
        if chosen is None:
            return None
        e = view[chosen]
        e.unlearnt.append(cost)
        if self.reported:
            e.add(now, cost)
        else:
            e.in_flight += 1
            e.costs.append(cost)
        return e.address

    def done(self, address: str, now: float, latency_s: float, failed: bool, cost: int = 1) -> None:
        e = self.members[address]
        e.in_flight -= 1
        e.costs.remove(cost)
        self.tell("ended", e, 1, int(failed), latency_s, max(now, self.now))

    def probes(self) -> list[str]:
        """Whom the policy wants probed since the last call, as far as they are still there."""
        wanted, self.wanted = self.wanted, []
        return [e.address for e in wanted if self.members.get(e.address) is e]

    def listen(self) -> None:
        if not self.listening:
            self.listening = True
            for e in self.in_order():
                if e.reported_at > -math.inf:
                    self.tell("reported", e, e.last, e.reported_at)

    def tell(self, what: str, *news: object) -> None:
        if self.listening and (heard := getattr(self.policy, what, None)):
            heard(*news)
