"""The question which policy to run, asked on a real terminal."""

import asyncio
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Self

import grpc.aio
import pytest

from lbsuite.wire import messages, services
from terminals import open_terminal

DEADLINE_S = 30.0
READY = re.compile(r"ready lb (\S+)")
QUESTION = re.compile(r"Policy \[\d+\]: ")
A, B = "127.0.0.1:1", "127.0.0.2:1"

# Makes the pty on stdin the terminal of a session of its own, so that a typed Ctrl-C is a signal there.
_ON_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """`lbsuite lb` with a terminal for stdin, stdout and stderr."""

    def __init__(self, *flags: str) -> None:
        self._screen, slave = open_terminal()
        command = (sys.executable, "-m", "lbsuite", "lb", "--listen", "127.0.0.1:0", "--no-etcd", *flags)
        self._process = subprocess.Popen(
            (sys.executable, "-c", _ON_TERMINAL, *command), stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)
        self.text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._screen)

    def type(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def shows(self, pattern: str | re.Pattern[str]) -> re.Match[str]:
        """Waits for it on the screen, and takes away what is up to there."""
        end = time.monotonic() + DEADLINE_S
        while not (found := re.search(pattern, self.text)):
            assert self._read(end), f"never showed {pattern!r}: {self.text!r}"
        self.text = self.text[found.end() :]
        return found

    def ends(self, signalled: signal.Signals | None = None) -> int:
        """The exit status, after everything it wrote is read."""
        if signalled:
            self._process.send_signal(signalled)
        end = time.monotonic() + DEADLINE_S
        while self._read(end):
            pass
        return self._process.wait(max(0.0, end - time.monotonic()))

    def _read(self, end: float) -> bool:
        """False at the end of its output; fails at the deadline."""
        readable, _, _ = select.select([self._screen], [], [], max(0.0, end - time.monotonic()))
        assert readable, f"silent since {self.text!r}"
        try:
            more = os.read(self._screen, 4096)
        except OSError:  # how Linux says that the other side of a pty is closed
            return False
        self.text += more.decode()
        return bool(more)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with Terminal() as terminal:
        yield terminal


def picks_by_pick_first(balancer: str) -> tuple[str, set[str]]:
    """The balancer's policy, and whom two wishes for PICK_FIRST get of two endpoints."""

    async def ask() -> tuple[str, set[str]]:
        async with grpc.aio.insecure_channel(balancer) as channel:
            calls = services.stub(channel, "LoadBalancer")
            for address in (A, B):
                await calls.RegisterServer(messages.ServerInfo(address=address), timeout=DEADLINE_S)
            request = messages.BalanceRequest(strategy="PICK_FIRST")
            picks = [await calls.GetBestServer(request, timeout=DEADLINE_S) for _ in range(2)]
            status = await calls.Status(messages.StatusRequest(), timeout=DEADLINE_S)
            return status.policy, {pick.address for pick in picks}

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("answer", "policy"),
    [("2", "round_robin"), ("round_robin", "round_robin"), ("", "least_load:choices=auto")],
    ids=["number", "name", "enter"],
)
def test_the_policy_chosen_is_fixed_for_the_run(terminal: Terminal, answer: str, policy: str) -> None:
    terminal.shows(r"2\s+round_robin")
    terminal.shows(QUESTION)
    terminal.type(f"{answer}\n")
    assert picks_by_pick_first(terminal.shows(READY)[1]) == (policy, {A, B})
    assert terminal.ends(signal.SIGTERM) == 0


def test_a_wrong_answer_is_told_and_asked_again(terminal: Terminal) -> None:
    for wrong in ("0", "99", "-1", "bogus", "least_load:choices=none"):
        terminal.shows(QUESTION)
        terminal.type(f"{wrong}\n")
        terminal.shows(f"'{wrong.rpartition('=')[2]}'")
    terminal.shows(QUESTION)
    terminal.type("1\n")
    terminal.shows(READY)
    assert terminal.ends(signal.SIGTERM) == 0
    assert "Traceback" not in terminal.text


@pytest.mark.parametrize("key", ["\x04", "\x03"], ids=["end of input", "Ctrl-C"])
def test_leaving_the_question_ends_cleanly(terminal: Terminal, key: str) -> None:
    terminal.shows(QUESTION)
    terminal.type(key)
    assert terminal.ends() == 0
    assert "Traceback" not in terminal.text
    assert "ready" not in terminal.text


def test_who_names_a_policy_is_not_asked_and_it_is_not_fixed() -> None:
    with Terminal("--policy", "round_robin") as terminal:
        assert picks_by_pick_first(terminal.shows(READY)[1]) == ("round_robin", {A})
        assert "Policy [" not in terminal.text


def test_without_a_terminal_nobody_is_asked() -> None:
    command = (sys.executable, "-m", "lbsuite", "lb", "--listen", "127.0.0.1:0", "--no-etcd")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = READY.fullmatch(process.stdout.readline().strip())
            assert ready
            assert picks_by_pick_first(ready[1]) == ("least_load:choices=auto", {A})
        finally:
            process.kill()
