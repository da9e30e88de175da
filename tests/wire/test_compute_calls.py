import asyncio
import contextlib

import grpc
import grpc.aio
import pytest

from lbsuite.wire import messages
from lbsuite.wire.compute_calls import Kept
from lbsuite.wire.dial import dial
from scripted import Backend, refuse
from waiting import eventually

TASK = messages.TaskRequest(task="fib:10")


class Closing(Kept):
    aclose = Kept.close


async def call(calls: Kept, address: str) -> str:
    async with calls.to(address) as compute:
        answer: messages.TaskResponse = await compute(TASK, timeout=20)
    return answer.result


async def test_a_connection_over_which_a_backend_was_unavailable_is_not_used_again() -> None:
    async with Backend() as backend, contextlib.aclosing(Closing()) as calls:
        await call(calls, backend.address)
        await backend.stop()
        with pytest.raises(grpc.aio.AioRpcError):
            await call(calls, backend.address)
        await backend.start()
        # At once, where a connection that was kept would still wait before it tries again.
        assert await call(calls, backend.address) == "55"
        assert len(set(backend.peers)) == 2


async def test_giving_up_a_connection_does_not_end_the_tasks_that_still_run_on_it() -> None:
    async with Backend() as backend, contextlib.aclosing(Closing()) as calls:
        release = asyncio.Event()

        async def hold(task: str) -> str:
            await release.wait()
            return "55"

        backend.script = hold
        running = asyncio.create_task(call(calls, backend.address))
        await eventually(lambda: len(backend.tasks) == 1)
        backend.script = refuse("UNAVAILABLE")
        with pytest.raises(grpc.aio.AioRpcError):
            await call(calls, backend.address)
        release.set()
        assert await running == "55"


@pytest.mark.parametrize("address", ["unix:/tmp/door", "dns:///somewhere:1", "127.0.0.1", "0.0.0.0:80", ""])
def test_only_addresses_are_dialled(address: str) -> None:
    with pytest.raises(ValueError, match=address or "not HOST"):
        dial(address)
