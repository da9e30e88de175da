"""What each URL of the admin door says and does."""

import json
from typing import Any

import pytest
from admin_door import A, B, C, asking, opened, register, report

from lbsuite.admin.health import Health
from lbsuite.wire import messages, status
from lbsuite.wire.balancer import Balancer, BalancerSettings
from lbsuite.wire.refusal import Refused


async def told(balancer: Balancer, service: str = "") -> dict[str, Any]:
    """What `status --json` would say, but for the passing of time."""
    document = status.document(await balancer.Status(messages.StatusRequest(service=service), None))
    return ageless(document)


def ageless(document: dict[str, Any]) -> dict[str, Any]:
    for endpoint in document["endpoints"]:
        endpoint["report_age_s"] = endpoint["report_age_s"] is not None
    return document


async def test_health_is_good_while_the_balancer_serves_and_at_no_other_time() -> None:
    async with opened() as (_, door), asking(door) as asks:
        for tell, code, word in (
            (lambda: setattr(door._routes, "health", Health.STARTING), 503, "starting"),
            (door.tell_serving, 200, "serving"),
            (door.tell_stopping, 503, "stopping"),
        ):
            tell()
            async with asks.get("/healthz") as answer:
                assert (answer.status, await answer.text()) == (code, f"{word}\n")


async def test_state_has_each_service_in_the_words_of_status_and_what_the_engine_makes_of_it() -> None:
    async with opened(BalancerSettings(policy="round_robin")) as (balancer, door), asking(door) as asks:
        await register(balancer, A, B)
        await register(balancer, C, service="other")
        await report(balancer, A, load=2, limit=10)
        await balancer.GetBestServer(messages.BalanceRequest(), None)
        async with asks.get("/api/state") as answer:
            state = await answer.json()
        assert (state["health"], state["service"]) == ("serving", "default")
        assert list(state["services"]) == ["default", "other"]
        first, second = state["services"]["default"]["endpoints"]
        assert (first["slots"], first["picks"] + second["picks"]) == (2 + first["picks"], 1)
        for name, document in state["services"].items():
            counters = document.pop("counters")
            assert {event: count for event, count in counters.items() if count} == (
                {"picks": 1} if name == "default" else {}
            )
            assert document.pop("stages") == balancer.services[name].engine.stages != []
            for endpoint in document["endpoints"]:
                made = {key: endpoint.pop(key) for key in ("slots", "estimate", "score", "work", "picks")}
                assert all(isinstance(value, float | int) for value in made.values())
            assert ageless(document) == await told(balancer, name)


async def test_refused_picks_are_counted_by_reason() -> None:
    async with opened() as (balancer, door), asking(door) as asks:
        await register(balancer, A)
        for excluded in ([A], [A], []):
            request = messages.BalanceRequest(exclude=excluded)
            if not excluded:
                await report(balancer, A, load=1, limit=1)
            with pytest.raises(Refused):
                await balancer.GetBestServer(request, None)
        async with asks.get("/api/state") as answer:
            counters = (await answer.json())["services"]["default"]["counters"]
        assert {reason: count for reason, count in counters.items() if count} == {
            "refused_excluded": 2,
            "refused_all_full": 1,
        }


@pytest.mark.parametrize("service", ["default", "other"])
async def test_drain_and_undrain_do_what_the_rpc_does(service: str) -> None:
    async with opened() as (balancer, door), asking(door) as asks:
        await register(balancer, A, B, service=service)
        for url, state in (("/api/drain", "draining"), ("/api/undrain", "ready")):
            async with asks.post(url, json={"address": A, "service": service}) as answer:
                document = await answer.json()
            assert answer.status == 200
            assert [endpoint["state"] for endpoint in document["endpoints"]] == [state, "ready"]
            assert ageless(document) == await told(balancer, service)


async def test_the_balancers_own_service_need_not_be_named() -> None:
    async with opened(BalancerSettings(service="own")) as (balancer, door), asking(door) as asks:
        await register(balancer, A)
        async with asks.post("/api/drain", json={"address": A}) as answer:
            assert (await answer.json())["endpoints"][0]["state"] == "draining"


JSON = "application/json"


@pytest.mark.parametrize(
    ("body", "content_type", "code", "blamed"),
    [
        ({"address": "127.0.0.9:9"}, JSON, 404, "127.0.0.9:9 is not registered"),
        ({"address": A, "service": "nobodys"}, JSON, 404, A),
        ({"address": "no host"}, JSON, 400, "'no host'"),
        ({"address": "\ud800\n:1"}, JSON, 400, "\\ud800\\n"),
        ({"address": A, "service": "a/b"}, JSON, 400, "'a/b'"),
        ({"address": A, "service": 7}, JSON, 400, "7"),
        ({"address": 7}, JSON, 400, "7"),
        ({"adress": A}, JSON, 400, "adress"),
        ({"address": A, "undo": True}, JSON, 400, "undo"),
        ([A], JSON, 400, A),
        (None, JSON, 400, "None"),
        ("{nonsense", JSON, 400, "{nonsense"),
        ("[" * 60_000, JSON, 400, "[["),
        ("\xff\n", JSON, 400, r"\n"),
        ({"address": A}, "text/plain", 415, "text/plain"),
        ({"address": A}, "application/x-www-form-urlencoded", 415, "form"),
        ("x" * 70_000, JSON, 413, "65536"),
    ],
)
async def test_a_bad_request_is_one_line_with_what_is_bad_and_changes_nothing(
    body: Any, content_type: str, code: int, blamed: str
) -> None:
    async with opened() as (balancer, door), asking(door) as asks:
        await register(balancer, A)
        before = await told(balancer)
        data = body if isinstance(body, str) else json.dumps(body)
        async with asks.post(
            "/api/drain", data=data.encode("latin-1"), headers={"Content-Type": content_type}
        ) as answer:
            words = (await answer.json())["error"]
        assert (answer.status, len(words.splitlines())) == (code, 1)
        assert blamed in words
        assert len(words) <= 500
        assert await told(balancer) == before


async def test_what_is_not_there_and_what_is_not_done_there_say_so() -> None:
    async with opened() as (_, door), asking(door) as asks:
        async with asks.get("/nothing") as answer:
            assert (answer.status, "error" in await answer.json()) == (404, True)
        async with asks.get("/api/drain") as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")
