"""The threads that run kernels."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from lbsuite import _core
from lbsuite.wire.tasks import Kernel

NICE = 10
"""Added to the niceness of the threads, so that calls are answered and load is reported while every core burns."""
_WARM_UP_N = 20
_SPAWN_S = 30.0


class Workers:
    """`count` threads at a lower priority than the rest of the process. served and cpu_s count what gave a result."""

    def __init__(self, count: int) -> None:
        self.served, self.cpu_s = 0, 0.0
        self._count = count
        self._threads = ThreadPoolExecutor(count, "task", initializer=_core.lower_priority, initargs=(NICE,))

    async def warm_up(self) -> None:
        """Starts every thread and runs a small kernel on each: no task waits for that, or is charged its memory."""
        all_there = threading.Barrier(self._count)

        def begin() -> None:
            all_there.wait(_SPAWN_S)
            _core.fibonacci_recursive(_WARM_UP_N, _core.Cancel())

        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._threads, begin) for _ in range(self._count)))

    async def run(self, kernel: Kernel) -> str:
        """The kernel's result. A cancelled caller cancels the kernel, and goes on once that has stopped."""
        cancel = _core.Cancel()
        running = asyncio.get_running_loop().run_in_executor(self._threads, _timed, kernel, cancel)
        try:
            result, cpu_s = await asyncio.shield(running)
        except asyncio.CancelledError:
            running.add_done_callback(_look_at)
            cancel.set()
            await asyncio.wait({running})
            raise
        self.served += 1
        self.cpu_s += cpu_s
        return result

    def close(self) -> None:
        """Ends the threads; kernels must have ended."""
        self._threads.shutdown()


def _timed(kernel: Kernel, cancel: _core.Cancel) -> tuple[str, float]:
    start_s = _core.thread_cpu_s()
    result = kernel(cancel)
    return result, _core.thread_cpu_s() - start_s


def _look_at(stopped: asyncio.Future[tuple[str, float]]) -> None:
    """Nobody awaits a task whose caller has gone; asyncio would complain of what it raised."""
    if not stopped.cancelled():
        stopped.exception()
