import json
import math
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsuite.results import QUANTILES, Histogram, RunResult, jain

durations = st.floats(1e-6, 20 * 3600)
addresses = st.sampled_from(["127.0.0.1:1", "127.0.0.1:2", "[::1]:3"])
counts = st.integers(0, 1000)


def histogram(values: list[float]) -> Histogram:
    made = Histogram()
    for value in values:
        made.record(value)
    return made


def same(left: Histogram, right: Histogram) -> bool:
    return (left.buckets, left.count, left.max_s) == (right.buckets, right.count, right.max_s) and math.isclose(
        left.total_s, right.total_s, rel_tol=1e-9
    )


@st.composite
def results(draw: st.DrawFn) -> RunResult:
    latencies = draw(st.lists(durations, max_size=20))
    lost = draw(counts)
    made = RunResult(duration_s=draw(st.floats(0.1, 1e4)), latency=histogram(latencies), lost=lost)
    made.requests = lost + len(latencies)
    for name in ("wrong", "attempts", "first_attempts_failed", "refused", "waits"):
        setattr(made, name, draw(counts))
    for name in ("requests_per_endpoint", "peak_tasks"):
        getattr(made, name).update(draw(st.dictionaries(addresses, counts)))
    made.errors.update(draw(st.dictionaries(st.sampled_from(["UNAVAILABLE", "INTERNAL"]), counts)))
    made.task_s.update(draw(st.dictionaries(addresses, st.floats(0, 1e6))))
    return made


@given(st.lists(durations, min_size=1), st.floats(0, 1))
def test_a_quantile_is_within_one_percent_of_the_nearest_rank(values: list[float], share: float) -> None:
    rank = max(math.ceil(share * len(values)), 1)
    assert histogram(values).quantile(share) == pytest.approx(sorted(values)[rank - 1], rel=0.01)


@given(st.lists(durations, min_size=1))
def test_mean_and_maximum_are_exact_and_quantiles_do_not_fall(values: list[float]) -> None:
    made = histogram(values)
    assert made.mean_s == pytest.approx(math.fsum(values) / len(values), rel=1e-9)
    assert made.max_s == made.quantile(1) == max(values)
    quantiles = [made.quantile(share) for share in (0, *QUANTILES.values(), 1)]
    assert quantiles == sorted(quantiles)


@given(st.lists(st.lists(durations, max_size=20), max_size=5))
def test_merged_histograms_equal_one_histogram_of_everything(parts: list[list[float]]) -> None:
    merged = Histogram()
    for part in parts:
        merged.merge(histogram(part))
    assert same(merged, histogram([value for part in parts for value in part]))


@given(st.lists(durations))
def test_a_histogram_survives_json(values: list[float]) -> None:
    made = histogram(values)
    assert same(Histogram.from_dict(json.loads(json.dumps(made.to_dict()))), made)


@pytest.mark.parametrize("value", [-1e-9, math.inf, math.nan])
def test_what_is_no_duration_is_refused_and_changes_nothing(value: float) -> None:
    made = Histogram()
    with pytest.raises(ValueError, match="not a duration"):
        made.record(value)
    assert same(made, Histogram())


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_out_of_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="not a share"):
        Histogram().quantile(share)


def test_an_empty_histogram_has_zeros() -> None:
    empty = Histogram()
    assert (empty.mean_s, empty.max_s, empty.quantile(0.5)) == (0.0, 0.0, 0.0)


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_jain_lies_between_one_share_and_one(values: list[int]) -> None:
    assert 1 / len(values) - 1e-9 <= jain(values) <= 1 + 1e-9


def test_jain_by_example() -> None:
    assert jain([5, 5, 5]) == 1
    assert jain([7, 0, 0, 0]) == 0.25
    assert jain([1, 2, 3]) == pytest.approx(36 / 42)
    assert jain([]) == jain([0, 0]) == 1


