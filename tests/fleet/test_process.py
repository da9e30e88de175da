"""Children that stand in for balancers and backends: any program that says `ready` and obeys signals."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence

import psutil
import pytest

from lbsuite.errors import StartFailed
from lbsuite.fleet import Lbsuite
from waiting import eventually

PROGRAM = """
import signal, socket, sys, time
def drain(*_):
    print("draining", file=sys.stderr)
    sys.exit(0)
signal.signal(signal.SIGTERM, drain)
host, port = sys.argv[1].rsplit(":", 1)
door = socket.create_server((host, int(port)))
print("starting", file=sys.stderr)
print("ready lb 127.0.0.1:%d" % door.getsockname()[1], flush=True)
"""
OBEYS = PROGRAM + "signal.pause()"
IGNORES = PROGRAM.replace("SIGTERM, drain", "SIGTERM, signal.SIG_IGN") + "signal.pause()"
CHATTERS = (
    PROGRAM + "print('x' * 10**6); print('y' * 10**6, file=sys.stderr); print('done', file=sys.stderr); signal.pause()"
)


class Program(Lbsuite):
    """A child that runs Python code in place of lbsuite."""

    def __init__(self, code: str) -> None:
        super().__init__("lb")
        self.code = code

    def _argv(self) -> Sequence[str]:
        return (sys.executable, "-S", "-c", self.code, self.address)


@pytest.fixture
async def run() -> AsyncIterator[Callable[[str], Program]]:
    """Makes children, and sees to their end."""
    async with contextlib.AsyncExitStack() as stack:

        def make(code: str) -> Program:
            program = Program(code)
            stack.push_async_callback(program.kill)
            return program

        yield make


Run = Callable[[str], Program]


async def test_is_ready_when_it_says_so_and_its_address_is_the_one_it_says(run: Run) -> None:
    program = run(OBEYS)
    assert not program.running
    await program.ended()
    with pytest.raises(StartFailed, match="never started"):
        await program.stop()
    await program.start(20)
    assert program.running
    host, port = program.address.split(":")
    assert (host, int(port) > 0) == ("127.0.0.1", True)
    with pytest.raises(StartFailed, match="runs already"):
        await program.start(20)


async def test_stopping_lets_it_drain_and_tells_its_exit_status(run: Run) -> None:
    program = run(OBEYS)
    await program.start(20)
    assert await program.stop() == 0
    assert program.stderr_tail == "starting\ndraining"
    assert (program.running, program.exit_status) == (False, 0)
    assert await program.stop() == 0


async def test_one_that_will_not_stop_is_killed(run: Run) -> None:
    program = run(IGNORES)
    await program.start(20)
    assert await program.stop(drain_s=0.1) == -signal.SIGKILL


async def test_a_paused_one_stops_all_the_same(run: Run) -> None:
    program = run(OBEYS)
    await program.start(20)
    program.pause()
    await eventually(lambda: psutil.Process(program.pid).status() == psutil.STATUS_STOPPED)
    assert await program.stop() == 0


async def test_comes_back_at_the_same_address(run: Run) -> None:
    program = run(OBEYS)
    await program.start(20)
    address, pid = program.address, program.pid
    await program.kill()
    assert program.exit_status == -signal.SIGKILL
    await program.restart(20)
    assert program.address == address
    assert program.pid != pid


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys; sys.exit('no such flag')", "ended with status 1: no such flag"),
        ("print('hello', flush=True); import time; time.sleep(60)", "did not say that it is ready, but: 'hello'"),
        ("print('ready lb nowhere', flush=True); import time; time.sleep(60)", "but: 'ready lb nowhere'"),
        ("import time; time.sleep(60)", "was not ready within 0.5 s: it said nothing"),
        ("import os, time; os.close(1); time.sleep(60)", "was not ready within 0.5 s: it said nothing"),
    ],
)
async def test_one_that_does_not_come_up_is_a_start_failed_and_no_process(run: Run, code: str, message: str) -> None:
    program = run(code)
    with pytest.raises(StartFailed, match=message):
        await program.start(ready_s=0.5 if "within" in message else 20)
    assert not program.running


async def test_giving_up_on_a_start_leaves_no_process(run: Run) -> None:
    program = run("import sys, time; print('here', file=sys.stderr, flush=True); time.sleep(60)")
    starting = asyncio.create_task(program.start(60))
    await eventually(lambda: program.stderr_tail == "here")
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    assert starting.cancelled()
    assert not program.running


async def test_much_output_blocks_nobody(run: Run) -> None:
    program = run(CHATTERS)
    await program.start(20)
    await eventually(lambda: program.stderr_tail.endswith("done"))
    assert await program.stop() == 0


async def test_a_child_is_in_our_session_but_out_of_reach_of_the_terminal(run: Run) -> None:
    program = run(OBEYS)
    await program.start(20)
    assert os.getsid(program.pid) == os.getsid(0)
    assert os.getpgid(program.pid) == program.pid


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
async def test_a_child_does_not_outlive_a_parent_that_was_killed() -> None:
    parent = (
        "import asyncio, os, signal\n"
        "from lbsuite.fleet import Process\n"
        "class Sleeper(Process):\n"
        "    def _argv(self): return ('sh', '-c', 'echo here; exec sleep 60')\n"
        "    async def _ready(self, lines): await lines.get()\n"
        "async def main():\n"
        "    child = Sleeper('sleeper', '127.0.0.1:0')\n"
        "    await child.start()\n"
        "    print(child.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", parent], capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    with contextlib.suppress(psutil.NoSuchProcess):
        await asyncio.to_thread(psutil.Process(int(ended.stdout)).wait, 10)
