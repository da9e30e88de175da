"""An event loop in a thread of its own, for a channel whose callers have none."""

import asyncio
import atexit
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")

START_S = 10.0


class LoopThread:
    """Runs from the start on until `close`, which a program that exits without it has done for it: what the loop has
    begun is ended in order, and not cut off. Calls may come from any thread."""

    def __init__(self, name: str, last: Callable[[], None]) -> None:
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._closed = False
        self._last = last
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        atexit.register(last)

    def here(self) -> bool:
        """Whether the caller runs in the loop."""
        return threading.current_thread() is self._thread

    def call(self, function: Callable[..., object], *arguments: Any) -> bool:
        """Has the loop call it soon; False once it is closed."""
        with self._lock:
            if not self._closed:
                self._loop.call_soon_threadsafe(function, *arguments)
            return not self._closed

    def aside(self, function: Callable[..., object], *arguments: Any) -> None:
        """Calls, in a third thread, what may take long or block; in the caller's once the loop is closed."""
        if not self.here():
            function(*arguments)
        else:
            self._loop.run_in_executor(None, function, *arguments)

    def later(self, wait_s: float, function: Callable[[], None]) -> "Later":
        """Has the loop call it then, unless it is cancelled."""
        return Later(self, self._loop, wait_s, function)

    def run(self, work: Coroutine[Any, Any, _T], most_s: float = START_S) -> _T:
        """Runs it in the loop, from another thread, and returns what it does; TimeoutError when it takes longer."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(most_s)

    def close(self) -> None:
        """Ends the loop after what it was asked to call so far, and the thread."""
        atexit.unregister(self._last)
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            for task in (tasks := asyncio.all_tasks(self._loop)):
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()


class Later:
    """What a loop of another thread calls later."""

    def __init__(
        self, thread: LoopThread, loop: asyncio.AbstractEventLoop, wait_s: float, function: Callable[[], None]
    ) -> None:
        self._thread = thread
        self._function: Callable[[], None] | None = function
        self._handle: asyncio.TimerHandle | None = None
        thread.call(self._begin, loop, loop.time() + wait_s)

    def cancel(self) -> None:
        """It is not called, if it has not begun yet."""
        self._function = None
        self._thread.call(self._end)

    def _begin(self, loop: asyncio.AbstractEventLoop, due_s: float) -> None:
        if self._function is not None:
            self._handle = loop.call_at(due_s, self._ring)

    def _end(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _ring(self) -> None:
        if (function := self._function) is not None:
            function()
