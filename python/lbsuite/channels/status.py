"""What a channel says of itself, and why it finds nobody."""

import itertools
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import grpc

from lbsuite import _core
from lbsuite.channels.endpoint import Endpoint
from lbsuite.channels.follower import Follower


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """state: as in lbsuite.Endpoint while its connection stands; else "connecting" or "lost", and why says more.

    tasks: slots taken there, others' included, as far as reports tell. picks: of this channel, so far. limit: tasks it
    takes at once; 0: it has told none. report_age_s: seconds since its load was last heard of; None: never.
    """

    address: str
    state: str
    why: str = ""
    tasks: int = 0
    picks: int = 0
    limit: int = 0
    draining: bool = False
    report_age_s: float | None = None

    def __str__(self) -> str:
        why = f" ({self.why})" if self.why else ""
        return f"{self.address} {self.state}{why}{', draining' * self.draining}: tasks {self.tasks}, picks {self.picks}"


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """listed: the first list has come. heard: whether whoever tells the list is heard; if not, why_not says more, and
    calls go by the last list. list_age_s: how old it may be, in seconds: 0 while heard; None: there is none yet.
    waiting: calls that wait for somebody to be there, for a slot, or a while before they are tried again. calls,
    retries, hedges, failed_first: calls begun, attempts after one that failed, attempts beside one that took long,
    first attempts that an unwell endpoint failed. str() has a line for the whole and one for each endpoint.
    """

    target: str
    policy: str
    endpoints: tuple[EndpointStatus, ...]
    listed: bool
    heard: bool
    why_not: str
    list_age_s: float | None
    waiting: int
    calls: int
    retries: int
    hedges: int
    failed_first: int

    def __str__(self) -> str:
        ready = sum(each.state == "ready" for each in self.endpoints)
        found = f"{ready} of {len(self.endpoints)} endpoints ready" if self.listed else "no list yet"
        age = "" if self.list_age_s is None else f", last heard {self.list_age_s:.1f} s ago"
        unheard = "" if self.heard else f"{age} ({self.why_not})"
        counts = f"calls {self.calls}, waiting {self.waiting}, retries {self.retries}, hedges {self.hedges}"
        whole = f"{self.target} by {self.policy}: {found}{unheard}; {counts}, failed first {self.failed_first}"
        return "\n  ".join((whole, *map(str, self.endpoints)))


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a call finds nobody, as a status."""

    code: grpc.StatusCode
    words: str


def channel_status(
    target: str, engine: _core.Engine, follower: Follower, counts: Mapping[str, int], waiting: int
) -> ChannelStatus:
    """How a channel stands now."""
    now = time.monotonic()
    return ChannelStatus(
        target=target,
        policy=engine.policy,
        endpoints=endpoints(engine, follower, now),
        listed=follower.listed,
        heard=follower.contact.up,
        why_not=follower.contact.why,
        list_age_s=now - (follower.lost_s or now) if follower.listed else None,
        waiting=waiting,
        **counts,
    )


def endpoints(engine: _core.Engine, follower: Follower, now: float) -> tuple[EndpointStatus, ...]:
    """All that are listed, in the order of the list."""
    known = {each.address: each for each in engine.endpoints(now)}
    told = []
    for address, endpoint in follower.endpoints.items():
        member = follower.members.get(address)
        draining = member is not None and member.draining
        if (seen := known.get(address)) is None:
            told.append(EndpointStatus(address, endpoint.state, endpoint.why, draining=draining))
            continue
        state = seen.state if endpoint.state == "ready" else endpoint.state
        told.append(
            EndpointStatus(
                address, state, endpoint.why, seen.tasks, seen.picks, seen.limit, draining, seen.report_age_s
            )
        )
    return tuple(told)


def lack(engine: _core.Engine, follower: Follower, target: str, now: float) -> Lack | None:
    """Why nobody can be picked; None: somebody may be in a moment, and it is worth to wait."""
    if not follower.listed:
        if follower.contact.up:
            return None
        return Lack(grpc.StatusCode.UNAVAILABLE, f"who serves {target} is not known: {follower.contact.why}")
    if not follower.endpoints:
        return Lack(grpc.StatusCode.UNAVAILABLE, f"nobody is registered for {target}")
    if (why := engine.why(now)) == "all_full":
        return Lack(grpc.StatusCode.RESOURCE_EXHAUSTED, f"every endpoint of {target} is full")
    if why == "ready":  # other threads have made room since; or the policy wants nobody
        return Lack(grpc.StatusCode.RESOURCE_EXHAUSTED, f"nobody was picked for {target}, though some are ready by now")
    if why in ("shed", "over_budget"):
        return Lack(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{target} is at its limit ({why})")
    if any(endpoint.state == "connecting" for endpoint in follower.endpoints.values()):
        return None
    listed = follower.endpoints.values()
    ready = any(each.state == "ready" for each in listed)
    known: Iterable[EndpointStatus | Endpoint] = endpoints(engine, follower, now) if ready else listed
    found = ", ".join(_words(each) for each in itertools.islice(known, 5))
    return Lack(
        grpc.StatusCode.UNAVAILABLE, f"none of the {len(follower.endpoints)} endpoints of {target} serves: {found}"
    )


def _words(endpoint: EndpointStatus | Endpoint) -> str:
    return f"{endpoint.address} is {endpoint.state}" + (f" ({endpoint.why})" if endpoint.why else "")
