"""`lbsuite servers` as its user sees it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from terminals import open_terminal

DEADLINE_S = 30.0


def servers(*flags: str, **settings: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lbsuite", "servers", *flags]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings
    )


def lbsuite(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lbsuite", *words], capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_a_fleet_that_works_and_leaves_nothing(number: signal.Signals) -> None:
    with servers("-n", "2", "--listen", "127.0.0.1:0") as running:
        assert running.stdout is not None
        address = re.fullmatch(r"ready servers (\S+)\n", running.stdout.readline())
        assert address
        children = psutil.Process(running.pid).children(recursive=True)
        assert len(children) == 4  # etcd, a balancer, two backends
        status = json.loads(lbsuite("status", "--lb", address[1], "--json").stdout)
        assert [endpoint["ready"] for endpoint in status["endpoints"]] == [True, True]
        ended = lbsuite("client", "--clients=2", "--duration=0.5", "--task=fib:20", f"--lb={address[1]}", "--json")
        assert ended.returncode == 0, ended.stderr
        assert json.loads(ended.stdout)["lost"] == 0
        running.send_signal(number)
        assert running.wait(DEADLINE_S) == 0
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive


def test_more_backends_join_a_balancer_that_runs() -> None:
    with servers("-n", "1", "--listen", "127.0.0.1:0", "--no-etcd") as first:
        address = first.stdout.readline().split()[-1]
        with servers("-n", "2", "--lb", address) as second:
            assert second.stdout.readline() == f"ready servers {address}\n"
            status = json.loads(lbsuite("status", "--lb", address, "--json").stdout)
            assert len(status["endpoints"]) == 3
            second.terminate()
            assert second.wait(DEADLINE_S) == 0
        status = json.loads(lbsuite("status", "--lb", address, "--json").stdout)
        assert len(status["endpoints"]) == 1
        first.terminate()
        assert first.wait(DEADLINE_S) == 0


def test_what_its_children_log_is_passed_on() -> None:
    with servers("-n", "1", "--listen", "127.0.0.1:0", "--no-etcd") as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline().startswith("ready servers ")
        running.terminate()
        assert running.wait(DEADLINE_S) == 0
        assert "served 0 tasks" in running.stderr.read()


def test_a_taken_port_is_one_clear_line() -> None:
    with servers("-n", "1", "--listen", "127.0.0.1:0", "--no-etcd") as first:
        address = first.stdout.readline().split()[-1]
        ended = lbsuite("servers", "-n", "1", "--listen", address, "--no-etcd", "--policy", "random")
        assert ended.returncode == 1
        assert address in ended.stderr
        assert "Traceback" not in ended.stderr
        first.terminate()
        first.wait(DEADLINE_S)


def test_an_address_that_backends_cannot_dial_is_refused_before_anything_starts() -> None:
    ended = lbsuite("servers", "--listen", "0.0.0.0:0", "--no-etcd")
    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (2, "", 1)
    assert "0.0.0.0:0" in ended.stderr


def test_balancers_that_do_not_answer_are_one_line_with_status_3() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = lbsuite("servers", "-n", "1", "--lb", address)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == f"lbsuite servers: no balancer answers at {address}\n"


def test_a_balancer_that_dies_ends_it_with_one_line_and_the_cause() -> None:
    with servers("-n", "2", "--listen", "127.0.0.1:0", "--no-etcd") as running:
        running.stdout.readline()
        child = next(c for c in psutil.Process(running.pid).children() if "lb" in c.cmdline())
        child.kill()
        _, said = running.communicate(timeout=DEADLINE_S)
        assert running.returncode == 1
        (own,) = [line for line in said.splitlines() if line.startswith("lbsuite servers: ")]
        assert "ended with status -9" in own
        assert "Traceback" not in said


def test_on_a_terminal_it_asks_for_the_policy_and_shows_a_line_a_backend() -> None:
    main, terminal = open_terminal()
    command = [sys.executable, "-m", "lbsuite", "servers", "-n", "2", "--listen", "127.0.0.1:0", "--no-etcd"]
    running = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
    os.close(terminal)
    try:
        _read_until(main, r"\[\d+\]: ")
        os.write(main, b"round_robin\n")
        shown = _read_until(main, r"MiB[^\n]*\n[^\n]*MiB")
        assert "round_robin" in shown
        running.terminate()
        _read_to_end(main)
        assert running.wait(DEADLINE_S) == 0
    finally:
        running.kill()
        running.wait()
        os.close(main)


def _read_until(main: int, pattern: str) -> str:
    text, ends_at = "", time.monotonic() + DEADLINE_S
    while not re.search(pattern, text):
        assert time.monotonic() < ends_at, text
        text += os.read(main, 4096).decode()
    return text


def _read_to_end(main: int) -> None:
    try:
        while os.read(main, 4096):
            pass
    except OSError:  # what Linux says when the last process has closed the terminal
        pass
