import asyncio

import pytest

from lbsuite import background


async def test_work_that_fails_is_told_at_once_and_work_that_is_cancelled_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> None:
        raise RuntimeError("of the work")

    async def go_on() -> None:
        await asyncio.Event().wait()

    failing, going = background.start(fail(), "the first"), background.start(go_on(), "the second")
    await asyncio.wait({failing})
    going.cancel()
    await asyncio.wait({going})
    assert [record.getMessage() for record in caplog.records] == [
        "the first has failed and goes on no more: RuntimeError('of the work')"
    ]
