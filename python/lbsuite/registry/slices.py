"""What the EndpointSlices of a Kubernetes service say, folded into events. Pure: no I/O, no time.

https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/: a service has any number of
slices, an endpoint may for a while be in two of them, and a dual-stack pod is in one of each family.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lbsuite import names
from lbsuite.events import Event, Joined
from lbsuite.registry.roll import Roll

_FAMILIES = ("IPv4", "IPv6", "FQDN")
_JUNK = (KeyError, TypeError, AttributeError, ValueError)


@dataclass(frozen=True, slots=True)
class _Slice:
    family: str
    members: tuple[Joined, ...]


class Slices:
    """Who is known to serve at `port`, a number or a name. `version`: the resource version up to which that is told.

    Ready endpoints have joined, terminating ones drain. One pod is one endpoint: addresses of IPv4 count, if there are
    any. `skip` is called with what is wrong with a slice or an endpoint, which then changes nothing.
    """

    def __init__(self, port: str, skip: Callable[[ValueError], None]) -> None:
        self.version = ""
        self._port, self._skip = port, skip
        self._slices: dict[str, _Slice] = {}
        self._roll = Roll(meant=True)

    def replace(self, listing: dict[str, Any]) -> list[Event]:
        """This EndpointSliceList is all there is; the first ends with Balancers. Raises ValueError if it is none."""
        try:
            version = str(listing["metadata"]["resourceVersion"])
            slices = {str(each["metadata"]["name"]): each for each in listing["items"]}
        except _JUNK as error:
            raise ValueError(f"not a list of EndpointSlices: {error!r}") from None
        self.version = version
        self._slices = {name: self._slices[name] for name in self._slices if name in slices}
        for name, each in slices.items():
            self._put(name, each)
        return self._roll.becomes(self._there())

    def change(self, change: dict[str, Any]) -> list[Event]:
        """One event of a watch: a slice that was added, modified or deleted, or a bookmark."""
        try:
            kind, slice_ = change["type"], change["object"]
            version, name = slice_["metadata"]["resourceVersion"], slice_["metadata"].get("name")
        except _JUNK as error:
            self._skip(ValueError(f"not an event of a watch: {error!r}"))
            return []
        self.version = str(version)
        if kind == "DELETED":
            self._slices.pop(name, None)
        elif kind != "BOOKMARK":
            self._put(name, slice_)
        return self._roll.becomes(self._there())

    def _put(self, name: str, slice_: dict[str, Any]) -> None:
        try:
            family, endpoints = slice_["addressType"], slice_.get("endpoints") or ()
            if family not in _FAMILIES:
                raise ValueError(f"addressType is not one of {', '.join(_FAMILIES)}: {family!r}")
            port = self._number(slice_.get("ports") or ()) if endpoints else 0
            members = tuple(member for each in endpoints if (member := self._member(each, port)))
        except _JUNK as error:
            self._skip(ValueError(f"slice {name!r}: {error}"))
        else:
            self._slices[name] = _Slice(family, members)

    def _number(self, ports: Any) -> int:
        for port in ports:
            number = port.get("port")
            if port.get("protocol", "TCP") == "TCP" and number and self._port in (port.get("name"), str(number)):
                return int(number)
        there = ", ".join(f"{port.get('name') or ''}={port.get('port')}" for port in ports)
        raise ValueError(f"no TCP port {self._port!r} among {there!r}")

    def _member(self, endpoint: dict[str, Any], port: int) -> Joined | None:
        try:
            conditions = endpoint.get("conditions") or {}
            draining = conditions.get("terminating") is True
            if not draining and conditions.get("ready") is False:
                return None
            host = endpoint["addresses"][0]
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            return Joined(address, zone=names.zone(endpoint.get("zone") or ""), draining=draining)
        except (*_JUNK, IndexError) as error:
            self._skip(ValueError(f"endpoint {endpoint!r}: {error}"))
            return None

    def _there(self) -> dict[str, Joined]:
        there: dict[str, Joined] = {}
        family = next(
            (each for each in _FAMILIES if any(s.family == each and s.members for s in self._slices.values())), ""
        )
        for slice_ in self._slices.values():
            for member in slice_.members if slice_.family == family else ():
                known = there.get(member.address)
                if known is None or known.draining:
                    there[member.address] = member
        return there
