"""Policies that take turns by weight: given, earned by reports, or steered by a controller."""

from collections import Counter
from collections.abc import Sequence

import pytest

from contracts import ADDRESSES
from lbsuite import _core

NUMBER = {address: i for i, address in enumerate(ADDRESSES)}
TURNS = ["weighted_round_robin", "smooth_weighted", "pid_weights"]


def joined(policy: str, weights: Sequence[int], **settings: str) -> _core.Engine:
    engine = _core.Engine(policy, **settings)
    for address, weight in zip(ADDRESSES, weights, strict=False):
        engine.join(address, 0.0, weight=weight)
    return engine


def picks(engine: _core.Engine, count: int, now: float = 1.0) -> list[int]:
    return [NUMBER[engine.pick_address(now)] for _ in range(count)]


@pytest.mark.parametrize("policy", TURNS)
@pytest.mark.parametrize("weights", [(1, 1, 1), (5, 1, 1), (1, 2, 3, 4), (100, 1), (7, 7, 7, 20)])
def test_every_stretch_of_picks_is_shared_by_weight(policy: str, weights: tuple[int, ...]) -> None:
    chosen = picks(joined(policy, weights), 40 * sum(weights))
    total = sum(weights)
    for start in range(0, len(chosen) - total, 7):
        for length in (total // 2, total):
            counts = Counter(chosen[start : start + length])
            assert all(abs(counts[i] - length * w / total) < 2.001 for i, w in enumerate(weights)), (start, counts)


@pytest.mark.parametrize("policy", TURNS)
def test_a_new_weight_counts_at_once(policy: str) -> None:
    engine = joined(policy, (1, 1))
    picks(engine, 10)
    engine.join(ADDRESSES[1], 1.0, weight=3)
    assert 290 <= sum(picks(engine, 400)) <= 310


@pytest.mark.parametrize("policy", TURNS)
def test_the_turn_of_a_full_one_goes_to_the_others_by_weight(policy: str) -> None:
    engine = joined(policy, (6, 1, 2))
    engine.report(ADDRESSES[0], 0.0, tasks=2, limit=2)
    counts = Counter(picks(engine, 3000))
    assert set(counts) == {1, 2}
    assert abs(counts[1] - 1000) < 100


@pytest.mark.parametrize("policy", TURNS)
def test_one_that_weighs_next_to_nothing_is_found_when_the_others_are_full(policy: str) -> None:
    engine = joined(policy, (1_000_000, 1, 1_000_000))
    for heavy in (0, 2):
        engine.report(ADDRESSES[heavy], 0.0, tasks=1, limit=1)
    assert set(picks(engine, 20)) == {1}


def test_smooth_weighted_takes_the_turns_that_nginx_documents() -> None:
    assert "".join("abc"[i] for i in picks(joined("smooth_weighted", (5, 1, 1)), 14)) == "aabacaa" * 2


def test_lanes_of_weighted_round_robin_do_not_march_in_step() -> None:
    engine = joined("weighted_round_robin", [1] * 10)
    firsts = {engine.pick(1.0, lane=engine.lane()).endpoint for _ in range(20)}
    assert len(firsts) > 4


class Fleet:
    """Endpoints that report at one second's distance what they did in it."""

    def __init__(self, policy: str, size: int = 2, limit: int | None = None) -> None:
        self.engine = joined(policy, [1] * size)
        self.now, self.limit = 0.0, limit
        self.done = [Counter[str]() for _ in range(size)]

    def report(self, number: int, qps: int = 0, eps: int = 0, task_s: float = 0.0, **said: float) -> None:
        done = self.done[number]
        done.update(finished=qps, failed=eps)
        done["task_s"] += task_s  # type: ignore[assignment]
        self.engine.report(ADDRESSES[number], self.now, limit=self.limit, **done, **said)

    def seconds(self, count: int, *said: dict[str, float]) -> None:
        for _ in range(count):
            self.now += 1
            for number, each in enumerate(said):
                self.report(number, **each)

    def share(self) -> float:
        """The first one's, of two."""
        return picks(self.engine, 1100, self.now).count(0) / 1100


# The examples of grpc-go's tests (weightedroundrobin/balancer_test.go), and what their comments say comes of them.
@pytest.mark.parametrize(
    ("penalty", "first", "second", "share"),
    [
        (0, {"qps": 10, "utilization": 0.1}, {"qps": 10, "utilization": 1.0}, 10 / 11),
        (0, {"qps": 10, "cpu": 0.1}, {"qps": 10, "cpu": 1.0}, 10 / 11),
        (0, {"qps": 10, "utilization": 1.0}, {"qps": 10, "eps": 10, "utilization": 0.1}, 1 / 11),
        (0.9, {"qps": 10, "utilization": 1.0}, {"qps": 10, "eps": 10, "utilization": 0.1}, 1 / 2),
        (1, {"qps": 10, "utilization": 0.1, "cpu": 9.0}, {"qps": 10, "utilization": 1.0, "cpu": 0.1}, 10 / 11),
        (1, {"qps": 10, "utilization": 0.1}, {"qps": 10}, 1 / 2),  # not told: the mean, and so as the other
    ],
)
def test_reports_earn_the_weights_of_grpc(penalty: float, first: dict, second: dict, share: float) -> None:
    fleet = Fleet(f"weighted_round_robin:weights=reports,blackout_s=0,penalty={penalty}")
    fleet.share()
    fleet.seconds(3, first, second)
    assert fleet.share() == pytest.approx(share, abs=0.01)


def test_slots_in_use_stand_for_a_utilization_that_is_not_told() -> None:
    fleet = Fleet("weighted_round_robin:weights=reports,blackout_s=0", limit=10)
    fleet.share()
    fleet.seconds(3, {"qps": 10, "task_s": 1.0, "cpu": 5.0}, {"qps": 10, "task_s": 4.0, "cpu": 1.0})
    assert fleet.share() == pytest.approx(0.8, abs=0.01)


def test_weights_wait_for_the_blackout_and_end_with_the_expiry() -> None:
    fleet = Fleet("weighted_round_robin:weights=reports,blackout_s=5,expiry_s=30")
    light, heavy = {"qps": 10, "utilization": 0.1}, {"qps": 10, "utilization": 1.0}
    fleet.share()
    fleet.seconds(6, light, heavy)  # the first report but begins what the second measures
    assert fleet.share() == pytest.approx(0.5, abs=0.01)
    fleet.seconds(2, light, heavy)
    assert fleet.share() == pytest.approx(10 / 11, abs=0.01)
    fleet.now += 29.5
    assert fleet.share() == pytest.approx(10 / 11, abs=0.01)
    fleet.now += 1
    assert fleet.share() == pytest.approx(0.5, abs=0.01)
    fleet.seconds(4, light, heavy)
    assert fleet.share() == pytest.approx(0.5, abs=0.01)  # the blackout again
    fleet.seconds(4, light, heavy)
    assert fleet.share() == pytest.approx(10 / 11, abs=0.01)


def test_one_that_was_away_waits_for_the_blackout_again() -> None:
    fleet = Fleet("weighted_round_robin:weights=reports,blackout_s=5", size=3)
    said = [{"qps": 10, "utilization": 0.1}, {"qps": 10, "utilization": 1.0}, {"qps": 10, "utilization": 1.0}]
    fleet.share()
    fleet.seconds(8, *said)
    assert fleet.share() == pytest.approx(10 / 12, abs=0.01)
    fleet.engine.lost(ADDRESSES[0], fleet.now)
    fleet.share()
    fleet.engine.reached(ADDRESSES[0], fleet.now)
    assert fleet.share() == pytest.approx(1 / 3, abs=0.01)


def test_a_process_that_starts_anew_is_measured_anew() -> None:
    fleet = Fleet("weighted_round_robin:weights=reports,blackout_s=0")
    fleet.share()
    fleet.seconds(3, {"qps": 10, "utilization": 0.1}, {"qps": 10, "utilization": 1.0})
    fleet.done[0].clear()
    fleet.seconds(1, {"qps": 1, "utilization": 0.1}, {"qps": 10, "utilization": 1.0})
    assert fleet.share() == pytest.approx(10 / 11, abs=0.01)


def served(policy: str, speeds: Sequence[float], seconds: int) -> tuple[_core.Engine, list[float]]:
    """Endpoints of these speeds under 1,000 requests a second; and how much of each is in use in the last one."""
    engine = joined(policy, [1] * len(speeds))
    used = [0.0] * len(speeds)
    for second in range(1, seconds + 1):
        counts = Counter(picks(engine, 1000, float(second)))
        used = [counts[i] / 1000 / speed for i, speed in enumerate(speeds)]
        for i, each in enumerate(used):
            engine.report(ADDRESSES[i], second + 0.5, utilization=each)
    return engine, used


def test_a_controller_evens_out_the_use_of_unequal_endpoints() -> None:
    speeds = [1.0, 1.0, 2.0, 4.0]
    _, before = served("weighted_round_robin", speeds, 1)
    _, used = served("pid_weights", speeds, 60)
    mean = sum(used) / len(used)
    assert max(before) / (sum(before) / len(before)) > 1.4
    assert max(used) / mean < 1.05  # Dropbox tells of 1.26 -> 1.01 and 1.4 -> 1.05
    assert min(used) / mean > 0.95


def test_who_does_not_report_keeps_its_weight() -> None:
    engine, _ = served("pid_weights", [1.0, 3.0], 60)
    counts = Counter(picks(engine, 4000, 1000.0))
    assert counts[1] / counts[0] == pytest.approx(3, rel=0.1)
    assert Counter(picks(engine, 4000, 2000.0)) == pytest.approx(counts, abs=20)


def test_one_that_is_used_far_too_much_keeps_a_little_share() -> None:
    engine, used = served("pid_weights", [1e-6, 1.0, 1.0], 100)
    assert used[0] > 0
    assert 0 < Counter(picks(engine, 10_000, 200.0))[0] < 100


@pytest.mark.parametrize(
    ("spec", "blamed"),
    [
        ("weighted_round_robin:weights=guessed", "given or reports, not 'guessed'"),
        ("weighted_round_robin:update_s=0.05", "update_s is in 0.1..1e[+]06, not '0.05'"),
        ("weighted_round_robin:penalty=-1", "'-1'"),
        ("pid_weights:kp=nan", "'nan'"),
        ("smooth_weighted:weights=1", "'weights'"),
    ],
)
def test_bad_settings_are_refused_by_name(spec: str, blamed: str) -> None:
    with pytest.raises(ValueError, match=blamed):
        _core.parse_policy(spec)
