"""`place`: the seed's listing, what events do, and what is refused."""

import io
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lbsuite import cli


def told(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> tuple[str, str]:
    assert cli.main(["place", *words]) == status
    return capsys.readouterr()


def fed(monkeypatch: pytest.MonkeyPatch, *events: object) -> None:
    """Stdin: JSON of each, or a str as it stands."""
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_the_listing_is_the_seed_s(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = told(capsys, "--servers", "5", "--objects", "4095", "--down", "10.1.0.1")
    lines = out.splitlines()
    assert lines[0] == "total servers 5, active 4, objects 4095"
    assert lines[1].split() == ["server", "id", "status", "cpu", "memory", "objects"]
    assert lines[2].split() == ["10.1.0.1", "-1", "down", "-", "-", "0"]
    assert [line.split()[1:3] for line in lines[3:7]] == [[str(i), "up"] for i in range(4)]
    assert sorted(int(line.split()[-1]) for line in lines[3:7]) == [1023, 1024, 1024, 1024]
    assert lines[7].startswith("down 10.1.0.1: moved ")
    assert lines[7].endswith(", minimum 819")


def test_the_log_moves_the_minimum_and_batches_are_summed(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = told(capsys, "--servers", "5", "--down", "10.1.0.1", "10.1.0.2", "--up", "10.1.0.1", "--log")
    assert out.splitlines()[-3:] == [
        "down 10.1.0.1 10.1.0.2: moved 1639, minimum 1639",
        "up 10.1.0.1: moved 1024, minimum 1024",
        "in all: moved 2663, minimum 2663",
    ]


@pytest.mark.parametrize("log", [[], ["--log"]])
def test_as_many_servers_as_there_may_be_are_listed_at_once(log: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = told(capsys, "--servers", "4095", "--json", *log)
    listed = json.loads(out)
    assert (listed["total"], listed["active"], len(listed["servers"])) == (4095, 4095, 4095)
    assert [entry["id"] for entry in listed["servers"]] == list(range(4095))
    assert sum(entry["objects"] for entry in listed["servers"]) == 4096


def test_weights_share_out_and_come_back_with_their_server(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fed(monkeypatch, {"event": "down", "servers": ["10.1.0.3"]}, {"event": "up", "servers": ["10.1.0.3"]})
    out, _ = told(capsys, "--servers", "3", "--objects", "500", "--weights", "10.1.0.3=3", "--json", "--events", "-")
    *batches, whole = map(json.loads, out.splitlines())
    assert [batch["change"] for batch in batches] == ["down 10.1.0.3", "up 10.1.0.3"]
    assert [entry["objects"] for entry in whole["servers"]] == [100, 100, 300]
    assert whole["servers"][2]["weight"] == 3


def test_what_a_server_tells_of_itself_is_listed_and_weighs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fed(monkeypatch, {"event": "status", "server": "10.1.0.2", "cpu": 0.75, "memory": 0.25})
    out, _ = told(capsys, "--servers", "2", "--objects", "100", "--log", "--events", "-")
    assert out.splitlines()[3:5] == [
        "10.1.0.1           0 up         -      -      80",
        "10.1.0.2           1 up      0.75   0.25      20",
    ]


NONSENSE = {
    "": "Expecting value",
    "[]": "no such event: []",
    '{"event": "up", "servers": "10.1.0.9"}': "no such event",
    '{"event": "up", "servers": ["::1"]}': "not an IPv4 address: '::1'",
    '{"event": "up", "servers": ["10.1.0.8", "10.1.0.8"]}': "a server twice: 10.1.0.8",
    '{"event": "up", "servers": ["10.1.0.1\\n"]}': "not an IPv4 address",
    '{"event": "down", "servers": ["10.9.0.9"]}': "not one of the servers: '10.9.0.9'",
    '{"event": "down", "servers": [["x"]]}': "not an IPv4 address: ['x']",
    '{"event": "down", "servers": ["10.1.0.1", "10.1.0.2"]}': "servers up out of 1..4095: 0",
    '{"event": "status", "server": "10.1.0.1", "cpu": NaN}': "cpu of 10.1.0.1 out of 0..1: nan",
    '{"event": "status", "server": "10.1.0.1", "cpu": 1' + "0" * 400 + "}": "too large",
    '{"event": "status", "server": "10.1.0.1", "cpu": 0, "memory": null}': "bad memory: None",
    '{"event": "status", "server": "10.1.0.9", "cpu": 0}': "'10.1.0.9', which is not up",
    "[" * 100_000: "recursion",
}


@pytest.mark.parametrize("event", NONSENSE, ids=lambda event: event[:60])
def test_an_event_that_makes_no_sense_is_one_line_and_changes_nothing(
    event: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fed(monkeypatch, event, {"event": "up", "servers": ["10.1.0.3"]})
    out, err = told(capsys, "--servers", "2", "--log", "--events", "-", status=1)
    assert NONSENSE[event] in err
    assert err.count("\n") == 1
    assert out.splitlines()[-1] == "up 10.1.0.3: moved 1365, minimum 1365"


def test_events_come_over_a_unix_socket_that_is_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "events"
    words = [sys.executable, "-m", "lbsuite", "place", "--servers", "2", "--events", str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"ready place {path}\n"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b'\xff\n{"event": "down", "servers": ["10.1.0.2"]}\n')
        out, err = process.communicate(timeout=60)
    assert out.splitlines()[0] == "down 10.1.0.2: moved 2048, minimum 2048"
    assert err.count("\n") == 1
    assert process.returncode == 1
    assert not path.exists()


def test_the_plot_is_a_png(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "--servers", "3", "--down", "10.1.0.2", "--plot", str(tmp_path / "a.png"))
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG\r\n")


BAD = {
    "0 servers": ("--servers 0", "0"),
    "4096 servers": ("--servers 4096", "4096"),
    "a server twice": ("--servers 10.0.0.1,10.0.0.1", "10.0.0.1"),
    "nobody": ("--servers 0.0.0.0", "0.0.0.0"),
    "leading zeros": ("--servers 10.0.0.01", "10.0.0.01"),
    "no objects": ("--servers 5 --objects 0", "0"),
    "too many objects": ("--servers 5 --objects 4097", "4097"),
    "a stranger down": ("--servers 5 --down 10.9.9.9", "10.9.9.9"),
    "one down twice": ("--servers 5 --down 10.1.0.1 10.1.0.1", "10.1.0.1"),
    "one up twice": ("--servers 5 --up 10.1.0.9 10.1.0.9", "10.1.0.9"),
    "all down": ("--servers 1 --down 10.1.0.1", "0"),
    "one too many up": ("--servers 4095 --up 10.9.9.9", "4096"),
    "a weight of 0": ("--servers 5 --weights 10.1.0.1=0", "10.1.0.1=0"),
    "a weight of 65": ("--servers 5 --weights 10.1.0.1=65", "10.1.0.1=65"),
    "a weight for nobody": ("--servers 5 --weights 10.9.0.1=5", "10.9.0.1"),
    "two weights": ("--servers 5 --weights 10.1.0.1=2 10.1.0.1=3", "10.1.0.1"),
    "modulo with weights": ("--servers 5 --weights 10.1.0.1=2 --kind modulo", "modulo takes no weights"),
    "a kind": ("--servers 5 --kind best", "best"),
    "a socket nowhere": ("--servers 5 --events /nonexistent/x", "/nonexistent/x"),
    "a socket that is there": ("--servers 5 --events /dev/null", "/dev/null"),
    "a long socket": (f"--servers 5 --events {'x' * 108}", "x" * 108),
    "a plot nowhere": ("--servers 5 --plot /nonexistent/a.png", "/nonexistent/a.png"),
    "a plot of another kind": ("--servers 5 --plot a.xyz", "a.xyz"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_flag_is_one_line_with_the_value(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    words, blamed = BAD[case]
    with pytest.raises(SystemExit) as ended:
        cli.main(["place", *words.split()])
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert out == ""
    assert blamed in err
    assert err.count("\n") == 1
