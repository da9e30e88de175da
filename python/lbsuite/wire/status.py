"""What a balancer tells of the endpoints of one service."""

from collections import Counter

import grpc

from lbsuite import _core
from lbsuite.wire import messages
from lbsuite.wire.membership import Membership, Standing
from lbsuite.wire.refusal import Refused

_STATES = {
    "ready": messages.READY,
    "full": messages.FULL,
    "unavailable": messages.FULL,
    "stale": messages.STALE,
    "draining": messages.DRAINING,
    "ejected": messages.EJECTED,
    "standby": messages.STANDBY,
}


def reply(membership: Membership, service: str, now: float) -> messages.StatusReply:
    """Every endpoint in the roster's order, ready or not, with what it last said of itself."""
    endpoints = membership.engine.endpoints(now)
    return messages.StatusReply(
        endpoints=[_told(seen, membership.standings.get(seen.address), service) for seen in endpoints],
        policy=membership.engine.policy,
        revision=membership.revision,
    )


def nobody(engine: _core.Engine, now: float) -> Refused:
    """Why there is nobody to pick, as the status that says it."""
    states = Counter(endpoint.state for endpoint in engine.endpoints(now))
    if not states:
        return Refused(grpc.StatusCode.UNAVAILABLE, "nobody is registered")
    count = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    match engine.why(now):
        case "all_full":
            return Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, f"all endpoints that are alive are full: {count}")
        case "none":
            return Refused(grpc.StatusCode.UNAVAILABLE, f"nobody is alive: {count}")
        case _:
            return Refused(grpc.StatusCode.UNAVAILABLE, f"the request excludes whoever is ready: {count}")


def _told(seen: _core.Endpoint, standing: Standing | None, service: str) -> messages.Endpoint:
    endpoint = messages.Endpoint(
        info=messages.ServerInfo(
            address=seen.address, service=service, weight=seen.weight, zone=seen.zone, limit=seen.limit
        ),
        state=_STATES.get(seen.state, messages.STATE_UNSPECIFIED),
    )
    if seen.report_age_s is not None:
        endpoint.report_age_ms = int(seen.report_age_s * 1000)
        if standing is not None and standing.report is not None:
            endpoint.last_report.CopyFrom(standing.report)
        else:
            endpoint.last_report.address, endpoint.last_report.load = seen.address, seen.tasks
            endpoint.last_report.available = seen.state != "unavailable"
    return endpoint
