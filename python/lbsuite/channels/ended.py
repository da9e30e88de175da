"""What an ended attempt tells; and the attempt that never was: how a call ends that nobody was asked for."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Generator
from typing import Any, NoReturn

import grpc
import grpc.aio


def at_once(answer: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns that has nothing to wait for: grpc.aio knows an ended call's status, but tells it to
    coroutines only."""
    try:
        answer.send(None)
    except StopIteration as told:
        return told.value
    answer.close()
    raise RuntimeError("an ended call does not tell its end at once")


class Ended:
    """Answers as an attempt of grpc.aio does that ended with this status before it began."""

    def __init__(self, code: grpc.StatusCode, words: str) -> None:
        self._code, self._words = code, words

    def __await__(self) -> Generator[Any, None, NoReturn]:
        yield from ()
        self._raise()

    async def __aiter__(self) -> AsyncIterator[Any]:
        self._raise()
        yield

    async def read(self) -> NoReturn:
        self._raise()

    async def write(self, request: object) -> NoReturn:
        raise asyncio.InvalidStateError(f"the call has ended: {self._words}")

    async def done_writing(self) -> None:
        """There is nothing to end."""

    async def wait_for_connection(self) -> NoReturn:
        self._raise()

    def cancelled(self) -> bool:
        return self._code is grpc.StatusCode.CANCELLED

    def cancel(self) -> bool:
        return False

    async def code(self) -> grpc.StatusCode:
        return self._code

    async def details(self) -> str:
        return self._words

    async def debug_error_string(self) -> str:
        return f"{self._code.name}:{self._words}"

    async def initial_metadata(self) -> grpc.aio.Metadata:
        return grpc.aio.Metadata()

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        return grpc.aio.Metadata()

    def _raise(self) -> NoReturn:
        if self.cancelled():
            raise asyncio.CancelledError
        nothing = grpc.aio.Metadata()
        raise grpc.aio.AioRpcError(self._code, nothing, nothing, self._words, f"{self._code.name}:{self._words}")
