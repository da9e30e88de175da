"""When a backend reports: what callers may wait for goes first."""

import time

import pytest

from lbsuite.wire import messages
from lbsuite.wire.joining.limiter import Limiter, Slot
from lbsuite.wire.joining.reporter import Reporter
from waiting import eventually


def busy(limit: int) -> tuple[Reporter, list[Slot]]:
    """A backend with two tasks."""
    reporter = Reporter(messages.ServerInfo(address="127.0.0.1:1"), Limiter(limit), 60.0)
    return reporter, [slot for _ in range(2) if (slot := reporter.limiter.begin(1 << 32, time.monotonic()))]


@pytest.mark.parametrize("ends", [1, 2], ids=["one slot", "two at once"])
async def test_a_slot_that_is_free_where_none_was_is_told_before_one_where_there_was_room(ends: int) -> None:
    told: list[tuple[str, int]] = []
    roomy, full = busy(3), busy(2)
    for name, (reporter, _) in (("roomy", roomy), ("full", full)):
        reporter.report()
        reporter.observe = lambda load, name=name: told.append((name, load.load))  # type: ignore[misc]
    for reporter, _ in (roomy, full):
        reporter.report()
    told.clear()
    for reporter, slots in (roomy, full):
        for slot in slots[:ends]:
            reporter.limiter.end(slot, time.monotonic())
    await eventually(lambda: len(told) == 2)
    assert told == [("full", 2 - ends), ("roomy", 2 - ends)]
    for reporter, _ in (roomy, full):
        await reporter.close()
