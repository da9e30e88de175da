import asyncio
import time
from dataclasses import replace

import pytest
from loads import one_task, run, settings

from lbsuite.wire import messages, tasks
from lbsuite.wire.client import ClientSettings
from scripted import fleet
from waiting import eventually


@pytest.mark.parametrize("connections", ["keep", "per-task"])
async def test_every_caller_asks_runs_one_task_and_asks_again(connections: str) -> None:
    async with fleet(3) as balancer:
        result = await run(settings(balancer, connections=connections))
        sent = {backend.address: len(backend.tasks) for backend in balancer.backends}
        assert result.requests_per_endpoint == sent
        assert result.requests == result.attempts == result.latency.count == len(balancer.requests) > 12
        assert (result.lost, result.wrong, result.waits, result.refused, result.errors) == (0, 0, 0, 0, {})
        assert all(1 <= result.peak_tasks[address] <= 4 for address in sent)
        assert 0 < sum(result.mean_tasks.values()) <= 4


async def test_kept_connections_are_one_a_backend_and_per_task_ones_are_never_used_twice() -> None:
    async with fleet(2) as balancer:
        await run(settings(balancer, connections="keep"))
        assert [len(set(backend.peers)) for backend in balancer.backends] == [1, 1]
        for backend in balancer.backends:
            backend.peers.clear()
        await run(settings(balancer, connections="per-task"))
        for backend in balancer.backends:
            assert len(set(backend.peers)) == len(backend.peers) > 1


async def test_the_token_of_a_pick_goes_to_the_backend_with_its_task() -> None:
    async with fleet(1) as balancer:
        result = await run(settings(balancer, clients=1))
        assert balancer.backends[0].tokens == [str(number + 1) for number in range(result.requests)]


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        (None, {}),
        ("pick_first", {"strategy": messages.PICK_FIRST}),
        ("round_robin", {"strategy": messages.ROUND_ROBIN}),
        ("least_load", {"strategy": messages.LEAST_LOAD}),
        ("two_choices", {"policy": "two_choices"}),
        ("least_load:choices=3", {"policy": "least_load:choices=3"}),
    ],
)
async def test_a_strategy_of_the_enum_goes_there_another_policy_by_name_and_none_is_not_said(strategy, said) -> None:
    async with fleet(1) as balancer:
        await run(one_task(balancer, strategy=strategy, service="other"))
        assert balancer.requests == [messages.BalanceRequest(service="other", **said)]
        assert balancer.requests[0].HasField("strategy") == ("strategy" in said)


async def test_an_open_loop_starts_its_tasks_whatever_becomes_of_them() -> None:
    async with fleet(2) as balancer:
        release = asyncio.Event()

        async def hold(task: str) -> str:
            await release.wait()
            return "6765"

        for backend in balancer.backends:
            backend.script = hold
        going = asyncio.create_task(run(settings(balancer, rate=40.0, arrivals="uniform", duration_s=0.5)))
        await eventually(lambda: sum(len(backend.tasks) for backend in balancer.backends) == 20)
        release.set()
        result = await going
        assert (result.requests, result.lost) == (20, 0)
        assert sum(result.peak_tasks.values()) == 20


async def test_an_open_loop_measures_from_the_intended_start() -> None:
    async with fleet(1) as balancer:

        async def stall_the_loop(task: str) -> str:
            time.sleep(0.3)  # noqa: ASYNC251 - the callers' loop is what is meant to stand still
            return "6765"

        balancer.backends[0].script = stall_the_loop
        result = await run(settings(balancer, rate=20.0, arrivals="uniform", duration_s=0.3))
        assert result.requests == 6
        # Tasks 2 to 6 were due while the first one stood in the way of everything.
        assert result.latency.quantile(0.5) > 0.6


@pytest.mark.parametrize("connections", ["keep", "per-task"])
async def test_a_run_that_is_stopped_reports_what_was_done(connections: str) -> None:
    async with fleet(2) as balancer:
        stuck = balancer.backends[0]
        stuck.script = lambda task: asyncio.sleep(60)
        stop = asyncio.Event()
        going = asyncio.create_task(
            run(settings(balancer, connections=connections, duration_s=60, timeout_s=60), stop=stop)
        )
        await eventually(lambda: all(len(backend.tasks) >= 2 for backend in balancer.backends))
        stop.set()
        result = await going
        assert result.requests == result.requests_per_endpoint[balancer.backends[1].address] >= 1
        assert result.lost == 0
        assert result.duration_s < 20


async def test_progress_is_told_every_second_and_at_the_end() -> None:
    async with fleet(1) as balancer:
        told: list[tuple[int, float]] = []
        result = await run(
            settings(balancer, duration_s=1.2),
            progress=lambda so_far: told.append((so_far.requests, so_far.duration_s)),
        )
        assert len(told) == 2
        assert told[-1][0] == result.requests


async def test_an_endpoint_that_gets_nothing_stands_in_the_result() -> None:
    async with fleet(3) as balancer:
        first = balancer.backends[0].address
        balancer.script = lambda request: first
        result = await run(settings(balancer))
        assert sorted(result.requests_per_endpoint) == sorted(backend.address for backend in balancer.backends)
        assert result.jain == pytest.approx(1 / 3)


@pytest.mark.parametrize(("cost", "said"), [(1, 0), (8, 8), (None, 20)])
async def test_each_request_says_what_its_task_costs(cost: int | None, said: int) -> None:
    async with fleet(1) as balancer:
        await run(one_task(balancer, task="sleep:0.02", cost=cost))
        assert [request.cost for request in balancer.requests] == [said]


async def test_tasks_of_a_mix_cost_what_each_takes_and_as_much_when_tried_again() -> None:
    async with fleet(2) as balancer:
        await run(settings(balancer, task="mix:exp:0.05", cost=None, clients=1))
        asked = [request.cost or 1 for request in balancer.requests]
        assert asked == [tasks.cost(f"mix:exp:0.05:seed={seed}") for seed in range(len(asked))]
        assert len(set(asked)) > 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"balancers": ("here",)}, "not HOST:PORT: 'here'"),
        ({"balancers": ()}, "neither a balancer nor an etcd"),
        ({"clients": 0}, "clients is not above 0: 0"),
        ({"rate": -1.0}, "rate is not above 0: -1.0"),
        ({"duration_s": float("inf")}, "duration_s is not above 0: inf"),
        ({"timeout_s": float("nan")}, "timeout_s is not above 0: nan"),
        ({"strategy": "best"}, "best"),
        ({"task": "fib:-1"}, "not a whole number n in 0..93: '-1'"),
        ({"cost": 0}, "cost out of 1..4294967295: 0"),
        ({"arrivals": "daily"}, "arrivals is not one of poisson, uniform: 'daily'"),
        ({"connections": "some"}, "connections is not one of keep, per-task: 'some'"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_the_value(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(ClientSettings(balancers=("127.0.0.1:50050",)), **change)
