"""A resolver that the test holds in its hand."""

import asyncio
import socket

import pytest


class Resolver:
    """Answers the getaddrinfo of the running loop. `hosts`: what any name stands for; an OSError: why it does not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.hosts: list[str] | OSError = []
        self.asked = 0
        self._asked = asyncio.Event()
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._answer)

    async def asked_again(self, times: int = 1, deadline_s: float = 30.0) -> None:
        """Waits until it has been asked so many times more."""
        wanted = self.asked + times
        async with asyncio.timeout(deadline_s):
            while self.asked < wanted:
                self._asked.clear()
                await self._asked.wait()

    async def _answer(self, host: str, port: int, *, type: int) -> list[tuple[object, ...]]:
        self.asked += 1
        self._asked.set()
        if isinstance(self.hosts, OSError):
            raise self.hosts
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in each], type, 6, "", (each, port)) for each in self.hosts]
