"""By which policy clients pick, as a Cluster says it.

round_robin and ring_hash go by the old field, which every client reads. The others are a list of typed policies, of
which a client takes the first that it knows: gRPC's C core refuses a cluster that names LEAST_REQUEST in the old field,
and passes over one in the list. The last of a list everybody knows.
"""

from collections.abc import Callable, Mapping
from typing import Any

from lbsuite.xds import messages
from lbsuite.xds.settings import ClientPolicy

_PACKAGE = "envoy.load_balancing_policies"


def choose(cluster: Any, policy: ClientPolicy) -> None:
    """Writes the policy into a Cluster."""
    if policy.name in _TYPED:
        _add(cluster.load_balancing_policy, policy.name, _TYPED[policy.name](policy.settings))
        last = messages.WrrLocality()
        _add(last.endpoint_picking_policy, "round_robin", messages.RoundRobin())
        _add(cluster.load_balancing_policy, "wrr_locality", last)
        return
    # Envoy leaves the weights of localities out of account unless it is told.
    cluster.common_lb_config.locality_weighted_lb_config.SetInParent()
    if policy.name == "ring_hash":
        cluster.lb_policy = messages.Cluster.RING_HASH
        cluster.ring_hash_lb_config.minimum_ring_size.value = int(policy.settings["entries"])
    else:
        cluster.lb_policy = messages.Cluster.ROUND_ROBIN


def _add(policies: Any, name: str, settings: Any) -> None:
    typed = policies.policies.add().typed_extension_config
    typed.name = f"{_PACKAGE}.{name}"
    typed.typed_config.Pack(settings, deterministic=True)


def _least_request(settings: Mapping[str, float]) -> Any:
    policy = messages.LeastRequest(locality_lb_config=_by_locality())
    policy.choice_count.value = int(settings["choices"])
    return policy


def _client_side_weighted_round_robin(settings: Mapping[str, float]) -> Any:
    policy = messages.ClientSideWeightedRoundRobin()
    policy.blackout_period.FromMicroseconds(_us(settings["blackout_s"]))
    policy.weight_expiration_period.FromMicroseconds(_us(settings["expiry_s"]))
    policy.weight_update_period.FromMicroseconds(_us(settings["update_s"]))
    policy.error_utilization_penalty.value = settings["penalty"]
    return policy


_TYPED: dict[str, Callable[[Mapping[str, float]], Any]] = {
    "least_request": _least_request,
    "client_side_weighted_round_robin": _client_side_weighted_round_robin,
}


def _us(seconds: float) -> int:
    # grpc-go takes zero for unsaid, and its own default then.
    return max(1, round(seconds * 1e6))


def _by_locality() -> Any:
    by_locality = messages.LocalityLbConfig()
    by_locality.locality_weighted_lb_config.SetInParent()
    return by_locality
