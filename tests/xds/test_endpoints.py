"""What clients are told of a roster. They take all of an assignment or nothing, so each must be right as a whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsuite.xds import messages
from lbsuite.xds.endpoints import MOST_WEIGHT, Told, assignment

HEALTHY, UNHEALTHY, DRAINING = (messages.HealthStatus.Value(name) for name in ("HEALTHY", "UNHEALTHY", "DRAINING"))


def health(*states: str) -> list[int]:
    told = assignment("s", [Told("127.0.0.1", port, state) for port, state in enumerate(states, 1)])
    return [endpoint.health_status for locality in told.endpoints for endpoint in locality.lb_endpoints]


@pytest.mark.parametrize("state", ["ready", "full", "unavailable", "standby"])
def test_who_may_take_tasks_now_or_soon_is_healthy(state: str) -> None:
    assert health("ready", state) == [HEALTHY, HEALTHY]


@pytest.mark.parametrize("state", ["ejected", "stale"])
def test_the_ejected_and_the_stale_are_unhealthy(state: str) -> None:
    assert health("ready", state) == [HEALTHY, UNHEALTHY]


def test_where_nobody_is_well_clients_find_out_for_themselves() -> None:
    assert health("ejected", "stale", "draining") == [HEALTHY, HEALTHY, DRAINING]


def test_zones_are_localities_and_tiers_are_priorities_without_a_gap() -> None:
    told = assignment(
        "s",
        [
            Told("127.0.0.1", 1, "ready", zone="b", tier=7),
            Told("127.0.0.1", 2, "ready", zone="a", tier=2),
            Told("127.0.0.1", 3, "ready", zone="b", tier=2, weight=3),
            Told("127.0.0.1", 4, "ready", zone="b", tier=2),
        ],
    )
    assert told.cluster_name == "s"
    seen = [(each.priority, each.locality.zone, each.load_balancing_weight.value) for each in told.endpoints]
    assert seen == [(0, "a", 1), (0, "b", 4), (1, "b", 1)]


def test_an_ipv6_address_is_told_without_brackets() -> None:
    (locality,) = assignment("s", [Told("::1", 80, "ready")]).endpoints
    (endpoint,) = locality.lb_endpoints
    assert (endpoint.endpoint.address.socket_address.address) == "::1"


ENDPOINT = st.builds(
    Told,
    ip=st.sampled_from(["127.0.0.1", "127.0.0.2"]),
    port=st.integers(1, 4),
    state=st.sampled_from(["ready", "full", "stale", "ejected", "draining", "standby", "unavailable"]),
    weight=st.integers(1, 2**31 - 1),
    zone=st.sampled_from(["", "a", "b"]),
    tier=st.integers(0, 1000),
)


@given(st.lists(ENDPOINT))
def test_no_client_has_a_reason_to_refuse(endpoints: list[Told]) -> None:
    told = assignment("s", endpoints)
    places = [
        (endpoint.endpoint.address.socket_address.address, endpoint.endpoint.address.socket_address.port_value)
        for locality in told.endpoints
        for endpoint in locality.lb_endpoints
    ]
    assert len(places) == len(set(places)) == len({(each.ip, each.port) for each in endpoints})
    priorities = {each.priority for each in told.endpoints}
    assert priorities == set(range(len(priorities)))
    assert len({(each.priority, each.locality.zone) for each in told.endpoints}) == len(told.endpoints)
    assert all(each.HasField("locality") and each.load_balancing_weight.value >= 1 for each in told.endpoints)
    assert sum(each.load_balancing_weight.value for each in told.endpoints) <= MOST_WEIGHT + len(places)


@given(st.permutations([Told("127.0.0.1", port, "ready", zone="ab"[port % 2]) for port in range(1, 7)]))
def test_the_order_of_endpoints_makes_no_difference(endpoints: list[Told]) -> None:
    assert assignment("s", endpoints) == assignment("s", sorted(endpoints, key=lambda each: each.port))
