"""Who may be called, as a ClusterLoadAssignment: zones are localities, tiers are priorities.

Draining endpoints are told as DRAINING, which clients that know no such thing leave out; ejected and stale ones as
UNHEALTHY. A full one is healthy: that passes before a client hears of it, and the endpoint itself refuses.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lbsuite.xds import messages, services

MOST_WEIGHT = 2**31
"""Clients refuse an assignment whose weights add up to more than 32 bits."""
_UNWELL = ("ejected", "stale")


class Told(NamedTuple):
    """One endpoint as clients are told of it."""

    ip: str
    port: int
    state: str
    weight: int = 1
    zone: str = ""
    tier: int = 0


def assignment(service: str, endpoints: Sequence[Told]) -> Any:
    """Clients take all of it or nothing: no address twice, priorities without a gap, sums of weights within bounds."""
    distinct = {(told.ip, told.port): told for told in reversed(endpoints)}.values()
    shrink = -(-sum(told.weight for told in distinct) // MOST_WEIGHT) or 1
    localities: Mapping[tuple[int, str], list[Told]] = defaultdict(list)
    for told in distinct:
        localities[told.tier, told.zone].append(told)
    priorities = {tier: rank for rank, tier in enumerate(sorted({tier for tier, _ in localities}))}
    # Nobody is well: clients had rather find out by connecting, as nobody would serve else.
    trusting = not any(_is_well(told) for told in distinct)
    result = messages.ClusterLoadAssignment(cluster_name=service)
    for (tier, zone), members in sorted(localities.items(), key=lambda item: item[0]):
        locality = result.endpoints.add(priority=priorities[tier], locality=messages.Locality(zone=zone))
        for told in sorted(members, key=lambda told: (told.ip, told.port)):
            endpoint = locality.lb_endpoints.add(health_status=_health(told, trusting))
            endpoint.endpoint.address.CopyFrom(services.socket_address(told.ip, told.port))
            endpoint.load_balancing_weight.value = max(1, told.weight // shrink)
        locality.load_balancing_weight.value = sum(each.load_balancing_weight.value for each in locality.lb_endpoints)
    return result


def _is_well(told: Told) -> bool:
    return told.state not in (*_UNWELL, "draining")


def _health(told: Told, trusting: bool) -> Any:
    if told.state == "draining":
        return messages.HealthStatus.DRAINING
    if told.state in _UNWELL and not trusting:
        return messages.HealthStatus.UNHEALTHY
    return messages.HealthStatus.HEALTHY
