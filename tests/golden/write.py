"""Writes the golden logs: for each policy of THE LIST, under each accounting, a seeded walk over all that an engine can
be told and asked. Run it as `PYTHONPATH=python python tests/golden/write.py [POLICY ...]`; logs that are there already
are written anew only if their policy is named, or with --all.

A log that comes out otherwise than before means that picks have changed: say why in the commit that changes it.
"""

import random
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import lbsuite
from lbsuite import _core

FOLDER = Path(__file__).parent
ADDRESSES = [f"127.0.0.1:{port}" for port in range(4001, 4009)]
KEYS = [None, "user-1", "user-2", "caf\u00e9", b"\xff\x00key"]
STEPS = 150

# What one log of the defaults would leave out.
SETTINGS: dict[str, list[str]] = {
    "least_load": ["least_load:choices=3"],
    "weighted_round_robin": ["weighted_round_robin:weights=reports,blackout_s=0.5,update_s=0.2"],
    "pid_weights": ["pid_weights:ki=0.1,kd=0.05,update_s=0.2"],
    "hashed": ["hashed:bound=125", "hashed:kind=maglev,table=251"],
}
SIGNALS = {"least_load:choices=3": "memory", "two_choices": "cpu"}


@dataclass(frozen=True)
class Case:
    """One log. others: the policies that requests name, too, and that shadow. switches: those that become the own.
    waiting: the order in which callers wait for slots, of which there are few then; empty: they do not."""

    spec: str
    accounting: str
    roster: str = "snapshot"
    others: tuple[str, ...] = ("pick_first", "least_load:choices=2", "random")
    switches: tuple[str, ...] = ()
    waiting: str = ""

    @property
    def path(self) -> Path:
        words = [
            self.spec,
            *([] if self.roster == "snapshot" else [self.roster]),
            *(["switched"] if self.switches else []),
            *(["waiting", self.waiting] if self.waiting else []),
        ]
        return FOLDER / f"{'.'.join(words).replace(':', '.').replace(',', '.')}.{self.accounting}.jsonl"


def cases() -> Iterator[Case]:
    for accounting in ("done", "reported"):
        for name in _core.policies():
            for spec in [name, *SETTINGS.get(name, [])]:
                yield Case(spec, accounting)
        for roster in _core.rosters():
            if roster != "snapshot":
                yield Case("round_robin", accounting, roster, others=("round_robin",))
        yield Case("two_choices", accounting, switches=("round_robin", "least_load:choices=all", "two_choices"))
        for order in ("fifo", "deadline", "priority"):
            yield Case("least_load", accounting, waiting=order)


