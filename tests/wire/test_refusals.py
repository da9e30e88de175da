"""What a service tells callers whom its stages turn away, and what the client makes of it."""

import grpc
import pytest
from loads import one_task, run

from lbsuite.wire import messages
from lbsuite.wire.balancer import BalancerSettings
from lbsuite.wire.client import ClientSettings
from lbsuite.wire.refusal import PUSHBACK, is_final
from lookaside import Caller, refusal, serving
from scripted import Backend, fleet, refuse

FULL = grpc.StatusCode.RESOURCE_EXHAUSTED
A = "127.0.0.1:7001"


async def pushback(caller: Caller, **fields: int) -> tuple[str | None, bool]:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await caller.pick(**fields)
    return dict(raised.value.trailing_metadata() or ()).get(PUSHBACK), is_final(raised.value)


async def test_what_matters_less_is_shed_first_and_told_so() -> None:
    async with serving(BalancerSettings(stages=("total_limit:kind=fixed,limit=10",))) as (_, caller):
        await caller.register(A)
        assert await caller.picks(8, priority=2) == [A] * 8
        code, words = await refusal(caller.pick(priority=2))
        assert (code, "limit for priority 2" in words) == (FULL, True)
        assert await pushback(caller, priority=2) == (None, False)
        assert await caller.picks(2) == [A] * 2
        assert (await refusal(caller.pick()))[0] is FULL


async def test_a_retry_beyond_the_budget_is_told_not_to_ask_again() -> None:
    async with serving(BalancerSettings(stages=("retry_budget:per_s=0.2",))) as (_, caller):
        await caller.register(A)
        assert await caller.picks(2, attempt=1) == [A] * 2
        code, words = await refusal(caller.pick(attempt=1))
        assert (code, "budget of retries" in words) == (FULL, True)
        assert await pushback(caller, attempt=1) == ("-1", True)
        assert (await caller.pick()).address == A


async def test_the_client_says_which_attempt_it_is_and_how_much_it_matters() -> None:
    async with fleet(3) as balancer:
        for backend in balancer.backends[:2]:
            backend.script = refuse("UNAVAILABLE")
        balancer.script = lambda request: balancer.backends[request.attempt].address
        result = await run(one_task(balancer, priority=3))
        assert (result.lost, result.attempts) == (0, 3)
        assert [(request.attempt, request.priority) for request in balancer.requests] == [(0, 3), (1, 3), (2, 3)]


async def test_the_client_gives_up_a_task_whose_retry_is_beyond_the_budget() -> None:
    async with serving(BalancerSettings(stages=("retry_budget:per_s=0,share=0",))) as (_, caller), Backend() as backend:
        backend.script = refuse("UNAVAILABLE")
        await caller.register(backend.address)
        result = await run(one_task(caller.address, timeout_s=60))
        assert (result.attempts, result.waits, result.errors) == (1, 0, {"RESOURCE_EXHAUSTED": 1})
        assert result.duration_s < 20


@pytest.mark.parametrize("priority", [-1, 101])
def test_a_priority_out_of_bounds_is_refused(priority: int) -> None:
    with pytest.raises(ValueError, match=str(priority)):
        ClientSettings(balancers=(A,), priority=priority)


def test_what_says_nothing_of_trying_again_is_not_final() -> None:
    nothing = grpc.aio.Metadata()
    assert not is_final(grpc.aio.AioRpcError(FULL, nothing, nothing, ""))
    assert not is_final(grpc.aio.AioRpcError(FULL, nothing, grpc.aio.Metadata((PUSHBACK, "50")), ""))
    assert messages.BalanceRequest().attempt == 0
