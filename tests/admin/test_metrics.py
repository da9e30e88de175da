"""What Prometheus reads is what the engine says."""

import math
import time
from typing import Any

import pytest
from admin_door import A, B, C, asking, opened, register, report
from prometheus_client import parser
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as openmetrics

from lbsuite.admin.door import AdminDoor
from lbsuite.wire import messages
from lbsuite.wire.balancer import BalancerSettings
from lbsuite.wire.refusal import Refused

Labels = frozenset[tuple[str, str]]


async def scraped(door: AdminDoor) -> list[Metric]:
    async with asking(door) as asks, asks.get("/metrics") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        return list(parser.text_string_to_metric_families(await answer.text()))


def values(families: list[Metric], name: str) -> dict[Labels, float]:
    return {
        frozenset(sample.labels.items()): sample.value
        for family in families
        for sample in family.samples
        if sample.name == name
    }


def labels(address: str, **more: str) -> Labels:
    return frozenset({"service": "default", "address": address, **more}.items())


async def test_each_endpoint_is_told_as_the_engine_has_it() -> None:
    async with opened(BalancerSettings(policy="round_robin")) as (balancer, door):
        await register(balancer, A, B, C)
        await report(balancer, A, load=2, limit=10)
        await balancer.Drain(messages.DrainRequest(address=C), None)
        for _ in range(6):
            await balancer.GetBestServer(messages.BalanceRequest(), None)
        families = await scraped(door)
        for seen in balancer.membership.engine.endpoints(time.monotonic()):
            for name, value in {
                "ready": seen.state == "ready",
                "slots": seen.tasks,
                "slots_limit": seen.limit,
                "picks_total": seen.picks,
                "memory_bytes": seen.memory,
                "weight": seen.weight,
            }.items():
                assert values(families, f"lbsuite_endpoint_{name}")[labels(seen.address)] == value, name
            assert values(families, "lbsuite_endpoint_state")[labels(seen.address, state=seen.state)] == 1
        assert sum(values(families, "lbsuite_endpoint_picks_total").values()) == 6
        assert values(families, "lbsuite_endpoint_tasks") == {labels(A): 2}
        ((whose, age),) = values(families, "lbsuite_endpoint_report_age_seconds").items()
        assert whose == labels(A)
        assert 0 <= age < 60


async def test_services_tell_their_policy_their_endpoints_by_state_and_what_happened() -> None:
    async with opened(BalancerSettings(policy="random")) as (balancer, door):
        await register(balancer, A, B)
        await balancer.Drain(messages.DrainRequest(address=B), None)
        with pytest.raises(Refused):
            await balancer.GetBestServer(messages.BalanceRequest(exclude=[A]), None)
        families = await scraped(door)
        service = ("service", "default")
        assert values(families, "lbsuite_service_info") == {frozenset({service, ("policy", "random")}): 1}
        by_state = values(families, "lbsuite_endpoints")
        assert {dict(key)["state"]: count for key, count in by_state.items() if count} == {"ready": 1, "draining": 1}
        assert len(by_state) >= 6
        happened = {dict(key)["event"]: count for key, count in values(families, "lbsuite_events_total").items()}
        assert {event: count for event, count in happened.items() if count} == {"refused_excluded": 1}
        assert {"refused_none", "refused_all_full", "lost", "back", "expired", "ejected"} <= happened.keys()
        assert values(families, "lbsuite_roster_changes_total") == {frozenset({service}): balancer.membership.revision}


async def test_names_keep_the_conventions_and_each_says_what_it_is() -> None:
    async with opened() as (balancer, door):
        await register(balancer, A)
        families = await scraped(door)
        assert len({family.name for family in families}) == len(families) > 15
        for family in families:
            assert family.name.startswith(("lbsuite_", "process_"))
            assert family.documentation.endswith(".")
            for sample in family.samples:
                assert sample.name.endswith("_total") == (family.type == "counter")
                assert math.isfinite(sample.value)


async def test_who_asks_for_open_metrics_gets_the_same() -> None:
    async with opened() as (balancer, door), asking(door) as asks:
        await register(balancer, A, B)
        plain = await scraped(door)
        accepts = {"Accept": "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"}
        async with asks.get("/metrics", headers=accepts) as answer:
            assert answer.content_type == "application/openmetrics-text"
            open_ones: list[Any] = list(openmetrics.text_string_to_metric_families(await answer.text()))
        assert len(open_ones) == len(plain)
        assert values(open_ones, "lbsuite_endpoint_ready") == values(plain, "lbsuite_endpoint_ready")
