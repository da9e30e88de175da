import asyncio
import socket
import time
from collections import Counter

import pytest
from loads import one_task, run, settings

from lbsuite.errors import Unreachable
from lbsuite.wire import client, messages
from scripted import fleet, refuse
from waiting import eventually


def nobody() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED"])
async def test_what_a_backend_cannot_take_now_is_tried_again_on_another(code: str) -> None:
    async with fleet(2) as balancer:
        bad, good = balancer.backends
        bad.script = refuse(code)
        balancer.script = lambda request: None if request.exclude else bad.address
        result = await run(one_task(balancer))
        assert (result.requests, result.lost, result.attempts, result.first_attempts_failed) == (1, 0, 2, 1)
        assert result.refused == (code == "RESOURCE_EXHAUSTED")
        assert [list(request.exclude) for request in balancer.requests] == [[], [bad.address]]
        assert result.requests_per_endpoint == {good.address: 1, bad.address: 0}


async def test_a_backend_that_is_gone_costs_an_attempt_and_no_task() -> None:
    async with fleet(2) as balancer:
        await balancer.backends[0].stop()
        result = await run(settings(balancer, clients=2, connections="per-task"))
        assert result.lost == 0
        assert result.attempts == result.requests + result.first_attempts_failed > result.requests


async def test_a_task_is_sent_three_times_at_most() -> None:
    async with fleet(5) as balancer:
        for backend in balancer.backends:
            backend.script = refuse("UNAVAILABLE")
        result = await run(one_task(balancer))
        assert (result.attempts, result.lost, result.errors) == (3, 1, {"UNAVAILABLE": 1})
        assert [len(request.exclude) for request in balancer.requests] == [0, 1, 2]
        assert result.attempts_per_task == 3


async def test_when_everything_fails_trying_again_stays_within_its_budget() -> None:
    async with fleet(4) as balancer:
        for backend in balancer.backends:
            backend.script = refuse("UNAVAILABLE")
        result = await run(settings(balancer, clients=40, duration_s=1.0))
        assert result.lost == result.requests >= 40
        assert result.attempts - result.requests <= 0.1 * (result.requests + 40) + 10 * (result.duration_s + 1)


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "INTERNAL", "DEADLINE_EXCEEDED", "UNKNOWN"])
async def test_other_errors_are_not_tried_again_and_are_counted_by_code(code: str) -> None:
    async with fleet(2) as balancer:
        for backend in balancer.backends:
            backend.script = refuse(code)
        result = await run(one_task(balancer))
        assert (result.attempts, result.lost, result.errors, result.latency.count) == (1, 1, {code: 1}, 0)


async def test_a_wrong_answer_is_a_lost_task() -> None:
    async with fleet(1) as balancer:
        balancer.backends[0].script = lambda task: "6766"
        result = await run(one_task(balancer))
        assert (result.requests, result.lost, result.wrong, result.errors) == (1, 1, 1, {"WRONG_ANSWER": 1})


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED"])
async def test_asking_a_balancer_that_has_nobody_is_no_attempt_and_waits(code: str) -> None:
    async with fleet(1) as balancer:
        asked = Counter[str]()

        def nobody_at_first(request: messages.BalanceRequest) -> None:
            asked["times"] += 1
            if asked["times"] <= 4:
                refuse(code)()

        balancer.script = nobody_at_first
        result = await run(one_task(balancer))
        assert (result.requests, result.lost, result.attempts, result.waits) == (1, 0, 1, 4)
        assert result.latency.max_s > 4 * 0.08


async def test_a_task_without_an_endpoint_is_lost_when_its_time_is_over() -> None:
    async with fleet(1) as balancer:
        balancer.script = refuse("RESOURCE_EXHAUSTED")
        result = await run(one_task(balancer, timeout_s=0.6))
        assert (result.lost, result.attempts, result.errors) == (1, 0, {"RESOURCE_EXHAUSTED": 1})
        assert result.duration_s < 5


async def test_an_exclusion_is_given_up_where_there_is_no_other_endpoint() -> None:
    async with fleet(1) as balancer:
        fails = iter([True])

        def once(task: str) -> None:
            if next(fails, False):
                refuse("UNAVAILABLE")()

        balancer.backends[0].script = once
        result = await run(one_task(balancer))
        assert (result.lost, result.attempts, result.waits) == (0, 2, 1)


async def test_a_backend_that_never_answers_is_given_up_at_the_deadline() -> None:
    async with fleet(1) as balancer:
        balancer.backends[0].script = lambda task: asyncio.sleep(60)
        begun = time.monotonic()
        result = await run(one_task(balancer, timeout_s=0.5))
        assert result.errors == {"DEADLINE_EXCEEDED": 1}
        assert time.monotonic() - begun < 10


async def test_the_last_tasks_are_waited_for() -> None:
    async with fleet(1) as balancer:
        begun = asyncio.Event()

        async def slow(task: str) -> str:
            begun.set()
            await asyncio.sleep(0.5)
            return "6765"

        balancer.backends[0].script = slow
        result = await run(settings(balancer, clients=3, duration_s=0.1))
        assert (result.requests, result.lost) == (3, 0)
        assert result.duration_s >= 0.5


async def test_the_next_balancer_is_asked_when_one_is_gone() -> None:
    async with fleet(1) as first, fleet(1) as second:
        going = asyncio.create_task(run(settings(first, second, duration_s=1.0)))
        await eventually(lambda: len(first.requests) > 0)
        assert not second.requests
        await first.stop()
        result = await going
        assert result.lost == 0
        assert second.requests


async def test_a_balancer_that_has_nobody_sends_callers_on_to_the_next_one() -> None:
    async with fleet(1) as first, fleet(1) as second:
        first.script = refuse("UNAVAILABLE")
        result = await run(settings(first, second))
        assert (result.lost, result.waits) == (0, 0)
        assert 1 <= len(first.requests) <= 4


async def test_a_balancer_that_comes_back_is_asked_again() -> None:
    async with fleet(1) as balancer:
        going = asyncio.create_task(run(settings(balancer, duration_s=1.5, timeout_s=20)))
        await eventually(lambda: len(balancer.requests) > 0)
        await balancer.stop()
        await asyncio.wait((going,), timeout=0.3)
        asked = len(balancer.requests)
        await balancer.start()
        result = await going
        assert result.lost == 0
        assert result.waits > 0
        assert len(balancer.requests) > asked


async def test_a_balancer_that_is_not_there_yet_is_waited_for() -> None:
    async with fleet(1) as balancer:
        await balancer.stop()
        going = asyncio.create_task(run(settings(balancer)))
        await asyncio.wait((going,), timeout=0.2)
        await balancer.start()
        assert (await going).lost == 0


async def test_no_balancer_at_all_is_unreachable() -> None:
    first, second = nobody(), nobody()
    with pytest.raises(Unreachable, match=f"no balancer answered within 0.5 s \\({first}, {second}\\)"):
        await run(settings(first, second, timeout_s=0.5))


async def test_a_pick_that_is_no_address_is_not_dialled() -> None:
    async with fleet(1) as balancer:
        balancer.script = lambda request: "unix:/etc/passwd"
        result = await run(one_task(balancer))
        assert (result.lost, result.attempts, result.errors) == (1, 0, {"INTERNAL": 1})


async def test_a_run_that_is_stopped_before_any_balancer_answers_ends_at_once() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.2, stop.set)
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        async with asyncio.timeout(5):
            result = await client.run(client.ClientSettings(balancers=(address,)), stop=stop)
        assert (result.requests, result.lost) == (0, 0)
