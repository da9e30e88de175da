"""Threads at one engine whose policy is written in Python: `python_policy_threads.py ROSTER`; fails, or hangs, if they
get in each other's way."""

import contextlib
import functools
import itertools
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


class Fleet:
    """An engine that is recorded, and what threads do to it over and over."""

    def __init__(self, roster: str) -> None:
        self.policy = Busy()
        self.engine = lbsuite.Engine(self.policy, roster)
        self.recording = lbsuite.record(self.engine)
        self.start = time.monotonic()
        for address in ADDRESSES:
            self.engine.join(address, self.start, limit=50)
        self.native = lbsuite.Engine("random", native=True)
        self.native_recording = lbsuite.record(self.native)
        self.picks = itertools.count()
        self.failures: list[BaseException] = []

    def pick(self, lane: int) -> None:
        policy = (None, "two_choices", self.policy)[next(self.picks) % 3]
        found = self.engine.pick(time.monotonic(), lane=lane, policy=policy)
        self.engine.pick_address(time.monotonic())
        if found:
            assert found.endpoint
            self.engine.done(found, time.monotonic(), latency_s=0.001)

    def pick_native(self) -> None:
        self.native.pick_address(time.monotonic())

    def be_refused(self) -> None:
        with contextlib.suppress(ValueError):
            self.native.switch(Busy(), time.monotonic())

    def report(self) -> None:
        for address in ADDRESSES:
            self.engine.report(address, time.monotonic(), interval_s=60.0)

    def change(self) -> None:
        now = time.monotonic()
        self.engine.join("127.0.0.1:4999", now)
        self.engine.expire(now)
        self.engine.endpoints(now)
        assert self.engine.policy
        self.engine.shadow(self.policy, now)
        self.engine.leave("127.0.0.1:4999", now)

    def keep_on(self, work: Callable[[], None]) -> None:
        try:
            while time.monotonic() < self.start + FOR_S:
                work()
        except BaseException as failure:
            self.failures.append(failure)


def main(roster: str) -> None:
    sys.setswitchinterval(1e-5)
    fleet = Fleet(roster)
    lanes = (0, 0, fleet.engine.lane(), fleet.engine.lane())
    works = [*(functools.partial(fleet.pick, lane) for lane in lanes), fleet.report, fleet.change]
    works += [fleet.pick_native, fleet.be_refused]
    threads = [threading.Thread(target=fleet.keep_on, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "threads wait for each other"
    assert not fleet.failures, fleet.failures
    assert fleet.policy.ends > 0
    assert fleet.policy.reports > 0
    assert {e.tasks for e in fleet.engine.endpoints(time.monotonic())} == {0}
    assert len(fleet.recording) > 100


if __name__ == "__main__":
    main(sys.argv[1])
