"""The door in C++: threads of its own that never hold the GIL."""

import asyncio
import dataclasses
import os
from collections.abc import Mapping

from lbsuite import _core
from lbsuite.errors import StartFailed
from lbsuite.proxy.settings import DoorSettings

AVAILABLE = hasattr(_core, "HttpProxy")


class NativeDoor:
    """See Door. access_log: a file descriptor that it takes over, -1: none."""

    def __init__(self, engine: _core.Engine, settings: DoorSettings, access_log: int = -1) -> None:
        self._engine = engine
        self._settings = settings
        self._access_log = access_log
        self._proxy: _core.HttpProxy | None = None

    async def open(self, listen: str) -> str:
        """See Door."""
        told = {each.name: getattr(self._settings, each.name) for each in dataclasses.fields(self._settings)}
        told["trusted"] = [str(network) for network in self._settings.trusted]
        access_log, self._access_log = self._access_log, -1
        try:
            self._proxy = _core.HttpProxy(self._engine, listen=[listen], access_log=access_log, **told)
        except (RuntimeError, ValueError) as error:
            raise StartFailed(str(error)) from None
        return self._proxy.addresses[0]

    def totals(self) -> Mapping[str, int]:
        """See Door."""
        assert self._proxy is not None
        return self._proxy.totals()

    async def close(self, drain_s: float) -> bool:
        """See Door."""
        if self._access_log >= 0:
            os.close(self._access_log)
            self._access_log = -1
        return self._proxy is None or await asyncio.to_thread(self._proxy.close, drain_s)
