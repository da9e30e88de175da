"""Threads at one engine whose policy is written in Python: `python_policy_threads.py ROSTER`; fails, or hangs, if they
get in each other's way."""

import sys
import threading
import time
from collections.abc import Callable

import lbsuite

ADDRESSES = [f"127.0.0.1:{port}" for port in range(4001, 4006)]
FOR_S = 1.0


class Busy(lbsuite.Policy):
    """Counts what it hears, slowly enough to be interrupted."""

    def __init__(self) -> None:
        self.ends = self.reports = 0

    def pick(self, view, request, rng):
        return min(range(len(view)), key=lambda i: (view[i].tasks, rng.random()), default=None)

    def done(self, address, count, failed, latency_s, now):
        self.ends += count

    def report(self, address, report, now):
        self.reports += 1


def main(roster: str) -> None:
    sys.setswitchinterval(1e-5)
    policy = Busy()
    engine = lbsuite.Engine(policy, roster)
    recording = lbsuite.record(engine)
    start = time.monotonic()
    for address in ADDRESSES:
        engine.join(address, start, limit=50)
    picked = [0] * 4
    failures: list[BaseException] = []

    def pick(lane: int) -> None:
        found = engine.pick(time.monotonic(), lane=lane, policy=(None, "two_choices", policy)[picked[lane] % 3])
        engine.pick_address(time.monotonic())
        if found:
            picked[lane] += 1
            engine.done(found, time.monotonic(), latency_s=0.001)

    def report() -> None:
        for address in ADDRESSES:
            engine.report(address, time.monotonic(), interval_s=60.0)

    def membership() -> None:
        now = time.monotonic()
        engine.join("127.0.0.1:4999", now)
        engine.expire(now)
        engine.endpoints(now)
        assert engine.policy
        engine.shadow(policy, now)
        engine.leave("127.0.0.1:4999", now)

    def forever(work: Callable[[], None]) -> None:
        try:
            while time.monotonic() < start + FOR_S:
                work()
        except BaseException as failure:
            failures.append(failure)

    lanes = [0, 0, engine.lane(), engine.lane()]
    works = [*(lambda lane=lane: pick(lane) for lane in lanes), report, membership]
    threads = [threading.Thread(target=forever, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "threads wait for each other"
    assert not failures, failures
    assert sum(picked) > 0
    assert policy.ends > 0
    assert policy.reports > 0
    assert {e.tasks for e in engine.endpoints(time.monotonic())} == {0}
    assert recording.lines


if __name__ == "__main__":
    main(sys.argv[1])
