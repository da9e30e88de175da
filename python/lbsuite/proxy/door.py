"""What both doors offer."""

from collections.abc import Mapping
from typing import Protocol


class Door(Protocol):
    """Listens, and carries requests to the endpoints that the engine picks."""

    async def open(self, listen: str) -> str:
        """Listens on IP:PORT (port 0 takes a free one) and says where. Raises StartFailed where that cannot be."""
        ...

    def totals(self) -> Mapping[str, int]:
        """Since the start.

        connections: taken; open: now. requests: heads that were understood; refused: those that were not. answered: by
        a backend, to the end. failed: answered by the proxy itself (502, 503, 504, ...). retried: sent to another
        backend. bytes_in, bytes_out: from and to clients.
        """
        ...

    async def close(self, drain_s: float) -> bool:
        """No new connections, no new requests; what is under way has drain_s to end, the rest is cut.

        True when nothing was cut.
        """
        ...
