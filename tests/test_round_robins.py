"""`make stress`: every roster's round robin behind the proxy, fair to the backends, with a CSV file each."""

import csv
from pathlib import Path

from lbsuite import _core
from lbsuite.round_robins import Scene, compare, table


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
