"""What readers of a placement's steps are told, and what one that does not read costs."""

import asyncio
import random

import pytest

from lbsuite.errors import LbsuiteError
from lbsuite.placement.steps import MOST_UNREAD, Step, Steps


def walk(steps: int, rng: random.Random) -> tuple[list[Step], set[int]]:
    """Steps as a member would hear them, and what it owns in the end."""
    owned: set[int] = set()
    told = []
    for revision in range(1, steps + 1):
        gained = tuple(sorted(rng.sample(sorted(set(range(50)) - owned), min(5, 50 - len(owned)))))
        lost = tuple(sorted(rng.sample(sorted(owned), min(4, len(owned)))))
        owned = (owned - set(lost)) | set(gained)
        told.append(Step(revision, revision * 7, 9, 9, gained, lost))
    return told, owned


def applied(steps: list[Step]) -> set[int]:
    owned: set[int] = set()
    for step in steps:
        assert owned.isdisjoint(step.gained)
        assert owned >= set(step.lost)
        owned = (owned - set(step.lost)) | set(step.gained)
    return owned


@pytest.mark.parametrize("seed", range(20))
def test_several_steps_in_one_say_the_same(seed: int) -> None:
    rng = random.Random(seed)
    told, owned = walk(100, rng)
    while len(told) > 1:
        at = rng.randrange(len(told) - 1)
        told[at : at + 2] = [told[at].then(told[at + 1])]
        assert applied(told) == owned
    assert (told[0].revision, told[0].digest, told[0].moved, told[0].minimum) == (100, 700, 900, 900)


async def test_who_does_not_read_keeps_no_more_than_so_many_steps() -> None:
    steps, (told, owned) = Steps(), walk(3 * MOST_UNREAD, random.Random(1))
    reader = steps.read(lambda: Step(0, 0))
    assert await anext(reader) == Step(0, 0)
    for step in told:
        steps.tell(step)
    steps.end()
    heard = [step async for step in reader]
    assert len(heard) == MOST_UNREAD
    assert applied(heard) == owned
    assert heard[-1].revision == told[-1].revision
    assert sum(step.moved for step in heard) == sum(step.moved for step in told)


async def test_readers_hear_what_the_steps_ended_with() -> None:
    steps = Steps()
    reading = asyncio.ensure_future(anext(reader := steps.read(lambda: Step(0, 0))))
    await reading
    waiting = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)
    steps.end(LbsuiteError("broken"))
    with pytest.raises(LbsuiteError, match="broken"):
        await waiting
    steps.end()
    with pytest.raises(LbsuiteError, match="broken"):
        [step async for step in steps.read(lambda: Step(0, 0))]
