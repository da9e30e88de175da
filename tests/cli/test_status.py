"""`status`, `drain` and `undrain`, asked of a running balancer."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cli.serving import balancer_on_its_own_loop
from lbsuite import cli
from lbsuite.wire import messages
from lbsuite.wire.balancer import Balancer

A, B = "127.0.0.1:1", "127.0.0.2:1"


@pytest.fixture
def balancer() -> Iterator[str]:
    """A has reported, B has not."""

    async def prepare(balancer: Balancer) -> None:
        for address in (A, B):
            await balancer.RegisterServer(messages.ServerInfo(address=address, zone="z1"), None)
        report = messages.ServerLoad(
            address=A, load=3, limit=10, available=True, memory_bytes=1 << 20, interval_ms=60_000
        )
        await balancer.ReportLoad(report, None)

    with balancer_on_its_own_loop(prepare) as address:
        yield address


def test_status_as_json_has_what_scripts_read(balancer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--lb", balancer, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["policy"] == "least_load:choices=auto"
    first, second = told["endpoints"]
    assert 0 <= first.pop("report_age_s") < 60
    assert first == {
        "address": A, "ready": True, "state": "ready", "tasks": 3, "limit": 10, "load": 3, "memory_mib": 1.0,
        "cpu": 0.0, "peak": 0, "begun": 0, "finished": 0, "weight": 1, "zone": "z1", "tier": 0,
    }  # fmt: skip
    assert (second["address"], second["report_age_s"]) == (B, None)


def test_status_is_a_table_for_readers(balancer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", f"-lb={balancer}"]) == 0
    head, columns, first, second = capsys.readouterr().out.splitlines()
    assert "least_load:choices=auto" in head
    assert columns.split()[:4] == ["address", "state", "tasks", "limit"]
    assert first.split()[:4] == [A, "ready", "3", "10"]
    assert second.split()[:3] == [B, "ready", "0"]


def test_drain_and_undrain(balancer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["drain", A, "--lb", balancer]) == 0
    assert "draining" in capsys.readouterr().out
    assert cli.main(["undrain", A, "--lb", balancer]) == 0
    assert "draining" not in capsys.readouterr().out


def test_who_is_not_there_cannot_be_drained(balancer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["drain", "127.0.0.1:9", "--lb", balancer]) == 1
    assert capsys.readouterr().err == f"lbsuite drain: {balancer}: 127.0.0.1:9 is not registered\n"


@pytest.mark.parametrize("command", [["status"], ["drain", A], ["undrain", A]])
def test_a_balancer_that_does_not_answer_is_one_line_and_status_3(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*command, "--lb", "127.0.0.1:1"]) == 3
    assert capsys.readouterr().err == f"lbsuite {command[0]}: no balancer answers at 127.0.0.1:1\n"


@pytest.mark.parametrize(
    "words", [["drain"], ["drain", "nohost"], ["status", "--lb", "x"], ["status", "--service", "a/b"]]
)
def test_a_bad_flag_is_one_line_and_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_ctrl_c_while_a_balancer_is_silent_ends_without_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        words = ("status", "--lb", f"127.0.0.1:{silent.getsockname()[1]}")
        asking = subprocess.Popen((sys.executable, "-m", "lbsuite", *words), stderr=subprocess.PIPE, text=True)
        silent.settimeout(20)
        silent.accept()[0].close()
        asking.send_signal(signal.SIGINT)
        assert asking.communicate(timeout=20)[1] == ""
        assert asking.returncode == cli.INTERRUPTED
