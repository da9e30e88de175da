"""The enrolment of a server with threads: its reports go out from a thread of their own."""

import asyncio
import atexit
import threading
import time
from types import TracebackType
from typing import Self

from lbsuite.wire.joining.desk import SyncDesk
from lbsuite.wire.joining.enrolment import Enrolment, EnrolmentSettings
from lbsuite.wire.joining.limiter import Limiter
from lbsuite.wire.joining.orca import Orca

PATIENCE_S = 10.0
"""Longer than starting and leaving take, whoever does not answer."""


class SyncEnrolment:
    """What `lbsuite.join` gives for a grpc.Server: Enrolment for callers that wait. Any thread may call it."""

    def __init__(self, address: str, settings: EnrolmentSettings) -> None:
        self.inner = Enrolment(address, settings)
        self._lock = threading.Lock()
        self._started, self._gone = threading.Event(), threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._order = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"enrolment of {address}", daemon=True)
        self.begun = self._left = False
        self.desk: SyncDesk | None = None

    @property
    def address(self) -> str:
        return self.inner.address

    @property
    def limiter(self) -> Limiter:
        return self.inner.limiter

    @property
    def orca(self) -> Orca:
        return self.inner.orca

    @property
    def named_metrics(self) -> dict[str, float]:
        """What the user wants told of the server beside its load (gRFC A51); may be changed at any time."""
        return self.inner.named_metrics

    def start(self) -> None:
        """As `Enrolment.start`."""
        with self._lock:
            if not self.begun and not self._left:
                self.begun = True
                if self.desk is not None:
                    self.desk.open()
                self._thread.start()
                # Who ends without a word to the server still says good-bye to the fleet.
                atexit.register(self.leave)
        if self.begun:
            self._started.wait(PATIENCE_S)

    def leave(self) -> None:
        """As `Enrolment.leave`."""
        atexit.unregister(self.leave)
        with self._lock:
            first, self._left = not self._left, True
        if self.begun:
            if self.desk is not None:
                self.desk.close()
            self._started.wait(PATIENCE_S)
            if first and self._loop is not None:
                self._loop.call_soon_threadsafe(self._order.set)
            self._gone.wait(PATIENCE_S)
        self.limiter.draining = self.limiter.closed = True

    def idle(self, patience_s: float) -> None:
        """As `Enrolment.idle`."""
        quiet, until_s = threading.Event(), time.monotonic() + patience_s
        self.limiter.when_idle(quiet.set)
        quiet.wait(patience_s)
        for pause_s in self.inner.pauses(until_s):
            time.sleep(pause_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def _run(self) -> None:
        try:
            asyncio.run(self._enrol())
        finally:
            self._started.set()
            self._gone.set()

    async def _enrol(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self.inner.start()
        self._started.set()
        await self._order.wait()
        self._loop = None
        await self.inner.leave()
