"""What every policy of THE LIST promises, on every roster. A new entry of either list is tested by being there."""

from collections import Counter

from lbsuite import _core

ADDRESSES = [f"127.0.0.1:{port}" for port in range(4001, 4011)]

PAIRS = [(policy, roster) for policy in _core.policies() for roster in _core.rosters()]
RUNS = [(policy, roster) for policy, roster in PAIRS if policy == "round_robin" or roster in ("locked", "snapshot")]
REFUSED = [pair for pair in PAIRS if pair not in RUNS]


class PolicyContract:
    """Each check takes a fresh engine with this policy and this roster."""

    def __init__(self, policy: str, roster: str) -> None:
        self.policy, self.roster = policy, roster

    def engine(self, members: int = len(ADDRESSES), limit: int = 0, accounting: str = "done") -> _core.Engine:
        engine = _core.Engine(self.policy, self.roster, seed=3, accounting=accounting)
        for address in ADDRESSES[:members]:
            engine.join(address, 0.0, limit=limit)
        return engine

    def an_empty_roster_gives_none(self) -> None:
        engine = self.engine(members=0)
        assert engine.pick(1.0) is None
        assert engine.pick_address(1.0) is None
        assert len(engine.pick_many(5, 1.0)) == 0
        assert engine.why(1.0) == "none"

    def a_pick_is_one_of_the_ready(self) -> None:
        engine = self.engine()
        engine.drain(ADDRESSES[0], 0.0)
        engine.lost(ADDRESSES[3], 0.0)
        engine.report(ADDRESSES[5], 0.0, available=False)
        engine.report(ADDRESSES[7], 0.0, draining=True)
        ready = set(engine.ready(1.0))
        assert len(ready) == 6
        assert {engine.pick(1.0).endpoint for _ in range(100)} <= ready
        assert {engine.pick_address(1.0) for _ in range(100)} <= ready
        assert {engine.address_of(index) for index in engine.pick_many(100, 1.0)} <= ready

    def an_excluded_endpoint_is_not_picked(self) -> None:
        engine = self.engine(members=4)
        for _ in range(50):
            assert engine.pick(1.0, exclude=ADDRESSES[:3]).endpoint == ADDRESSES[3]
        assert engine.pick(1.0, exclude=ADDRESSES) is None

    def no_limit_is_passed_and_all_full_is_told(self) -> None:
        for accounting in ("done", "reported"):
            engine = self.engine(members=3, limit=2, accounting=accounting)
            assert Counter(engine.pick(1.0).endpoint for _ in range(6)) == dict.fromkeys(ADDRESSES[:3], 2)
            assert engine.pick(1.0) is None
            assert engine.why(1.0) == "all_full"

    def the_one_that_has_a_slot_is_found(self) -> None:
        engine = self.engine(limit=1)
        picks = [engine.pick(1.0) for _ in ADDRESSES]
        for pick in picks:
            engine.done(pick, 2.0)
            assert engine.pick(2.0).endpoint == pick.endpoint

    def the_same_seed_gives_the_same_picks(self) -> None:
        def picks(engine: _core.Engine) -> list[str]:
            return [engine.pick(1.0 + step / 10).endpoint for step in range(50)]

        assert picks(self.engine()) == picks(self.engine())

    def lanes_pick_on_their_own(self) -> None:
        engine = self.engine()
        lanes = [engine.lane() for _ in range(3)]
        sequences = {engine.pick(1.0, lane=lane).sequence for lane in (0, *lanes) for _ in range(5)}
        assert len(sequences) == 20

    def a_request_is_taken_whole(self) -> None:
        engine = self.engine()
        pick = engine.pick(1.0, key=b"k", cost=3, exclude=(), policy=self.policy, deadline=2.0, priority=1)
        (standing,) = (e for e in engine.endpoints(1.0) if e.address == pick.endpoint)
        assert (standing.tasks, standing.work) == (1, 3.0)
        engine.done(pick, 2.0)
        assert {(e.tasks, e.work) for e in engine.endpoints(2.0)} == {(0, 0.0)}


CHECKS = [name for name in vars(PolicyContract) if not name.startswith("_") and name != "engine"]
