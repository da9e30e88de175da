"""A source's members become the engine's endpoints, whatever a registry or a resolver does in between."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from lbsuite import _core, background
from lbsuite.events import Joined
from lbsuite.proxy import follower
from lbsuite.proxy.follower import Follower
from lbsuite.proxy.health import Health
from lbsuite.proxy.settings import HealthSettings
from lbsuite.registry.memory import Memory
from waiting import eventually

ONE, TWO = "127.0.0.1:4001", "127.0.0.1:4002"


class Followed:
    def __init__(self, grace_s: float) -> None:
        self.engine = _core.Engine("round_robin")
        self.health = Health(self.engine, HealthSettings(every_s=0))
        self.source = Memory()
        self.follower = Follower(self.engine, self.health, self.source, grace_s)

    def ready(self) -> list[str]:
        return self.engine.ready(0.0)


@contextlib.asynccontextmanager
async def following(grace_s: float = 0.0) -> AsyncIterator[Followed]:
    followed = Followed(grace_s)
    task = background.start(followed.follower.run(), "what follows")
    try:
        yield followed
    finally:
        await followed.source.close()
        await asyncio.wait({task})
        await followed.health.close()


async def test_members_come_go_and_drain() -> None:
    async with following() as followed:
        followed.source.join(Joined(ONE, weight=3))
        followed.source.join(Joined(TWO))
        await eventually(lambda: followed.ready() == [ONE, TWO])
        followed.source.join(Joined(ONE, weight=3, draining=True))
        await eventually(lambda: followed.ready() == [TWO])
        assert {each.address: each.weight for each in followed.engine.endpoints(0.0)} == {ONE: 3, TWO: 1}
        followed.source.leave(ONE)
        await eventually(lambda: len(followed.engine) == 1)
        assert not followed.health.up(ONE)


async def test_a_registry_that_was_wiped_takes_nobody_who_comes_back() -> None:
    async with following(grace_s=600.0) as followed:
        followed.source.join(Joined(ONE))
        followed.source.join(Joined(TWO))
        await eventually(lambda: followed.ready() == [ONE, TWO])
        followed.health.lost(TWO)
        followed.source.leave(ONE)
        followed.source.leave(TWO)
        await eventually(lambda: len(followed.engine) == 1)
        assert followed.ready() == [ONE]
        followed.source.join(Joined(ONE, weight=2))
        await eventually(lambda: followed.engine.endpoints(0.0)[0].weight == 2)


async def test_who_does_not_come_back_in_time_leaves() -> None:
    async with following(grace_s=0.05) as followed:
        followed.source.join(Joined(ONE))
        await eventually(lambda: followed.ready() == [ONE])
        followed.source.leave(ONE)
        await eventually(lambda: len(followed.engine) == 0)


async def test_what_a_name_stands_for_may_change_and_stays_where_nobody_says(monkeypatch: pytest.MonkeyPatch) -> None:
    found: tuple[str, ...] | None = (ONE, TWO)
    asked = 0

    async def resolve(name: str) -> tuple[str, ...]:
        nonlocal asked
        asked += 1
        if found is None:
            raise ValueError(f"cannot resolve {name!r}")
        return found

    monkeypatch.setattr(follower, "resolve", resolve)
    monkeypatch.setattr(follower, "RESOLVE_EVERY_S", 0.01)
    monkeypatch.setattr(follower, "RESOLVE_AGAIN_S", 0.01)
    async with following() as followed:
        followed.source.join(Joined("service.example:80"))
        await eventually(lambda: followed.ready() == [ONE, TWO])
        assert followed.follower.listed.is_set()
        found, asked = None, 0
        await eventually(lambda: asked > 2)
        assert followed.ready() == [ONE, TWO]
        found = (TWO,)
        await eventually(lambda: followed.ready() == [TWO])
        followed.source.leave("service.example:80")
        await eventually(lambda: len(followed.engine) == 0)
