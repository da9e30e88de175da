import asyncio
import contextlib
import csv
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scripted import fleet, refuse
from terminals import open_terminal
from waiting import eventually

DEADLINE_S = 40


@contextlib.asynccontextmanager
async def started(*words: str, **streams: int) -> AsyncIterator[asyncio.subprocess.Process]:
    pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE, **streams}
    client = await asyncio.create_subprocess_exec(sys.executable, "-m", "lbsuite", "client", *words, **pipes)
    try:
        yield client
    finally:
        with contextlib.suppress(ProcessLookupError):
            client.kill()
        await client.wait()


async def ended(*words: str) -> tuple[int | None, str, str]:
    """Exit status, stdout and stderr of the whole command."""
    async with started(*words) as client, asyncio.timeout(DEADLINE_S):
        out, err = await client.communicate()
        return client.returncode, out.decode(), err.decode()


async def test_flags_written_the_go_way_run_a_load_and_the_report_has_every_figure() -> None:
    async with fleet(2) as balancer:
        lb = balancer.address.replace("127.0.0.1", "localhost")
        status, out, err = await ended("-clients=3", "-duration=0.3", "-strategy=least_load", f"-lb={lb}")
        assert (status, err) == (0, "")
        for figure in ("total requests", "throughput", "mean", "p50", "p90", "p99", "max", "peak tasks", "mean tasks"):
            assert figure in out
        for figure in ("fairness", "errors", "per task", *(backend.address for backend in balancer.backends)):
            assert figure in out


async def test_json_is_one_document_and_csv_one_row_a_run(tmp_path: Path) -> None:
    file = tmp_path / "runs.csv"
    async with fleet(2) as balancer:
        words = ("--lb", balancer.address, "--duration", "0.2", "--task", "20", "--csv", str(file), "--json")
        for strategy in ("pick_first", "two_choices"):
            status, out, _ = await ended(*words, "--strategy", strategy)
            result = json.loads(out)
            assert (status, result["lost"]) == (0, 0)
            assert sum(result["requests_per_endpoint"].values()) == result["requests"] > 0
        with file.open() as rows:
            read = list(csv.DictReader(rows))
        assert [row["strategy"] for row in read] == ["pick_first", "two_choices"]
        assert float(read[1]["latency_ms_p99"]) == result["latency_ms"]["p99"]


async def test_lost_tasks_are_counted_and_end_with_status_1() -> None:
    async with fleet(1) as balancer:
        balancer.backends[0].script = refuse("INTERNAL")
        status, out, _ = await ended("--lb", balancer.address, "--duration", "0.2", "--clients", "2", "--json")
        result = json.loads(out)
        assert status == 1
        assert result["lost"] == result["requests"] == result["errors"]["INTERNAL"] > 0


async def test_no_balancer_ends_with_status_3_and_one_line() -> None:
    status, out, err = await ended("--lb", "127.0.0.1:1", "--timeout-s", "0.3")
    assert (status, out) == (3, "")
    assert err == "lbsuite client: no balancer answered within 0.3 s (127.0.0.1:1)\n"


async def test_progress_is_a_line_a_second_where_it_is_asked_for() -> None:
    async with fleet(1) as balancer:
        words = ("--lb", balancer.address, "--duration", "1.2", "--task", "fib:10")
        _, _, quiet = await ended(*words)
        _, _, told = await ended(*words, "--progress")
        assert quiet == ""
        assert len(told.splitlines()) == 2
        assert "done" in told


async def test_progress_is_one_line_rewritten_on_a_terminal() -> None:
    async with fleet(1) as balancer:
        ours, theirs = open_terminal()
        words = ("--lb", balancer.address, "--duration", "0.3", "--task", "fib:10")
        async with started(*words, stderr=theirs) as client, asyncio.timeout(DEADLINE_S):
            await client.communicate()
            assert b"\r\x1b[K" in os.read(ours, 4096)
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_run_early_with_the_report_of_what_was_done(number: signal.Signals) -> None:
    async with fleet(1) as balancer:
        words = ("--lb", balancer.address, "--duration", "300", "--task", "fib:10", "--json")
        async with started(*words) as client, asyncio.timeout(DEADLINE_S):
            await eventually(lambda: len(balancer.requests) > 20)
            client.send_signal(number)
            out, err = await client.communicate()
            result = json.loads(out)
            assert (client.returncode, err.decode()) == (0, "")
            assert result["lost"] == 0 < result["requests"]


@pytest.mark.parametrize(
    "words",
    [
        "--clients 0",
        "--clients x",
        "--duration -1",
        "--duration nan",
        "--strategy best",
        "--strategy least_load:choices=x",
        "--strategy a\vb",
        "--lb here",
        "--lb 127.0.0.1:1,",
        "--etcd nowhere",
        "--etcd-user me",
        "--etcd 127.0.0.1:1 --etcd-user me",
        "--service a/b",
        "--task fib:x",
        "--task fib_big:100000001",
        "--task fib_big:9:hex",
        "--task mix:exp:1:shape=2",
        f"--task {'9' * 200}",
        "--rate 0",
        "--rate inf",
        "--arrivals daily",
        "--connections some",
        "--timeout-s 0",
        "--csv /nowhere/runs.csv",
        "--csv /",
        f"--csv {'x' * 300}",
        "--unknown",
        "leftover",
    ],
)
def test_bad_input_is_one_line_with_status_2(
    words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lbsuite.cli import main

    with pytest.raises(SystemExit) as end:
        main(["client", *words.split(" ")])
    said = capsys.readouterr()
    assert end.value.code == 2
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("lbsuite client: ")


def test_a_number_that_is_too_large_is_called_that(capsys: pytest.CaptureFixture[str]) -> None:
    from lbsuite.cli import main

    with pytest.raises(SystemExit):
        main(["client", "--rate", "2e6"])
    assert "at most 1e+06: '2e6'" in capsys.readouterr().err


async def test_a_file_that_cannot_be_written_after_all_is_one_line_after_the_result() -> None:
    async with fleet(1) as balancer:
        words = ("--lb", balancer.address, "--duration", "0.1", "--task", "fib:5", "--csv", "/proc/no-such-file")
        status, out, err = await ended(*words)
    assert status in (1, 2)  # 2: whoever is not root may not even try
    assert (len(err.splitlines()), "Traceback" in err) == (1, False)
    assert "cannot write to '/proc/no-such-file'" in err
    assert ("total requests" in out) == (status == 1)


def test_help_fits_a_screen_and_has_an_example(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lbsuite.cli import main

    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as end:
        main(["client", "--help"])
    said = capsys.readouterr().out
    assert end.value.code == 0
    assert len(said.splitlines()) <= 40
    assert "lbsuite client --clients 100" in said
