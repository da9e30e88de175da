"""Plain-Python twins of the core, written to be read: the engine must agree with them pick for pick.

They share nothing with the C++ but the definitions. A load is kept here as (value, since when), there as the moment it
reaches zero; policies look at lists of endpoints here, at views there.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

MASK = 2**64 - 1


def rotated(word: int, by: int) -> int:
    return (word << by | word >> (64 - by)) & MASK


def xxh64(data: bytes, seed: int) -> int:
    """XXH64 by its specification, for inputs below 32 bytes (the specs of policies are)."""
    assert len(data) < 32
    p1, p2, p3, p4, p5 = (
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    )
    h = (seed + p5 + len(data)) & MASK
    while len(data) >= 8:
        lane = rotated(int.from_bytes(data[:8], "little") * p2 & MASK, 31) * p1 & MASK
        h, data = (rotated(h ^ lane, 27) * p1 + p4) & MASK, data[8:]
    if len(data) >= 4:
        h = (rotated(h ^ int.from_bytes(data[:4], "little") * p1 & MASK, 23) * p2 + p3) & MASK
        data = data[4:]
    for byte in data:
        h = rotated(h ^ byte * p5 & MASK, 11) * p1 & MASK
    h = (h ^ h >> 33) * p2 & MASK
    h = (h ^ h >> 29) * p3 & MASK
    return h ^ h >> 32


class Rng:
    """xoshiro256++ filled by splitmix64."""

    def __init__(self, seed: int) -> None:
        self.state = []
        for _ in range(4):
            seed = (seed + 0x9E3779B97F4A7C15) & MASK
            z = (seed ^ seed >> 30) * 0xBF58476D1CE4E5B9 & MASK
            z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
            self.state.append(z ^ z >> 31)

    def next(self) -> int:
        a, b, c, d = self.state
        result = (rotated((a + d) & MASK, 23) + a) & MASK
        c, d = c ^ a, d ^ b
        self.state = [a ^ d, b ^ c, c ^ b << 17 & MASK, rotated(d, 45)]
        return result

    def below(self, bound: int) -> int:
        threshold = 2**32 % bound
        while True:
            product = (self.next() >> 32) * bound
            if product % 2**32 >= threshold:
                return product >> 32


@dataclass
class Endpoint:
    address: str
    order: tuple[float, int, str]
    weight: int = 1
    limit: int = 0
    lease_s: float = 0.0
    lease_until: float = math.inf
    drained: bool = False
    draining: bool = False
    available: bool = True
    lost: bool = False
    stale: bool = False
    stale_at: float = math.inf
    interval_s: float = 0.0
    in_flight: int = 0  # accounting "done"
    reported: int = 0  # tasks that the last report told of, our own in flight not counted
    on_the_way: list[float] = field(default_factory=list)  # accounting "reported": when each was picked
    begun: int = 0
    load: float = 0.0
    since: float = 0.0
    rate: float = 1e-6
    still_at: float = math.inf  # nothing drains from then on
    seen: tuple[int, float] = (0, 0.0)  # finished and busy seconds at the last window's end

    @property
    def up(self) -> bool:
        return self.available and not (self.drained or self.draining or self.lost or self.stale)

    @property
    def tasks(self) -> int:
        return self.in_flight + self.reported + len(self.on_the_way)

    @property
    def full(self) -> bool:
        return self.limit > 0 and self.tasks >= self.limit

    def estimate(self, now: float) -> float:
        return max(0.0, self.load - self.rate * max(0.0, min(now, self.still_at) - self.since))

    def learn(self, finished: int, busy_s: float) -> None:
        before, busy_before = self.seen
        if finished < before or busy_s < busy_before:
            before, busy_before = 0, 0.0
        tasks, busy = finished - before, busy_s - busy_before
        known = 0.0 if self.rate == 1e-6 else self.rate
        self.seen = (before, busy_before)
        if busy > 0 and (tasks >= 1 if known == 0 else max(tasks, known * busy) >= 4):
            self.rate = tasks / busy if known == 0 else known + 0.2 * (tasks / busy - known)
            self.seen = (finished, busy_s)


class Engine:
    """Accounting "done" or "reported", least_load by tasks; one lane."""

    def __init__(self, policy: str, seed: int, accounting: str) -> None:
        self.reported = accounting == "reported"
        self.spec = policy
        self.rng = Rng(xxh64(policy.encode(), seed))
        self.ticket = -1
        self.members: dict[str, Endpoint] = {}
        self.joined = 0
        self.now = -math.inf

    def join(self, address: str, now: float, weight: int, limit: int, order: int | None, lease_s: float) -> None:
        self.now = max(now, self.now)
        self.joined += 1
        place = (math.inf, self.joined, address) if order is None else (float(order), 0, address)
        endpoint = self.members.setdefault(address, Endpoint(address, place))
        endpoint.weight, endpoint.limit, endpoint.lease_s = weight, limit, lease_s
        endpoint.lease_until = self.now + lease_s if lease_s else math.inf

    def leave(self, address: str, now: float) -> None:
        self.now = max(now, self.now)
        self.members.pop(address, None)

    def report(
        self,
        address: str,
        now: float,
        tasks: int,
        available: bool,
        draining: bool,
        interval_s: float,
        prompt_s: float,
        begun: int | None,
        finished: int | None,
        busy_s: float,
    ) -> None:
        self.now = now = max(now, self.now)
        if (e := self.members.get(address)) is None:
            return
        if self.reported:
            e.reported = tasks
            if begun is None:
                e.on_the_way = [picked for picked in e.on_the_way if picked > now - 0.1]
            else:
                arrived = begun if begun < e.begun else begun - e.begun
                e.begun, e.on_the_way = begun, e.on_the_way[arrived:]
            if finished is not None:
                e.learn(finished, busy_s)
            e.load, e.since = float(e.tasks), now
            e.still_at = now + prompt_s if prompt_s else math.inf
        else:
            e.reported = max(0, tasks - e.in_flight)
        e.available, e.draining, e.interval_s, e.stale = available, draining, interval_s, False
        e.stale_at = now + 3 * interval_s if interval_s else math.inf
        if e.lease_s:
            e.lease_until = now + e.lease_s
        self.forget(e, now)

    def forget(self, e: Endpoint, now: float) -> None:
        kept = [picked for picked in e.on_the_way if picked > now - max(1.0, 2 * e.interval_s)]
        if len(kept) < len(e.on_the_way):
            e.load, e.since = max(0.0, e.estimate(now) - (len(e.on_the_way) - len(kept))), now
            e.on_the_way = kept

    def expire(self, now: float) -> None:
        self.now = now = max(now, self.now)
        for e in list(self.members.values()):
            if now >= e.lease_until:
                del self.members[e.address]
                continue
            self.forget(e, now)
            e.stale = e.stale or now >= e.stale_at

    def in_order(self) -> list[Endpoint]:
        return sorted(self.members.values(), key=lambda e: e.order)

    def pick(self, now: float, exclude: Sequence[str]) -> str | None:
        now = max(now, self.now)
        up = [e for e in self.in_order() if e.up]
        chosen = self.choose(up, lambda i: not up[i].full and up[i].address not in exclude, now)
        if chosen is None:
            return None
        e = up[chosen]
        if self.reported:
            e.load, e.since = e.estimate(now) + 1, now
            e.on_the_way.append(now)
        else:
            e.in_flight += 1
        return e.address

    def done(self, address: str) -> None:
        self.members[address].in_flight -= 1

    def choose(self, up: list[Endpoint], ready: Callable[[int], bool], now: float) -> int | None:
        every = range(len(up))
        name, _, choices = self.spec.partition(":choices=")
        if name == "pick_first":
            return next(filter(ready, every), None)
        if name == "round_robin":
            return self.round_robin(len(up), ready)
        if name == "random":
            return next(iter(self.sample(len(up), 1, ready)), None)
        count = 2 if name == "two_choices" else len(up) if choices in ("all", "auto") else int(choices)
        whole = name == "least_load" and count >= len(up)
        compared = every if whole else self.sample(len(up), count, ready)
        best, ties = None, 0
        for i in filter(ready, compared):
            score = (up[i].estimate(now) if self.reported else up[i].tasks) / up[i].weight
            if best is None or score < best[0] - 1e-9:
                best, ties = (score, i), 1
            elif score <= best[0] + 1e-9:
                ties += 1
                if self.rng.below(ties) == 0:
                    best = (best[0], i)
        return None if best is None else best[1]

    def round_robin(self, size: int, ready: Callable[[int], bool]) -> int | None:
        for _ in range(size):
            self.ticket += 1
            if ready(self.ticket % size):
                return self.ticket % size
        if size:
            self.ticket += 1  # the engine looks on from the next ticket; whom it finds is nobody, with one lane
        return None

    def sample(self, size: int, wanted: int, ready: Callable[[int], bool]) -> list[int]:
        wanted, drawn = min(wanted, size), []
        for _ in range(4 * wanted):
            if len(drawn) < wanted:
                i = self.rng.below(size)
                drawn += [i] if ready(i) and i not in drawn else []
        if len(drawn) == wanted:
            return drawn
        drawn = []
        for seen, i in enumerate(filter(ready, range(size)), start=1):
            if len(drawn) < wanted:
                drawn.append(i)
            elif (place := self.rng.below(seen)) < wanted:
                drawn[place] = i
        return drawn
