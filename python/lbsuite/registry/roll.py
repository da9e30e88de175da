"""What a listener has been told of the members."""

from collections.abc import Mapping

from lbsuite.events import Balancers, Event, Joined, Left


class Roll:
    """Turns each list of members into what has changed since the last one. meant: see Left."""

    def __init__(self, *, meant: bool = False) -> None:
        self._meant = meant
        self._told: dict[str, Joined] | None = None

    def becomes(self, there: Mapping[str, Joined]) -> list[Event]:
        """These are all there are, by address. The first list ends with Balancers, of none.

        Who joins is told of before who leaves, so that nobody's list is empty in between.
        """
        told, self._told = self._told, dict(there)
        if told is None:
            return [*there.values(), Balancers(frozenset())]
        joined: list[Event] = [member for address, member in there.items() if told.get(address) != member]
        return joined + [Left(address, self._meant) for address in told if address not in there]
