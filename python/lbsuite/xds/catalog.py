"""What there is to tell, by type and name, with versions that follow from the content alone.

So all balancers of a service tell the same versions, and so does one that was started again.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.any_pb2 import Any as Packed

CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
ENDPOINTS = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
ROUTE = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
TYPES = (CLUSTER, ENDPOINTS, LISTENER, ROUTE)
"""In the order in which changes are told, so that nothing is named before it is there."""
WHOLE = (CLUSTER, LISTENER)
"""The types that are told as a whole: what an answer leaves out does not exist."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One message as it goes out, and the version of its content."""

    packed: Packed
    version: str


def resource(message: Any) -> Resource:
    packed = Packed()
    packed.Pack(message, deterministic=True)
    return Resource(packed, _digest([packed.value]))


def version_of(versions: Mapping[str, str]) -> str:
    """The version of several resources together, by their names and versions."""
    return _digest(f"{name} {version}\n".encode() for name, version in sorted(versions.items()))


class Catalog:
    """The resources by type and name. `changed` are called after a change, once per `tell`.

    partial: there may be more than is known yet. A client that has a list already goes on with it meanwhile: it would
    lose endpoints, and whole services, that are as alive as before.
    """

    def __init__(self) -> None:
        self.partial = False
        self.changed: set[Callable[[], None]] = set()
        self._resources: dict[str, dict[str, Resource]] = {type_url: {} for type_url in TYPES}
        self._untold = False

    def __getitem__(self, type_url: str) -> Mapping[str, Resource]:
        return self._resources[type_url]

    def put(self, type_url: str, name: str, message: Any) -> None:
        told = resource(message)
        known = self._resources[type_url].get(name)
        if known is None or known.version != told.version:
            self._resources[type_url][name] = told
            self._untold = True

    def drop(self, name: str) -> None:
        """All that bears this name."""
        for resources in self._resources.values():
            self._untold |= resources.pop(name, None) is not None

    def tell(self, *, partial: bool = False) -> None:
        """Calls `changed` if anything is different from the last time."""
        if self._untold or partial != self.partial:
            self._untold, self.partial = False, partial
            for call in list(self.changed):
                call()


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