class Workload:
    """Callers, endpoints and an operator of one engine, all by one seed. It tells and asks; the log is the result."""

    def __init__(self, engine: _core.Engine, case: Case, seed: int) -> None:
        self.engine, self.case, self.random = engine, case, random.Random(seed)
        self.now = 0.0
        self.open: list[_core.Pick] = []
        self.tickets: list[_core.Ticket] = []
        self.counts: dict[str, list[float]] = {address: [0, 0, 0, 0.0, 0.0] for address in ADDRESSES}
        self.lanes = [0]

    def run(self) -> None:
        for address in ADDRESSES[:5]:
            self.join(address)
        self.lanes += [self.engine.lane(), self.engine.lane()]
        acts = {
            self.pick: 60,
            self.end: 30,
            self.report: 20,
            self.change: 8,
            self.ask_only: 4,
            self.time: 4,
            self.switch: 10 if self.case.switches else 1,
            self.cancel: 10 if self.case.waiting else 0,
        }
        for act in self.random.choices(list(acts), list(acts.values()), k=STEPS):
            self.now = round(self.now + self.random.expovariate(20.0), 3)
            act()
            self.take_effects()

    def join(self, address: str) -> None:
        draw = self.random
        self.engine.join(
            address,
            self.now,
            weight=draw.choice([1, 1, 2, 5]),
            limit=draw.choice([1, 1, 2] if self.case.waiting else [0, 4, 8]),
            zone=draw.choice(["", "a"]),
            order=draw.choice([None, 7]),
            lease_s=draw.choice([0.0, 0.0, 5.0]),
        )

    def pick(self) -> None:
        draw = self.random
        pick = self.engine.pick(
            self.now,
            key=draw.choice(KEYS),
            cost=draw.choice([1, 1, 1, 3]),
            exclude=draw.sample(ADDRESSES, draw.choice([0, 0, 0, 2])),
            policy=draw.choice([None, None, None, None, *self.case.others[:2]]),
            deadline=draw.choice([None, round(self.now + 1, 3)]),
            priority=draw.choice([0, 0, 1]),
            lane=draw.choice(self.lanes),
        )
        if isinstance(pick, _core.Ticket):
            self.tickets.append(pick)
        elif pick:
            self.open.append(pick)

    def cancel(self) -> None:
        """A caller goes away, maybe one that waits no longer."""
        if self.tickets:
            self.engine.cancel(self.random.choice(self.tickets), self.now)

    def ask_only(self) -> None:
        self.engine.pick_address(self.now)
        self.engine.pick_many(2, self.now)

    def end(self) -> None:
        """One of the open tasks ends; where reports free the slots, its endpoint remembers it for its next report."""
        if not self.open:
            return
        pick = self.open.pop(self.random.randrange(len(self.open)))
        latency_s = round(self.random.expovariate(10.0) * (5 if pick.endpoint == ADDRESSES[2] else 1), 4)
        failed = self.random.random() < 0.1
        if self.case.accounting == "done":
            self.engine.done(pick, self.now, latency_s=latency_s, error="UNAVAILABLE" if failed else None)
        counts = self.counts[pick.endpoint]
        for i, more in enumerate((1, 1, failed, latency_s, latency_s)):
            counts[i] = round(counts[i] + more, 4)

    def report(self) -> None:
        draw, address = self.random, self.random.choice(ADDRESSES)
        begun, finished, failed, busy_s, latency_s = self.counts[address]
        here = sum(pick.endpoint == address for pick in self.open)
        told = {
            "begun": int(begun) + here,
            "finished": int(finished),
            "own_finished": int(finished),
            "failed": int(failed),
            "own_failed": int(failed),
            "own_latency_s": latency_s,
            "busy_s": busy_s,
            "task_s": latency_s,
        }
        self.engine.report(
            address,
            self.now,
            tasks=here + draw.choice([0, 0, 1]),
            limit=draw.choice([None, 2 if self.case.waiting else 6]),
            memory=(50 + 20 * here) << 20,
            cpu=round(here * 0.3, 2),
            available=draw.random() > 0.05,
            draining=draw.random() < 0.05,
            interval_s=draw.choice([0.0, 0.5]),
            prompt_s=draw.choice([0.0, 0.1]),
            utilization=draw.choice([0.0, round(here / 8, 3)]),
            **(told if draw.random() < 0.8 else {}),
        )

    def change(self) -> None:
        """Membership, as registries, operators and broken connections change it."""
        address = self.random.choice(ADDRESSES)
        changes = [self.engine.leave, self.engine.drain, self.undrain, self.engine.lost, self.engine.reached]
        changes += [lambda address, _: self.join(address)] * 5
        self.random.choice(changes)(address, self.now)
        if self.random.random() < 0.2:
            self.engine.pickers(self.random.randint(1, 3), self.now)

    def undrain(self, address: str, now: float) -> None:
        self.engine.drain(address, now, undo=True)

    def time(self) -> None:
        self.now = round(self.now + self.random.choice([0.01, 0.3, 1.6]), 3)
        self.engine.expire(self.now)

    def switch(self) -> None:
        """Another policy in the shadow, and in force where the case has some."""
        self.engine.shadow(self.random.choice([None, self.case.others[-1]]), self.now)
        if self.case.switches:
            self.engine.switch(self.random.choice(self.case.switches), self.now)

    def take_effects(self) -> None:
        """Answers probes, and hears what became of those who wait."""
        for effect in self.engine.effects():
            if effect.pick:
                self.open.append(effect.pick)
            if effect.kind == "probe" and self.random.random() < 0.8:
                here = sum(pick.endpoint == effect.address for pick in self.open)
                latency_s = round(0.01 * (1 + here), 4)
                self.engine.probed(effect.address, self.now, tasks=here, latency_s=latency_s)


def write(case: Case) -> None:
    signal = SIGNALS.get(case.spec, "tasks")
    waiting = {"queue_s": 0.5, "queue_tickets": 5, "queue_order": case.waiting} if case.waiting else {}
    engine = _core.Engine(case.spec, case.roster, seed=7, load=signal, accounting=case.accounting, **waiting)
    with lbsuite.record(engine, case.path):
        Workload(engine, case, zlib.crc32(case.path.name.encode())).run()


def main(words: list[str]) -> None:
    for case in cases():
        if "--all" in words or case.spec.partition(":")[0] in words or not case.path.exists():
            write(case)
            print(case.path.relative_to(FOLDER.parent.parent))


if __name__ == "__main__":
    main(sys.argv[1:])
