"""The counts of one backend add up, whatever comes and goes."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsuite.wire import messages
from lbsuite.wire.joining.latencies import ENOUGH
from lbsuite.wire.joining.limiter import IDLE_S, MAX_BALANCERS, Limiter, Slot

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "end", "fail", "refuse", "report", "close"]), st.integers(0, 3), st.floats(0, 2)
    ),
    max_size=60,
)


def token(balancer: int, number: int = 1) -> int:
    return balancer << 32 | number


def turn_away(limiter: Limiter, balancer: int, now: float) -> None:
    """One more call of a balancer that is no task, if it is not turned away for want of a slot."""
    slot = limiter.begin(token(balancer), now)
    if slot is not None:
        limiter.withdraw(slot, now)


def filled(limiter: Limiter, now: float) -> messages.ServerLoad:
    load = messages.ServerLoad()
    limiter.fill(load, now)
    return load


class Books:
    """What a limiter should count, kept by hand."""

    def __init__(self, limit: int) -> None:
        self.limiter, self.limit, self.now = Limiter(limit), limit, 100.0
        self.running: list[Slot] = []
        self.arrived = self.ended = self.failed = self.refused = 0
        self.busy_s = self.task_s = 0.0

    def wait(self, passed_s: float) -> None:
        self.now += passed_s
        self.busy_s += passed_s * bool(self.running)
        self.task_s += passed_s * len(self.running)

    def step(self, action: str, balancer: int) -> None:
        if action == "begin":
            self.arrived += 1
            slot = self.limiter.begin(token(balancer), self.now)
            assert (slot is None) == (self.limiter.closed or len(self.running) == self.limit)
            self.refused += slot is None
            self.running += [slot] if slot else []
        elif action in ("end", "fail") and self.running:
            self.limiter.end(self.running.pop(), self.now, failed=action == "fail")
            self.ended, self.failed = self.ended + 1, self.failed + (action == "fail")
        elif action == "refuse":
            turn_away(self.limiter, balancer, self.now)
            self.arrived, self.refused = self.arrived + 1, self.refused + 1
        elif action == "close":
            self.limiter.closed = True

    def check(self, load: messages.ServerLoad) -> None:
        assert load.load == self.limiter.tasks == len(self.running) <= self.limit
        assert (load.begun, load.finished) == (self.arrived, self.ended)
        assert (self.limiter.failed, self.limiter.refused) == (self.failed, self.refused)
        assert load.busy_us == pytest.approx(self.busy_s * 1e6, abs=2)
        assert load.task_us == pytest.approx(self.task_s * 1e6, abs=2)
        for counts in load.by_balancer:
            assert counts.balancer != 0
            assert counts.begun >= counts.finished >= counts.failed >= counts.refused >= 0
        assert sum(counts.begun for counts in load.by_balancer) <= load.begun


@given(st.integers(1, 4), STEPS)
def test_a_walk_of_tasks_keeps_the_books(limit: int, steps: list[tuple[str, int, float]]) -> None:
    books = Books(limit)
    for action, balancer, passed_s in steps:
        books.wait(passed_s)
        books.step(action, balancer)
        books.check(filled(books.limiter, books.now))


def test_counts_are_kept_for_each_balancer() -> None:
    limiter = Limiter(2)
    first, second = limiter.begin(token(7), 0.0), limiter.begin(token(9), 0.0)
    assert first is not None
    assert second is not None
    assert limiter.begin(token(9), 1.0) is None
    limiter.end(first, 2.0)
    limiter.end(second, 3.0, failed=True)
    seven, nine = filled(limiter, 4.0).by_balancer
    assert (seven.balancer, seven.begun, seven.finished, seven.failed, seven.latency_us) == (7, 1, 1, 0, 2_000_000)
    assert (nine.balancer, nine.begun, nine.finished, nine.failed, nine.latency_us) == (9, 2, 2, 2, 0)
    assert (seven.refused, nine.refused) == (0, 1)


def test_the_peak_is_of_the_time_since_the_last_report() -> None:
    limiter = Limiter(3)
    slots = [limiter.begin(0, 0.0) for _ in range(3)]
    for slot in slots[:2]:
        assert slot is not None
        limiter.end(slot, 1.0)
    assert [filled(limiter, 1.0).peak, filled(limiter, 1.0).peak] == [3, 1]
    assert limiter.most == 3


def test_tokens_of_ever_new_balancers_do_not_push_out_those_that_pick() -> None:
    limiter = Limiter(1)
    for balancer in range(1, 1000):
        turn_away(limiter, balancer, balancer / 1000)
        turn_away(limiter, 1, balancer / 1000)
    counts = {counts.balancer: counts.begun for counts in filled(limiter, 1.0).by_balancer}
    assert len(counts) == MAX_BALANCERS
    assert counts[1] == 1000


def test_a_balancer_not_seen_for_long_gives_way() -> None:
    limiter = Limiter(1)
    for balancer in range(1, MAX_BALANCERS + 1):
        turn_away(limiter, balancer, 0.0 if balancer == 5 else IDLE_S)
    turn_away(limiter, 1000, IDLE_S)
    known = {counts.balancer for counts in filled(limiter, IDLE_S).by_balancer}
    assert 1000 in known
    assert 5 not in known


def test_a_slot_is_given_back_once() -> None:
    limiter = Limiter(2)
    slot = limiter.begin(0, 0.0)
    assert slot is not None
    limiter.end(slot, 1.0)
    limiter.end(slot, 2.0, failed=True)
    limiter.withdraw(slot, 3.0)
    assert (limiter.tasks, limiter.finished, limiter.failed, limiter.refused) == (0, 1, 0, 0)


def test_threads_that_begin_and_end_at_once_lose_no_count() -> None:
    limiter = Limiter(3)

    def work(_: int) -> int:
        done = 0
        for _ in range(2000):
            if (slot := limiter.begin(token(7), time.monotonic())) is not None:
                limiter.end(slot, time.monotonic())
                done += 1
        return done

    with ThreadPoolExecutor(8) as threads:
        done = sum(threads.map(work, range(8)))
    assert (limiter.tasks, limiter.finished, limiter.begun) == (0, done, 16_000)
    assert limiter.refused == 16_000 - done
    assert limiter.most <= 3


def test_what_a_task_would_take_is_the_median_near_so_many_in_flight() -> None:
    limiter = Limiter(10)
    assert limiter.expected_s() == 0.0
    for beside, taken_s in ((0, 1.0), (4, 5.0)):
        others = [limiter.begin(0, 0.0) for _ in range(beside)]
        for _ in range(2 * ENOUGH):
            slot = limiter.begin(0, 0.0)
            assert slot is not None
            limiter.end(slot, taken_s)
        for other in others:
            assert other is not None
            limiter.end(other, 0.0, failed=True)
    assert limiter.expected_s() == 1.0
    assert [limiter.begin(0, 0.0) is not None for _ in range(4)] == [True] * 4
    assert limiter.expected_s() == 5.0


def test_each_change_is_told() -> None:
    changes: list[tuple[int, int]] = []
    limiter = Limiter(1)
    limiter.changed = lambda token: changes.append((token, limiter.tasks))
    slot = limiter.begin(token(3), 0.0)
    assert slot is not None
    limiter.begin(token(3), 0.0)
    limiter.end(slot, 0.0)
    assert changes == [(token(3), 1), (0, 1), (0, 0)]


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="0"):
        Limiter(0)
