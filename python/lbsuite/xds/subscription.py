"""One type of resource on one client's stream, as state of the world: what is asked for, what was sent, what became
of it.

Each answer has a nonce of its own; a request that answers an older one is passed over, as the client will answer the
newer one too and say again what it wants. An empty first request asks for everything of the types told as a whole.
"""

from collections.abc import Mapping
from typing import Any

import grpc

from lbsuite.wire.refusal import Refused
from lbsuite.xds import catalog, messages
from lbsuite.xds.catalog import Resource

MAX_NAMES = 4096
MAX_WORDS = 300
"""Characters that are kept of what a client says."""


class Subscription:
    """names: asked for by name. everything: asked for by wildcard. accepted, error: the version that the client took
    last, and why it refused what came later, if it did."""

    def __init__(self, type_url: str) -> None:
        self.type_url = type_url
        self.names: frozenset[str] = frozenset()
        self.everything = False
        self.accepted = ""
        self.error = ""
        self.sent_version = ""
        self._whole = type_url in catalog.WHOLE
        self._named_once = False
        self._due = False
        self._sent: dict[str, str] = {}
        self._nonces = 0

    def ask(self, request: Any) -> None:
        """Takes a DiscoveryRequest; raises Refused for one that asks for too much."""
        if self._nonces and request.response_nonce != self._nonce:
            return
        if self._nonces:
            self._take_verdict(request)
        names = frozenset(request.resource_names)
        if len(names) > MAX_NAMES:
            raise Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, f"more than {MAX_NAMES} names of one type")
        self._named_once |= bool(names)
        everything = "*" in names or (self._whole and not self._named_once)
        names -= {"*"}
        self._due |= (everything and not self.everything) or not names <= self.names
        if not everything:
            self._sent = {name: version for name, version in self._sent.items() if name in names}
        self.names, self.everything = names, everything

    def answer(self, there: Mapping[str, Resource]) -> Any | None:
        """The DiscoveryResponse that is due now, None if there is none. there: all that exists of the type."""
        wanted = self._wanted(there)
        versions = {name: resource.version for name, resource in wanted.items()}
        if self._whole:
            if versions == self._sent and not self._due:
                return None
        else:
            wanted = {name: each for name, each in wanted.items() if self._sent.get(name) != each.version}
            if not wanted:
                return None
        self._sent, self._due = versions, False
        self._nonces += 1
        self.sent_version = catalog.version_of(versions)
        return messages.DiscoveryResponse(
            version_info=self.sent_version,
            resources=[resource.packed for _, resource in sorted(wanted.items())],
            type_url=self.type_url,
            nonce=self._nonce,
        )

    @property
    def kind(self) -> str:
        """The type in a word: Listener, RouteConfiguration, Cluster, ClusterLoadAssignment."""
        return self.type_url.rpartition(".")[2]

    def follows(self, service: str) -> bool:
        return self.everything or service in self.names

    @property
    def _nonce(self) -> str:
        return f"{self._nonces:x}"

    def _wanted(self, there: Mapping[str, Resource]) -> Mapping[str, Resource]:
        if self.everything:
            return there
        return {name: there[name] for name in self.names if name in there}

    def _take_verdict(self, request: Any) -> None:
        if request.HasField("error_detail"):
            self.error = bounded(request.error_detail.message) or "refused without a word"
        else:
            self.accepted, self.error = self.sent_version, ""


def bounded(text: str) -> str:
    """What a client said, fit for a log and a terminal."""
    return repr(text[:MAX_WORDS])[1:-1]
