"""F(n), the quick way and the slow way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsuite import _core


@given(st.integers(2, 93))
def test_each_number_is_the_sum_of_the_two_before(n: int) -> None:
    assert _core.fibonacci(n) == _core.fibonacci(n - 1) + _core.fibonacci(n - 2)


@pytest.mark.parametrize(("n", "value"), [(0, 0), (1, 1), (2, 1), (10, 55), (90, 2880067194370816120)])
def test_known_numbers_come_out(n: int, value: int) -> None:
    assert _core.fibonacci(n) == value


def test_the_largest_that_fits_is_exact() -> None:
    assert _core.fibonacci(93) == 12200160415121876738


@given(st.integers(max_value=-1) | st.integers(min_value=100_000_001, max_value=10**4000))
def test_an_n_out_of_bounds_is_refused_with_its_value(n: int) -> None:
    with pytest.raises(ValueError, match=f"100000000: {n}$"):
        _core.fibonacci(n)


@given(st.integers(0, 27))
def test_the_recursion_agrees_with_fast_doubling(n: int) -> None:
    assert _core.fibonacci_recursive(n, _core.Cancel()) == _core.fibonacci(n)


@given(st.integers(max_value=-1) | st.integers(min_value=94))
def test_the_recursion_refuses_what_it_could_not_hold(n: int) -> None:
    with pytest.raises(ValueError, match=r"0\.\.93"):
        _core.fibonacci_recursive(n, _core.Cancel())


def test_the_recursion_is_real_work() -> None:
    """Each step of two costs 2.6 times the work, so a closed form would show."""

    def cost_s(n: int) -> float:
        start = _core.thread_cpu_s()
        _core.fibonacci_recursive(n, _core.Cancel())
        return _core.thread_cpu_s() - start

    assert min(cost_s(31) for _ in range(3)) > 10 * min(cost_s(23) for _ in range(3))
