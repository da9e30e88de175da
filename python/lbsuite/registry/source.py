"""What every source of membership offers."""

from collections.abc import AsyncGenerator
from typing import Protocol

from lbsuite.events import Event

GRACE_S = 5.0
"""So long a listener keeps a member that vanished though it is well: a registry that was wiped takes nobody with it."""


class Source(Protocol):
    """Who is a member of one service, told as events.

    A source outlives its trouble: while it cannot learn anything it tells that by one Contact, and raises nothing.
    One that asks only now and then has `look_again()` too, for listeners to call when they have lost an endpoint.
    """

    def events(self) -> AsyncGenerator[Event, None]:
        """First what is there (a Joined each, then one Balancers: the first list is complete), then every change.

        Joined again is an update. Each caller gets the whole story; the stream ends when the source is closed.
        """
        ...

    async def close(self) -> None:
        """Ends every stream of events and lets go of what the source holds."""
        ...
