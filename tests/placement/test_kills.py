"""Member processes that are killed and come back in groups."""

import asyncio
import random

import pytest
from member_processes import Members


@pytest.mark.parametrize(
    ("count", "rounds", "group"),
    [(5, 3, 2), pytest.param(20, 10, 5, marks=pytest.mark.slow)],
)
async def test_survivors_agree_at_every_revision(etcd: str, count: int, rounds: int, group: int) -> None:
    members, rng = Members(etcd, f"kills{count}", count), random.Random(count)
    everyone, told = set(members.addresses), members.told
    try:
        await asyncio.gather(*map(members.start, members.addresses))
        await told.until_live(everyone, count)
        for _ in range(rounds):
            victims = rng.sample(members.addresses, group)
            await asyncio.gather(*map(members.kill, victims))
            await told.until_live(everyone - set(victims), count - group)
            await asyncio.gather(*map(members.start, victims))
            await told.until_live(everyone, count)
    finally:
        await members.end()
    assert {len(digests) for digests in told.digests.values()} == {1}
    assert max(told.digests) >= 2 * rounds
    assert sum(moved for moved, _ in told.moves.values()) == sum(minimum for _, minimum in told.moves.values()) > 0
