"""Who takes part in a placement, by the leases in etcd: endpoints with an IPv4, each IPv4 once."""

import ipaddress
import logging

from lbsuite.events import Balancers, Event, Joined, Left
from lbsuite.placement.weights import HEAVIEST

_log = logging.getLogger(__name__)


def ipv4(member: str) -> str:
    """The IPv4 of HOST:PORT; raises ValueError for another kind of host."""
    try:
        return str(ipaddress.IPv4Address(member.rpartition(":")[0]))
    except ValueError:
        raise ValueError(f"a member of a placement has an IPv4 address: {member!r}") from None


class Members:
    """The members there are, as events tell of them. An address without an IPv4 takes no part."""

    def __init__(self) -> None:
        self._joined: dict[str, Joined] = {}
        self._weights: dict[str, int] = {}
        self._holders: dict[str, str] = {}
        self._warned: set[str] = set()

    def take(self, event: Event) -> bool:
        """Takes one event; True if it says that the first list is whole."""
        match event:
            case Joined(address=address):
                self._joined[address] = event
            case Left(address=address):
                self._joined.pop(address, None)
                self._warned.discard(address)
            case Balancers():
                return True
        self._weigh()
        return False

    def weights(self) -> dict[str, int]:
        """The weight of each member that may own objects, 1..64. Of two with one IPv4 the first to come counts."""
        return self._weights

    def holder(self, server: str | None) -> str | None:
        """Which member has an IPv4; None if none has."""
        return self._holders.get(server or "")

    def twin(self, member: str) -> str | None:
        """Another member with the same IPv4."""
        return next((a for a in self._joined if a != member and _host(a) == _host(member)), None)

    def _weigh(self) -> None:
        self._weights, self._holders = {}, {}
        for joined in sorted(self._joined.values(), key=lambda joined: joined.order or 0):
            try:
                server = ipv4(joined.address)
            except ValueError as error:
                _log.debug("no part for %s: %s", joined.address, error)
                continue
            if (holder := self._holders.setdefault(server, joined.address)) != joined.address:
                self._warn(joined.address, holder)
            elif not joined.draining:
                self._weights[server] = min(joined.weight, HEAVIEST)

    def _warn(self, address: str, holder: str) -> None:
        if address not in self._warned:
            self._warned.add(address)
            _log.warning("%s has the IPv4 of %s and owns nothing", address, holder)


def _host(address: str) -> str:
    return address.rpartition(":")[0]
