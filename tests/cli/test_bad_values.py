"""A bad value for any flag of any command is one clear line with the value, and exit status 2."""

import argparse
import importlib
import subprocess
import sys

import pytest

from lbsuite.cli import COMMANDS
from lbsuite.cli.arguments import Parser

NONSENSE = "no such\tthing!"
ANY_TEXT = {
    *("etcd_user", "etcd_ca", "etcd_cert", "etcd_key", "csv", "plot", "record", "events", "node", "help"),
    *("access_log", "backends_file", "tls_cert", "tls_key"),
}
"""Flags that take any text; what it stands for is checked when it is used."""


def parser_of(command: str) -> Parser:
    parser = Parser(prog=f"lbsuite {command}", description=COMMANDS[command])
    importlib.import_module(f"lbsuite.cli.{'drain' if command == 'undrain' else command}").add_flags(parser)
    return parser


def flags() -> list[tuple[str, argparse.Action]]:
    return [
        (command, action)
        for command in COMMANDS
        for action in parser_of(command)._actions
        if action.nargs != 0 and action.dest not in ANY_TEXT and (command, action.dest) != ("explain", "key")
    ]


def words_before(command: str, flag: argparse.Action) -> list[str]:
    """What else the command must be told."""
    needed = [action for action in parser_of(command)._actions if action.required and action.dest != flag.dest]
    fine = {"place": "5", "stress": "http://127.0.0.1:1/"}.get(command, "127.0.0.1:1")
    return [word for action in needed for word in (*action.option_strings[:1], fine)]


@pytest.mark.parametrize(("command", "flag"), flags(), ids=lambda value: getattr(value, "dest", value))
def test_nonsense_is_refused_in_one_line(
    command: str, flag: argparse.Action, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [f"{flag.option_strings[0]}={NONSENSE}"] if flag.option_strings else [NONSENSE]
    with pytest.raises(SystemExit) as end:
        parser_of(command).read([*words_before(command, flag), *given])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"lbsuite {command}: ")
    assert "no such" in line


@pytest.mark.parametrize(
    ("words", "blamed"),
    [
        (["servers", "-n", "0"], "'0'"),
        (["servers", "--lb", "127.0.0.1:1", "--policy", "random"], "--policy"),
        (["lb", "--listen", "127.0.0.1:70000"], "127.0.0.1:70000"),
        (["lb", "--admin", "127.0.0.1:70000"], "127.0.0.1:70000"),
        (["servers", "--lb", "127.0.0.1:1", "--admin", "127.0.0.1:0"], "--admin"),
        (["servers", "--lb", "127.0.0.1:1", "--xds-port", "0"], "--xds-port"),
        (["lb", "--xds-policy", "round_robin"], "--xds-port"),
        (["lb", "--xds-policy", "pick_first"], "'pick_first'"),
        (["lb", "--xds-policy", "least_request:choices=1"], "'1'"),
        (["lb", "--xds-policy", "client_side_weighted_round_robin:blackout=1"], "'blackout=1'"),
        (["lb", "--etcd", "127.0.0.1:1", "--no-etcd"], "--no-etcd"),
        (["lb", "--etcd-user", "root"], "--etcd"),
        (["backend", "--listen", "127.0.0.1:0", "--etcd-layout", "both"], "--etcd-layout without --etcd"),
        (["lb", "--allow", "10.0.0.1/8"], "10.0.0.1/8"),
        (["lb", "--policy", "least_load:choices=0"], "'0'"),
        (["lb", "--policy", "prequal"], "prequal needs probes"),
        (["servers", "--policy", "prequal"], "prequal needs probes"),
        (["lb", "--stage", "slow_start:window_s=-1"], "window_s is in 0.001..1e+06, not '-1'"),
        (["lb", "--stage", "subset:k=0"], "k is a whole number in 1..1000000, not '0'"),
        (["lb", "--stage", "prefer_zone:zone=a\tb"], "zone is printable, not 'a\\tb'"),
        (["lb", "--stage", "tiers", "--stage", "tiers"], "tiers tiers"),
        (["backend", "--listen", "127.0.0.1:0", "--tier", "1001"], "'1001'"),
        (["backend", "--listen", "127.0.0.1:0", "--weight", "0"], "'0'"),
        (["backend"], "--listen"),
        (["backend", "--listen", "0.0.0.0:0"], "--advertise"),
        (["client", "--clients", "-3"], "-3"),
        (["stress", "--url", "ftp://a"], "ftp://a"),
        (["stress", "--url", "http://a", "--requests", "1.5"], "1.5"),
        (["stress", "--url", "http://a", "--concurrency", "0"], "0"),
        (["stress", "--url", "http://a", "--rate", "-1"], "-1"),
        (["stress", "--url", "http://a", "--server-header", "a b"], "a b"),
        (["stress", "--url", "http://a", "--csv", "/nowhere/x"], "/nowhere/x"),
        (["client", "--duration", "nan"], "nan"),
        (["client", "--priority", "-1"], "-1"),
        (["backend", "--listen", "127.0.0.1:0", "--max-big-n", "100000001"], "'100000001'"),
        (["lb", "--stage", "size_guard"], "size_guard needs to hear of each end"),
        (["lb", "--stage", "max_age:age_s=60"], "max_age needs a host that ends streams"),
        (["client", "--task", "dance:1"], "dance"),
        (["client", "--cost", "0"], "1..4294967295: '0'"),
        (["client", "--task", "mix:normal:1"], "'normal'"),
        (["client", "--strategy", "fastest"], "fastest"),
        (["drain"], "ADDR"),
        (["proxy"], "--backends"),
        (["proxy", "--backends", "127.0.0.1:1", "--etcd", "127.0.0.1:1"], "--backends"),
        (["proxy", "--backends-file", "/no/such/file"], "/no/such/file"),
        (["proxy", "--backends", "127.0.0.1:1", "--roster", "split", "--policy", "random"], "split"),
        (["proxy", "--backends", "127.0.0.1:1", "--policy", "prequal"], "prequal needs probes"),
        (["proxy", "--backends", "127.0.0.1:1", "--key", "header:"], "'header:'"),
        (["proxy", "--backends", "127.0.0.1:1", "--tls-cert", "a.pem"], "--tls-key"),
        (["proxy", "--backends", "127.0.0.1:1", "--health-codes", "200-"], "'200-'"),
        (["proxy", "--backends", "127.0.0.1:1", "--listen", ":70000"], ":70000"),
        (["dummy", "--listen", "127.0.0.1:65535", "-n", "2"], "65535"),
        (["status", "--colour"], "--colour"),
        (["fly"], "fly"),
    ],
)
def test_a_command_that_cannot_be_run_ends_with_status_2(words: list[str], blamed: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "lbsuite", *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert blamed.lower() in line.lower()
    assert not ended.stdout
