"""Waiting for what nobody tells of."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable


async def eventually(true: Callable[[], bool | Awaitable[bool]], deadline_s: float = 60.0) -> None:
    """Asks again and again until the answer is yes; raises TimeoutError after the deadline."""
    async with asyncio.timeout(deadline_s):
        while True:
            answer = true()
            if await answer if inspect.isawaitable(answer) else answer:
                return
            await asyncio.sleep(0.02)
