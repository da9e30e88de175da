"""The request messages of a call, for one attempt after the other."""

import threading
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any

_NONE = object()


class Outgoing:
    """Kept from the first message on, while that is the only one that was taken: gRPC takes one before it has a
    connection to send it over."""

    def __init__(self, messages: AsyncIterable[Any] | Iterable[Any]) -> None:
        self._rest = messages.__aiter__() if isinstance(messages, AsyncIterable) else _each(messages)
        self._first: Any = _NONE
        self._going_on = False

    @property
    def whole(self) -> bool:
        """Whether another attempt can be given all messages, and no attempt waits for one."""
        return not self._going_on

    async def messages(self) -> AsyncIterator[Any]:
        """All of them, for one attempt."""
        if self._first is _NONE:
            self._going_on = True
            try:
                self._first = await anext(self._rest)
            except StopAsyncIteration:
                return
            self._going_on = False
        yield self._first
        self._going_on = True
        async for message in self._rest:
            yield message


async def _each(messages: Iterable[Any]) -> AsyncIterator[Any]:
    for message in messages:
        yield message


class SyncOutgoing:
    """The same, for attempts that take their messages in threads of their own."""

    def __init__(self, messages: Iterable[Any]) -> None:
        self._rest = iter(messages)
        self._first: Any = _NONE
        self._going_on = False
        self._turn = 0
        self._lock = threading.Lock()

    def taken_back(self) -> bool:
        """Whether another attempt can be given all messages; the one before gets none any more, then."""
        with self._lock:
            self._turn += not self._going_on
            return not self._going_on

    def messages(self) -> Iterator[Any]:
        """All of them, for one attempt."""
        turn = self._turn
        if self._first is _NONE:
            if not self._goes_on(turn):
                return
            try:
                self._first = next(self._rest)
            except StopIteration:
                return
            self._going_on = False
        yield self._first
        if self._goes_on(turn):
            yield from self._rest

    def _goes_on(self, turn: int) -> bool:
        with self._lock:
            self._going_on = self._going_on or turn == self._turn
            return turn == self._turn
