"""How the commands that run until a signal end."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio
from lbsuite.cli import daemon
async def run():
    stop = daemon.stop_event()
    daemon.ready("nothing", "127.0.0.1:1")
    await stop.wait()
    print("stopping", flush=True)
    await asyncio.sleep(600)
asyncio.run(run())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_is_taken_the_second_kills(number: signal.Signals) -> None:
    with subprocess.Popen((sys.executable, "-c", PROGRAM), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready nothing 127.0.0.1:1\n"
            process.send_signal(number)
            assert process.stdout.readline() == "stopping\n"
            process.send_signal(number)
            assert process.wait(timeout=20) == -number
        finally:
            process.kill()
