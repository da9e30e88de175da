"""What a balancer tells of the endpoints of one service, as a message and as a document."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import grpc

from lbsuite import _core
from lbsuite.wire import messages
from lbsuite.wire.membership import Membership, Standing
from lbsuite.wire.refusal import Refused

STATES = {
    "ready": messages.READY,
    "full": messages.FULL,
    "unavailable": messages.FULL,
    "stale": messages.STALE,
    "draining": messages.DRAINING,
    "ejected": messages.EJECTED,
    "standby": messages.STANDBY,
}
"""What the engine calls them -> what a message does."""


def reply(
    membership: Membership,
    service: str,
    endpoints: Sequence[_core.Endpoint],
    balancers: Iterable[str],
    xds_clients: Iterable[messages.XdsClient] = (),
) -> messages.StatusReply:
    """Every endpoint that the engine told, in its order, ready or not, with what it last said of itself."""
    return messages.StatusReply(
        endpoints=[told(seen, membership.standings.get(seen.address), service) for seen in endpoints],
        policy=membership.engine.policy,
        revision=membership.revision,
        balancers=sorted(balancers),
        xds_clients=xds_clients,
    )


def document(reply: messages.StatusReply) -> dict[str, Any]:
    """The reply as a JSON document. tasks: in flight, as last reported; report_age_s: None before the first report."""
    return {
        "endpoints": [_entry(endpoint) for endpoint in reply.endpoints],
        "policy": reply.policy,
        "revision": reply.revision,
        "balancers": list(reply.balancers),
        "xds_clients": [_client(client) for client in reply.xds_clients],
    }


def counters(membership: Membership) -> dict[str, int]:
    """What has happened to the service since it was opened, by name: picks refused, and what became of endpoints.

    Each counter there is shows here, and so in `/metrics` and `/api/state`.
    """
    refused = {f"refused_{reason}": count for reason, count in dict(membership.refusals).items()}
    return {**membership.engine.counters(), **refused, **membership.alarm.happened}


def nobody(membership: Membership, now: float, request: messages.BalanceRequest, waited_s: float = 0.0) -> Refused:
    """Why there is nobody to pick for this request, as the status that says it; it is counted.

    waited_s: how long it has waited for a slot, in vain.
    """
    engine = membership.engine
    why = engine.why(now, request.priority, request.attempt)
    reason = "waited" if waited_s and why != "none" else "excluded" if why == "ready" else why
    membership.refusals[reason] += 1
    states = Counter(endpoint.state for endpoint in engine.endpoints(now))
    if not states:
        return Refused(grpc.StatusCode.UNAVAILABLE, "nobody is registered")
    count = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    if waited_s and why != "none":
        which = "no slot that the request does not exclude" if request.exclude else "no slot"
        return Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{which} was free within {waited_s:.3g} s: {count}")
    if waiting := len(membership.alarm.tickets):
        count += f"; callers that wait: {waiting}"
    match why:
        case "all_full":
            return Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, f"all endpoints that are alive are full: {count}")
        case "shed":
            words = f"the service is at its limit for priority {request.priority} (total_limit): {count}"
            return Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, words)
        case "over_budget":
            words = f"attempt {request.attempt} is beyond the budget of retries (retry_budget)"
            return Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, words, final=True)
        case "none":
            return Refused(grpc.StatusCode.UNAVAILABLE, f"nobody is alive: {count}")
        case _:
            return Refused(grpc.StatusCode.UNAVAILABLE, f"the request excludes whoever is ready: {count}")


def told(seen: _core.Endpoint, standing: Standing | None, service: str) -> messages.Endpoint:
    """One endpoint, as the engine sees it, with what it last said of itself."""
    endpoint = messages.Endpoint(
        info=messages.ServerInfo(
            address=seen.address,
            service=service,
            weight=seen.weight,
            zone=seen.zone,
            limit=seen.limit,
            tier=seen.tier,
        ),
        state=STATES.get(seen.state, messages.STATE_UNSPECIFIED),
    )
    if seen.report_age_s is not None:
        endpoint.report_age_ms = int(seen.report_age_s * 1000)
        if standing is not None and standing.report is not None:
            endpoint.last_report.CopyFrom(standing.report)
        else:
            endpoint.last_report.address, endpoint.last_report.load = seen.address, seen.tasks
            endpoint.last_report.available = seen.state != "unavailable"
    return endpoint


def _client(client: messages.XdsClient) -> dict[str, Any]:
    return {field.name: getattr(client, field.name) for field in client.DESCRIPTOR.fields}


def _entry(endpoint: messages.Endpoint) -> dict[str, Any]:
    info, report = endpoint.info, endpoint.last_report
    reported = endpoint.HasField("last_report")
    return {
        "address": info.address,
        "ready": endpoint.state == messages.READY,
        "state": messages.State.Name(endpoint.state).lower(),
        "tasks": report.load,
        "limit": info.limit,
        "load": report.load,
        "report_age_s": endpoint.report_age_ms / 1000 if reported else None,
        "memory_mib": round(report.memory_bytes / 2**20, 1),
        "cpu": round(report.cpu, 3),
        "peak": report.peak,
        "begun": report.begun,
        "finished": report.finished,
        "weight": info.weight,
        "zone": info.zone,
        "tier": info.tier,
    }
