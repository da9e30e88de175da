"""A call as callers of grpc.aio know calls: what the kinds share, and what those share that answer alike."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

import grpc
import grpc.aio

from lbsuite.channels.attempts import Attempts

OVER = (grpc.aio.AioRpcError, asyncio.CancelledError)
"""How an attempt that did not end well, or was cut off, ends whoever awaits it."""


class BalancedCall(Attempts, grpc.aio.Call):
    """What the four kinds share."""

    # Some releases of grpc.aio ask each call for its channel, as one closes, and fail at a call that has none.
    _channel: Any = None

    def cancelled(self) -> bool:
        """See grpc.aio."""
        return self._over and bool(self._attempt.cancelled())

    def done(self) -> bool:
        """See grpc.aio."""
        return self._over

    def time_remaining(self) -> float | None:
        """See grpc.aio."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """See grpc.aio."""
        if self._over:
            callback(self)
        else:
            self._callbacks += (callback,)

    async def initial_metadata(self) -> grpc.aio.Metadata:
        """See grpc.aio; of the attempt that answered."""
        while True:
            attempt = await self._begun()
            told: grpc.aio.Metadata = await attempt.initial_metadata()
            if self._attempt is attempt:
                return told

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        """See grpc.aio; of the last attempt."""
        told: grpc.aio.Metadata = await (await self._last()).trailing_metadata()
        return told

    async def code(self) -> grpc.StatusCode:
        """See grpc.aio; of the last attempt."""
        code: grpc.StatusCode = await (await self._last()).code()
        return code

    async def details(self) -> str:
        """See grpc.aio; of the last attempt."""
        details: str = await (await self._last()).details()
        return details

    async def debug_error_string(self) -> str:
        """See grpc.aio; of the last attempt."""
        told: str = await (await self._last()).debug_error_string()
        return told

    async def wait_for_connection(self) -> None:
        """See grpc.aio."""
        while True:
            attempt = await self._begun()
            try:
                await attempt.wait_for_connection()
            except OVER as error:
                if not self._replaced(attempt, error):
                    raise
            else:
                if self._attempt is attempt:
                    return

    def _replaced(self, attempt: Any, error: BaseException) -> bool:
        """Whether to look at the next attempt, or at the call's own end, instead of `attempt`, which is over: unless it
        is the awaiting task that is cancelled. One that cleans up after that awaits its calls to the end, too."""
        if self._attempt is attempt:
            return False
        task = asyncio.current_task()
        return isinstance(error, grpc.aio.AioRpcError) or task is None or not task.cancelling()


class OneAnswer(BalancedCall):
    """Those that answer with one message."""

    def __await__(self) -> Generator[Any, None, Any]:
        """See grpc.aio."""
        attempt = self._attempt
        while True:
            try:
                if attempt is None:
                    attempt = yield from self._begun().__await__()
                return (yield from attempt.__await__())
            except OVER as error:
                if not self._replaced(attempt, error):
                    self.cancel()
                    raise
                attempt = self._attempt
            except BaseException:
                # What was sent or came cannot be read: nobody waits for more.
                self.cancel()
                raise


class ManyAnswers(BalancedCall):
    """Those that answer with a stream."""

    _answered = False
    _answers: AsyncIterator[Any] | None = None

    def __aiter__(self) -> AsyncIterator[Any]:
        """See grpc.aio."""
        if self._answers is None:
            self._answers = self._each()
        return self._answers

    async def read(self) -> Any:
        """See grpc.aio."""
        while True:
            attempt = None
            try:
                attempt = await self._begun()
                message = await attempt.read()
            except OVER as error:
                if not self._replaced(attempt, error):
                    self.cancel()
                    raise
            else:
                if self._takes(attempt):
                    return message

    async def _each(self) -> AsyncIterator[Any]:
        while True:
            attempt = None
            try:
                attempt = await self._begun()
                async for message in attempt:
                    if not self._takes(attempt):
                        break
                    yield message
                else:
                    return
            except OVER as error:
                if not self._replaced(attempt, error):
                    self.cancel()
                    raise

    def _takes(self, attempt: Any) -> bool:
        """Whether what was read from `attempt` counts: not where it ended before the reader woke, and another attempt
        sends it all once more."""
        self._answered = self._answered or self._attempt is attempt
        return self._attempt is attempt

    def _restarts(self) -> bool:
        return not self._answered and super()._restarts()
