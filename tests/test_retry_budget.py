from hypothesis import given
from hypothesis import strategies as st

from lbsuite.retry_budget import PER_S, SHARE, RetryBudget

BURST = 10 * PER_S


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 50), st.integers(0, 50)), max_size=30))
def test_tries_never_exceed_a_tenth_of_the_requests_and_ten_a_second(steps: list[tuple[float, int, int]]) -> None:
    budget, now, requests, tries = RetryBudget(0.0), 0.0, 0, 0
    for wait_s, begun, wished in steps:
        now += wait_s
        requests += begun
        for _ in range(begun):
            budget.earn()
        tries += sum(budget.spend(now) for _ in range(wished))
        assert tries <= SHARE * requests + PER_S * (now + 1) + 1e-6


def test_what_is_not_used_is_kept_for_ten_seconds_only() -> None:
    budget = RetryBudget(0.0)
    assert sum(budget.spend(1e6) for _ in range(1000)) == BURST


def test_a_clock_that_stands_still_or_goes_back_brings_nothing() -> None:
    budget = RetryBudget(100.0)
    assert sum(budget.spend(now) for now in (100.0, 50.0, 0.0) for _ in range(1000)) == PER_S


def test_requests_alone_pay_for_one_try_in_ten() -> None:
    budget = RetryBudget(0.0)
    while budget.spend(0.0):
        pass
    for _ in range(101):
        budget.earn()
    assert sum(budget.spend(0.0) for _ in range(100)) == 10


def test_a_reserve_is_for_bursts_where_nothing_comes_by_the_second() -> None:
    budget = RetryBudget(0.0, share=0.5, per_s=0.0, reserve=3.0)
    for _ in range(100):
        budget.earn()
    assert sum(budget.spend(1e6) for _ in range(100)) == 3
