"""One type of resource on one client's stream: what is asked for, what was sent, what became of it.

The two ways of asking that xDS has are its children, `whole` and `delta`.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any

import grpc

from lbsuite.wire.refusal import Refused
from lbsuite.xds import catalog, services
from lbsuite.xds.catalog import Resource

MAX_NAMES = 4096
MAX_CHARACTERS = 300
"""So much is kept of what a client says."""
EVERYTHING = "*"


class Subscription(ABC):
    """names: asked for by name. everything: asked for by wildcard. returning: the client came with what another stream
    told it. accepted, error: the version that it took last, and why it refused what came later, if it did."""

    def __init__(self, type_url: str) -> None:
        self.type_url = type_url
        self.names: frozenset[str] = frozenset()
        self.everything = False
        self.returning = False
        self.accepted = ""
        self.error = ""
        self._whole = type_url in catalog.WHOLE
        self._sent: dict[str, str] = {}
        self._sent_version = ""
        self._answers = 0

    @abstractmethod
    def ask(self, request: Any) -> None:
        """Takes a request; raises Refused for one that asks for too much."""

    @abstractmethod
    def answer(self, there: Mapping[str, Resource]) -> Any | None:
        """The response that is due now, None if there is none. there: all that exists of the type."""

    @property
    def kind(self) -> str:
        """The type in a word: Listener, RouteConfiguration, Cluster, ClusterLoadAssignment."""
        return self.type_url.rpartition(".")[2]

    def follows(self, service: str) -> bool:
        return self.everything or not self.names.isdisjoint((service, services.ALL))

    @property
    def _nonce(self) -> str:
        """Of the last answer."""
        return f"{self._answers:x}"

    def _wanted(self, there: Mapping[str, Resource]) -> Mapping[str, Resource]:
        if self.everything:
            return there
        return {name: there[name] for name in self.names if name in there}

    def _want(self, names: Collection[str], everything: bool) -> None:
        """Forgets what was sent of the others: whoever asks for one again is told again."""
        if len(names) > MAX_NAMES:
            raise Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, f"more than {MAX_NAMES} names of one type")
        self.names, self.everything = frozenset(names), everything
        if not everything:
            self._sent = {name: version for name, version in self._sent.items() if name in self.names}

    def _send(self, versions: Mapping[str, str]) -> None:
        self._sent = dict(versions)
        self._sent_version = catalog.version_of(versions)
        self._answers += 1

    def _take_verdict(self, request: Any) -> None:
        """On the answer before this request."""
        if request.HasField("error_detail"):
            self.error = bounded(request.error_detail.message) or "refused without a word"
        elif request.response_nonce == self._nonce:
            self.accepted, self.error = self._sent_version, ""


def versions(resources: Mapping[str, Resource]) -> dict[str, str]:
    return {name: resource.version for name, resource in resources.items()}


def bounded(text: str) -> str:
    """What a client said, fit for a log and a terminal."""
    return repr(text[:MAX_CHARACTERS])[1:-1]
