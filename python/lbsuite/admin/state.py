"""The whole state of a balancer as a JSON document."""

import math
from typing import Any

from lbsuite import _core
from lbsuite.wire import status
from lbsuite.wire.balancer import Balancer
from lbsuite.wire.membership import Membership


def state(balancer: Balancer, health: str, now: float) -> dict[str, Any]:
    """Each service in the words of `status --json`, what protects it, and what has happened since it was opened.

    An endpoint also has what the engine makes of it: slots (tasks as the engine counts them), estimate, score, work,
    picks.
    """
    return {
        "health": health,
        "service": balancer.settings.service,
        "services": {name: _service(name, membership, balancer, now) for name, membership in balancer.services.items()},
    }


def _service(name: str, membership: Membership, balancer: Balancer, now: float) -> dict[str, Any]:
    endpoints = membership.engine.endpoints(now)
    reply = status.reply(membership, name, endpoints, balancer.peers, balancer.xds_clients(name))
    document = status.document(reply)
    for entry, endpoint in zip(document["endpoints"], endpoints, strict=True):
        entry |= _made_of(endpoint)
    return document | {"stages": membership.engine.stages, "counters": status.counters(membership)}


def _made_of(endpoint: _core.Endpoint) -> dict[str, float | None]:
    return {
        "slots": endpoint.tasks,
        "estimate": _finite(endpoint.estimate),
        "score": _finite(endpoint.score),
        "work": _finite(endpoint.work),
        "picks": endpoint.picks,
    }


def _finite(value: float) -> float | None:
    """JSON has no word for infinity."""
    return value if math.isfinite(value) else None
