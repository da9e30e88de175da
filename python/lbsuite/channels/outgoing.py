"""The request messages of a call, for one attempt after the other."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
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
