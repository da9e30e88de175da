"""Ends of tasks, for the policies that go by them."""

from collections import Counter

from lbsuite import _core


def ended(engine: _core.Engine, address: str, now: float, latency_s: float, *, failed: bool = False) -> None:
    """A task of this endpoint ends; at one moment, so that nothing is in flight before and after."""
    others = [e.address for e in engine.endpoints(now) if e.address != address]
    engine.done(engine.pick(now, exclude=others), now, latency_s=latency_s, error="broken" if failed else None)


def chosen(engine: _core.Engine, now: float = 0.0) -> set[str | None]:
    return {engine.pick_address(now) for _ in range(20)}


def picked_where_one_fails(engine: _core.Engine, bad: str, a_second: int, picks: int = 3000) -> Counter[str]:
    """Tasks take 50 ms, but that those of a bad endpoint fail within 1 ms."""
    counts: Counter[str] = Counter()
    running: list[tuple[float, _core.Pick]] = []
    for step in range(picks):
        now = step / a_second
        for ends, pick in [task for task in running if task[0] <= now]:
            failed = pick.endpoint == bad
            engine.done(pick, ends, latency_s=0.001 if failed else 0.05, error="broken" if failed else None)
        running = [task for task in running if task[0] > now]
        pick = engine.pick(now)
        counts[pick.endpoint] += 1
        running.append((now + (0.001 if pick.endpoint == bad else 0.05), pick))
    return counts
