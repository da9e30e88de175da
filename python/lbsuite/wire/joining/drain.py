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
from lbsuite.wire.joining.enrolment import Enrolment
from lbsuite.wire.joining.sync_enrolment import SyncEnrolment

LAST_S = 1.0
"""How long calls may go on that have outlasted the drain."""
_HANDLED_S = 5.0


def check(server: Any) -> None:
    """Raises ValueError where `on_sigterm` cannot be called: outside the main thread, or the loop of the server."""
    if threading.current_thread() is not threading.main_thread():
        raise ValueError("signals=True: only the main thread can say what a signal does")
    if isinstance(server, grpc.aio.Server):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise ValueError("signals=True: join is called on the event loop of the server") from None


def on_sigterm(server: Any, enrolment: Enrolment | SyncEnrolment, drain_s: float) -> None:
    """From now on the first SIGTERM drains the server for `drain_s`, calls the handler that was there before and stops
    the server; a second SIGTERM calls that handler at once, or kills where there is none."""
    if isinstance(enrolment, SyncEnrolment):
        _on_threads(server, enrolment, drain_s)
    else:
        _on_loop(server, enrolment, drain_s)


def _on_loop(server: Any, enrolment: Enrolment, drain_s: float) -> None:
    loop = asyncio.get_running_loop()
    draining: list[asyncio.Task[None]] = []

    async def drain() -> None:
        await enrolment.leave()
        await enrolment.idle(drain_s)
        order.pass_on()
        await server.stop(LAST_S)

    order = _Order(lambda: loop.call_soon_threadsafe(lambda: draining.append(background.start(drain(), "drain"))))


def _on_threads(server: Any, enrolment: SyncEnrolment, drain_s: float) -> None:
    def drain() -> None:
        enrolment.leave()
        enrolment.idle(drain_s)
        order.pass_on()
        order.passed_on.wait(_HANDLED_S)
        server.stop(LAST_S).wait()

    order = _Order(lambda: threading.Thread(target=drain, name="drain").start())


class _Order:
    """The SIGTERM of this process: the first begins the drain, the second goes to who was there before."""

    def __init__(self, begin: Callable[[], object]) -> None:
        self._begin = begin
        self.passed_on = threading.Event()
        """The handler that was there before has been called, or there is none."""
        self._before: Any = signal.signal(signal.SIGTERM, self._first)

    def pass_on(self) -> None:
        """The drain is over: the handler that was there before is called, in the main thread as ever."""
        # That of an asyncio loop is called by the loop itself, at every signal, whoever else handles it.
        of_a_loop = getattr(self._before, "__module__", "").startswith("asyncio.")
        if not callable(self._before) or of_a_loop:
            self.passed_on.set()
        elif not self.passed_on.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    def _first(self, number: int, frame: FrameType | None) -> None:
        signal.signal(number, self._second)
        self._begin()

    def _second(self, number: int, frame: FrameType | None) -> None:
        # None: it was set by another language than Python.
        signal.signal(number, signal.SIG_DFL if self._before is None else self._before)
        try:
            if callable(self._before):
                self._before(number, frame)
            else:
                signal.raise_signal(number)
        finally:
            self.passed_on.set()
