"""`make stress`: every roster's round robin behind the proxy, fair to the backends, with a CSV file each."""

import csv
from pathlib import Path
from typing import Any

import pytest

from lbsuite import _core
from lbsuite.round_robins import Scene, alone, compare, table


async def test_each_roster_is_fair_behind_the_proxy(tmp_path: Path) -> None:
    scene = Scene(backends=3, requests=600, concurrency=8, threads=1, folder=tmp_path)
    results = await compare(scene)
    assert [roster for roster, _ in results] == _core.rosters()
    for roster, result in results:
        assert result.run.lost == 0, roster
        assert sum(result.run.requests_per_endpoint.values()) == 600
        counts = [
            int(row["requests"])
            for row in csv.DictReader((tmp_path / f"server_stats.{roster}.csv").read_text().splitlines())
        ]
        assert counts == list(result.run.requests_per_endpoint[row] for row in sorted(result.run.requests_per_endpoint))
        assert max(counts) - min(counts) <= 2, roster
    assert len(table(results).splitlines()) == 1 + len(results)


def test_picks_alone_are_timed_on_each_roster_in_turn() -> None:
    rows = alone([1, 3], rounds=2, endpoints=5, down=4)
    assert [(roster, threads) for roster, threads, _ in rows] == [
        (roster, threads) for threads in (1, 3) for _ in range(2) for roster in _core.rosters()
    ]
    assert all(ns > 0 for _, _, ns in rows)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"threads": 0}, "threads out of 1..255: 0"),
        ({"endpoints": 0}, "endpoints out of 1..65535: 0"),
        ({"endpoints": 3, "down": 3}, "down out of 0..endpoints - 1: 3"),
        ({"roster": "none"}, "no roster 'none'"),
        ({"policy": "none"}, "no policy 'none'"),
    ],
)
def test_a_pick_that_cannot_be_timed_is_one_clear_line(told: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace(".", "[.]")):
        _core.pick_ns(**({"policy": "round_robin"} | told))
