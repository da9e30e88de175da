"""A random walk over all that an engine can be told, beside its plain twin: they agree at every step."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from lbsuite import _core
from oracle import Engine as Twin
from oracle import Report

ADDRESSES = st.sampled_from([f"127.0.0.1:{port}" for port in range(4001, 4008)])
SPECS = [
    *(name for name in _core.policies() if name != "least_load"),
    "least_load:choices=all",
    "least_load:choices=3",
    "prequal:probes=1.5,q_rif=1,removes=0.5,pool=3,reuses=3",
    "weighted_round_robin:weights=reports,blackout_s=0.3,expiry_s=4,update_s=0.1,penalty=2",
    "pid_weights:kp=0.3,ki=0.2,kd=0.1,update_s=0.1",
    "hashed:bound=110",
    "hashed:kind=maglev,bound=150,table=67",
    "affinity_x_load:bias=2",
]
COUNTS = st.integers(0, 30)
# What an endpoint may say of itself.
REPORTS = {
    "tasks": st.integers(0, 4),
    "limit": st.none() | st.integers(0, 4),
    "cpu": st.floats(0, 1.5),
    "available": st.booleans() | st.just(True),
    "draining": st.just(False) | st.booleans(),
    "interval_s": st.sampled_from([0.0, 0.5]),
    "prompt_s": st.sampled_from([0.0, 0.1]),
    "begun": st.none() | st.integers(0, 12),
    "finished": st.none() | COUNTS,
    "busy_s": st.floats(0.01, 10),
    "task_s": st.floats(0, 10),
    "failed": st.integers(0, 5),
    "own_finished": COUNTS,
    "own_latency_s": st.floats(0, 100),
    "utilization": st.sampled_from([0.0, 0.3, 0.7, 1.2]),
}


class Walk(RuleBasedStateMachine):
    spec: str
    accounting: str

    def __init__(self) -> None:
        super().__init__()
        self.engine = _core.Engine(self.spec, seed=5, accounting=self.accounting)
        self.twin = Twin(self.engine.policy, seed=5, accounting=self.accounting)
        self.now = 100.0
        self.open: list[_core.Pick] = []
        self.costs: dict[int, int] = {}  # by a pick's sequence

    @rule(seconds=st.sampled_from([0.0, 0.003, 0.09, 0.4, 1.1, 6.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(
        address=ADDRESSES,
        weight=st.integers(1, 3),
        limit=st.integers(0, 4),
        order=st.none() | st.integers(1, 3),
        lease_s=st.sampled_from([0.0, 2.0]),
    )
    def join(self, address: str, weight: int, limit: int, order: int | None, lease_s: float) -> None:
        fresh = address not in self.twin.members
        joined = self.engine.join(address, self.now, weight=weight, limit=limit, order=order, lease_s=lease_s)
        assert joined == fresh
        self.twin.join(address, self.now, weight, limit, order, lease_s)

    @rule(address=ADDRESSES)
    def leave(self, address: str) -> None:
        assert self.engine.leave(address, self.now) == (address in self.twin.members)
        self.twin.leave(address, self.now)
        self.open = [pick for pick in self.open if pick.endpoint != address]

    @rule(address=ADDRESSES, said=st.fixed_dictionaries(REPORTS), failed=st.integers(0, 30))
    def report(self, address: str, said: dict[str, Any], failed: int) -> None:
        said["own_failed"] = min(failed, said["own_finished"])
        assert self.engine.report(address, self.now, **said) == (address in self.twin.members)
        self.twin.report(address, self.now, Report(**said))

    @rule(address=ADDRESSES, tasks=st.integers(0, 5), latency_s=st.floats(0, 2))
    def probed(self, address: str, tasks: int, latency_s: float) -> None:
        told = self.engine.probed(address, self.now, tasks=tasks, latency_s=latency_s)
        assert told == (address in self.twin.members)
        self.twin.probed(address, self.now, tasks, latency_s)

    @rule(count=st.integers(1, 4))
    def pickers(self, count: int) -> None:
        self.engine.pickers(count, self.now)
        self.twin.pickers, self.twin.now = count, max(self.now, self.twin.now)

    @rule(address=ADDRESSES, undo=st.booleans())
    def drain(self, address: str, undo: bool) -> None:
        assert self.engine.drain(address, self.now, undo=undo) == (address in self.twin.members)
        self.twin.drain(address, self.now, undo)

    @rule(address=ADDRESSES, lost=st.booleans())
    def connection(self, address: str, lost: bool) -> None:
        (self.engine.lost if lost else self.engine.reached)(address, self.now)
        self.twin.connection(address, self.now, lost)

    @rule(
        exclude=st.lists(ADDRESSES, max_size=2),
        key=st.sampled_from([b"", b"a", b"bb", b"ccc"]),
        cost=st.integers(1, 3),
        times=st.integers(1, 6),
    )
    def pick(self, exclude: list[str], key: bytes, cost: int, times: int) -> None:
        for _ in range(times):
            expected = self.twin.pick(self.now, exclude, key, cost)
            pick = self.engine.pick(self.now, key=key, cost=cost, exclude=exclude)
            assert (pick.endpoint if pick else None) == expected
            if pick:
                self.open.append(pick)
                self.costs[pick.sequence] = cost

    @rule()
    def probes(self) -> None:
        assert [e.address for e in self.engine.effects() if e.kind == "probe"] == self.twin.probes()

    @rule(which=st.integers(0, 10), latency_s=st.floats(0, 2), failed=st.booleans())
    def done(self, which: int, latency_s: float, failed: bool) -> None:
        if self.accounting == "done" and self.open:
            pick = self.open.pop(which % len(self.open))
            self.engine.done(pick, self.now, latency_s=latency_s, error="it broke" if failed else None)
            self.engine.done(pick, self.now)  # a second end is ignored
            self.twin.done(pick.endpoint, self.now, latency_s, failed, self.costs.pop(pick.sequence))

    @rule()
    def expire(self) -> None:
        gone = {e.address for e in self.twin.members.values() if max(self.now, self.twin.now) >= e.lease_until}
        self.engine.expire(self.now)
        self.twin.expire(self.now)
        self.open = [pick for pick in self.open if pick.endpoint not in gone]

    @invariant()
    def agree(self) -> None:
        endpoints = self.engine.endpoints(self.now)
        twins = self.twin.in_order()
        now = max(self.now, self.twin.now)
        assert [e.address for e in endpoints] == [e.address for e in twins]
        assert [e.tasks for e in endpoints] == [e.tasks for e in twins]
        mean_cost = self.twin.costs.mean
        assert [e.work for e in endpoints] == pytest.approx([e.work(mean_cost) for e in twins])
        assert self.engine.ready(self.now) == [e.address for e in twins if e.up and not e.full]
        if self.accounting == "reported":
            assert [e.estimate for e in endpoints] == pytest.approx([e.estimate(now) for e in twins], abs=1e-6)


@pytest.mark.parametrize("accounting", ["done", "reported"])
@pytest.mark.parametrize("spec", SPECS)
def test_the_engine_agrees_with_its_plain_twin_at_every_step(spec: str, accounting: str) -> None:
    machine = type("ThisWalk", (Walk,), {"spec": spec, "accounting": accounting})
    health = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40, stateful_step_count=50, deadline=None, derandomize=True, suppress_health_check=health
        ),
    )
