"""What a live balancer decided is replayed afterwards, pick for pick."""

import contextlib
import logging
import os
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

import lbsuite
from golden import through_python
from lbsuite.errors import LbsuiteError
from lbsuite.fleet import Lbsuite
from lbsuite.wire import recordings
from lbsuite.wire.balancer import Balancer, BalancerSettings
from lookaside import Caller, backends, serving


async def ask(caller: Caller, **request: Any) -> None:
    with contextlib.suppress(grpc.aio.AioRpcError):  # nobody may be left: that is an answer too
        await caller.pick(**request)


async def call_around(caller: Caller, addresses: list[str]) -> int:
    """Registers, reports, picks by several policies, drains and leaves; returns how many picks were asked for."""
    await caller.register(*addresses, limit=3)
    policies = ["", *lbsuite.policies()[:5]]
    for count in range(12):
        for address in addresses:
            await caller.report(address, load=count % 3, interval_ms=500)
        for policy in policies:
            await ask(caller, policy=policy, key=b"\xff", cost=2, exclude=addresses[:1])
    await caller.drain(addresses[1])
    await caller.deregister(addresses[2])
    await ask(caller)
    return 12 * len(policies) + 1


async def test_the_log_of_a_balancer_process_is_replayed_pick_for_pick(tmp_path: Path) -> None:
    process = Lbsuite("lb", ("--no-etcd", "--record", str(tmp_path / "picks.jsonl")))
    await process.start()
    try:
        async with backends(4) as started, Caller(process.address) as caller:
            asked = await call_around(caller, [backend.address for backend in started])
    finally:
        await process.kill()
    log = lbsuite.Log.load(tmp_path / "picks.default.jsonl")
    replay = lbsuite.replay(log)
    assert (len(replay.picks), replay.differing) == (asked, 0)
    assert through_python.answers(log) == replay.recorded


async def test_each_service_has_a_file_of_its_own(tmp_path: Path) -> None:
    async with serving(BalancerSettings(service="mine", record=str(tmp_path / "log"))) as (_, caller):
        other = Caller(caller.address, "theirs")
        await caller.register("127.0.0.1:4001")
        async with other:
            await other.register("127.0.0.1:4002")
            assert await other.picks(2) == ["127.0.0.1:4002"] * 2
    assert sorted(os.listdir(tmp_path)) == ["log.mine", "log.theirs"]
    assert lbsuite.replay(tmp_path / "log.theirs").picks == ["127.0.0.1:4002"] * 2


async def test_callers_cannot_fill_the_disk_with_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recordings, "MAX_LOGS", 2)
    async with serving(BalancerSettings(record=str(tmp_path / "log"))) as (_, caller):
        for service in ("one", "two"):
            async with Caller(caller.address, service) as other:
                with caplog.at_level(logging.WARNING):
                    await other.register("127.0.0.1:4001")
                assert await other.picks(1) == ["127.0.0.1:4001"]
    assert sorted(os.listdir(tmp_path)) == ["log.default", "log.one"]
    assert "service two is not recorded" in caplog.text


async def test_a_file_that_cannot_be_written_is_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(LbsuiteError, match=r"cannot record to '.*nowhere/log\.default': No such file or directory"):
        Balancer(BalancerSettings(record=str(tmp_path / "nowhere" / "log")))