@given(results(), results())
def test_a_merge_adds_counts_and_keeps_the_longer_duration(left: RunResult, right: RunResult) -> None:
    merged = deepcopy(left)
    merged.merge(right)
    other = deepcopy(right)
    other.merge(left)
    assert merged.requests == left.requests + right.requests
    assert merged.duration_s == max(left.duration_s, right.duration_s)
    assert same(merged.latency, other.latency)
    for name in ("requests_per_endpoint", "peak_tasks", "errors", "task_s"):
        mine, both = getattr(merged, name), [getattr(left, name), getattr(right, name)]
        assert mine == getattr(other, name)
        assert mine == {key: sum(part.get(key, 0) for part in both) for part in both for key in part}


@given(results())
def test_a_result_survives_json(made: RunResult) -> None:
    read = RunResult.from_json(made.to_json())
    assert same(read.latency, made.latency)
    assert read.task_s == pytest.approx(made.task_s)
    for name in ("requests", "lost", "wrong", "attempts", "refused", "waits", "errors", "peak_tasks", "duration_s"):
        assert getattr(read, name) == getattr(made, name)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"duration_s": 1}', "1"])
def test_what_is_no_result_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not the result of a run|Expecting value"):
        RunResult.from_json(text)


def example() -> RunResult:
    made = RunResult(duration_s=2.0, requests=5, lost=1, wrong=1, latency=histogram([0.1, 0.2, 0.3, 0.4]), attempts=6)
    made.requests_per_endpoint.update({"127.0.0.1:1": 3, "127.0.0.1:2": 1, "127.0.0.1:3": 0})
    made.peak_tasks.update({"127.0.0.1:1": 2, "127.0.0.1:2": 1})
    made.task_s.update({"127.0.0.1:1": 0.9, "127.0.0.1:2": 0.5})
    made.errors["WRONG_ANSWER"] = 1
    return made


def test_the_json_has_the_names_that_scripts_rely_on() -> None:
    values = json.loads(example().to_json())
    assert {
        "requests",
        "lost",
        "wrong",
        "throughput_rps",
        "latency_ms",
        "requests_per_endpoint",
        "peak_tasks",
        "jain",
        "attempts_per_task",
        "first_attempts_failed",
        "refused",
        "errors",
    } <= set(values)
    assert list(values["latency_ms"]) == ["mean", "p50", "p90", "p99", "p999", "max"]
    assert values["throughput_rps"] == 2.0
    assert values["attempts_per_task"] == 1.2
    assert values["jain"] == pytest.approx(16 / 30)
    assert values["latency_ms"]["p50"] == pytest.approx(200, rel=0.01)
    assert values["latency_ms"]["max"] == 400


def test_a_csv_row_is_flat() -> None:
    row = example().csv_row()
    assert row["latency_ms_mean"] == pytest.approx(250)
    assert json.loads(str(row["requests_per_endpoint"])) == {"127.0.0.1:1": 3, "127.0.0.1:2": 1, "127.0.0.1:3": 0}
    assert all(isinstance(value, str | int | float) for value in row.values())


def test_the_frames_have_a_row_an_endpoint_and_a_row_a_run() -> None:
    pytest.importorskip("pandas")
    frame = example().frame()
    assert frame.loc["127.0.0.1:1"].to_dict() == {"requests": 3, "share": 0.75, "peak_tasks": 2, "mean_tasks": 0.45}
    assert frame.loc["127.0.0.1:3", "requests"] == 0
    summary = example().summary()
    assert len(summary) == 1
    assert summary.loc[0, "mean"] == pytest.approx(250)
    assert summary.loc[0, "lost"] == 1


def test_a_run_of_nothing_divides_by_nothing() -> None:
    nothing = RunResult()
    assert (nothing.throughput_rps, nothing.attempts_per_task, nothing.jain, nothing.mean_tasks) == (0, 0, 1, {})
    nothing.merge(RunResult())
    assert RunResult.from_json(nothing.to_json()).requests == 0
