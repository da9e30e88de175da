"""SIGTERM as the order to leave in good order."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import grpc
import grpc.aio

from lbsuite import background


def on_sigterm(server: Any, drain_s: float) -> None:
    """From now on the first SIGTERM stops the server within `drain_s`, and then calls the handler that was there
    before; a second SIGTERM calls that at once, or kills where there is none.

    Raises ValueError outside the main thread, and for a grpc.aio server outside its event loop.
    """
    if threading.current_thread() is not threading.main_thread():
        raise ValueError("signals=True: only the main thread can say what a signal does")
    _Order(_stopper(server, drain_s)).stand_by()


class _Order:
    """One process's SIGTERM."""

    def __init__(self, stop: Callable[[Callable[[], None]], None]) -> None:
        self._stop = stop
        self._before: Any = signal.SIG_DFL
        self._passed_on = False

    def stand_by(self) -> None:
        self._before = signal.signal(signal.SIGTERM, self._first)

    def _first(self, number: int, frame: FrameType | None) -> None:
        signal.signal(number, self._second)
        self._stop(self._stopped)

    def _second(self, number: int, frame: FrameType | None) -> None:
        self._passed_on = True
        # What cannot be put back was set by another language than Python.
        signal.signal(number, signal.SIG_DFL if self._before is None else self._before)
        signal.raise_signal(number)

    def _stopped(self) -> None:
        """The server has stopped: its process ends by itself, or by the handler that was there before."""
        # A handler of an asyncio loop is called by that loop, at every signal, whoever else handles it.
        of_a_loop = getattr(self._before, "__module__", "").startswith("asyncio.")
        if callable(self._before) and not of_a_loop and not self._passed_on:
            # By a signal, as handlers run in the main thread alone.
            os.kill(os.getpid(), signal.SIGTERM)


def _stopper(server: Any, drain_s: float) -> Callable[[Callable[[], None]], None]:
    """Stops the server beside whatever goes on, and then calls what it is given."""
    if not isinstance(server, grpc.aio.Server):

        def stop(stopped: Callable[[], None]) -> None:
            server.stop(drain_s).wait()
            stopped()

        return lambda stopped: threading.Thread(target=stop, args=(stopped,), name="drain").start()
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise ValueError("signals=True: join is called on the event loop of the server") from None

    async def stop_on_loop(stopped: Callable[[], None]) -> None:
        await server.stop(drain_s)
        stopped()

    def start(stopped: Callable[[], None]) -> None:
        draining.append(background.start(stop_on_loop(stopped), "drain"))

    def order(stopped: Callable[[], None]) -> None:
        loop.call_soon_threadsafe(start, stopped)

    draining: list[asyncio.Task[None]] = []
    return order
