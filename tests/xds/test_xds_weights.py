"""What endpoints weigh by what they report."""

from lbsuite.wire import messages
from lbsuite.wire.membership import Standing
from lbsuite.xds.weights import MEAN, MOST, Weights


def standing(finished: int, task_s: float, limit: int = 0) -> Standing:
    return Standing(limit=limit, report=messages.ServerLoad(finished=finished, task_us=int(task_s * 1e6)))


def test_who_said_nothing_weighs_the_mean() -> None:
    weights = Weights()
    weights.take({"a": Standing(), "b": standing(0, 0)})
    assert (weights.of("a"), weights.of("b")) == (MEAN, MEAN)


def test_what_is_finished_by_a_slot_in_use_makes_the_weight() -> None:
    weights = Weights()
    weights.take({"a": standing(0, 0), "b": standing(0, 0)})
    weights.take({"a": standing(100, 10), "b": standing(300, 10)})
    assert (weights.of("a"), weights.of("b")) == (500, 1500)


def test_slots_count() -> None:
    weights = Weights()
    weights.take({"a": standing(0, 0, limit=1), "b": standing(0, 0, limit=3)})
    weights.take({"a": standing(100, 10, limit=1), "b": standing(100, 10, limit=3)})
    assert (weights.of("a"), weights.of("b")) == (500, 1500)


def test_a_few_tasks_say_nothing_and_small_changes_are_not_told() -> None:
    weights = Weights()
    weights.take({"a": standing(0, 0), "b": standing(0, 0)})
    weights.take({"a": standing(4, 1), "b": standing(4, 100)})
    assert (weights.of("a"), weights.of("b")) == (MEAN, MEAN)
    weights.take({"a": standing(104, 11), "b": standing(99, 111)})
    told = weights.of("a"), weights.of("b")
    weights.take({"a": standing(205, 21), "b": standing(199, 221)})
    assert (weights.of("a"), weights.of("b")) == told


def test_one_that_began_again_counts_from_there() -> None:
    weights = Weights()
    weights.take({"a": standing(1000, 100), "b": standing(1000, 100)})
    weights.take({"a": standing(0, 0), "b": standing(1100, 110)})
    weights.take({"a": standing(300, 10), "b": standing(1200, 120)})
    assert (weights.of("a"), weights.of("b")) == (1500, 500)


def test_weights_are_bounded() -> None:
    weights = Weights()
    many = {str(number): 10**6 for number in range(300)}
    weights.take({name: standing(0, 0) for name in (*many, "slow")})
    weights.take({name: standing(10, 1e-5) for name in many} | {"slow": standing(10, 1e6)})
    assert weights.of("slow") == 1
    assert all(1 <= weights.of(name) <= MOST for name in many)
