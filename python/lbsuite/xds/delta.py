"""Incremental xDS: requests say what the client wants more and less, answers what has changed and what is not there."""

from collections.abc import Mapping
from typing import Any

from lbsuite.xds import messages
from lbsuite.xds.catalog import Resource
from lbsuite.xds.subscription import EVERYTHING, MAX_NAMES, Subscription, versions


class Delta(Subscription):
    """Answers DeltaDiscoveryRequests.

    Who names a resource is told of it, if only that it is not there; who comes back with the versions it has, of what
    differs. Of the types that are told as a whole, an empty first request means everything.
    """

    def __init__(self, type_url: str) -> None:
        super().__init__(type_url)
        self._asked = False
        self._owed: set[str] = set()
        self._due = False

    def ask(self, request: Any) -> None:
        more, less = set(request.resource_names_subscribe), set(request.resource_names_unsubscribe)
        if self._asked:
            if request.response_nonce:
                self._take_verdict(request)
            everything = (self.everything or EVERYTHING in more) and EVERYTHING not in less
        else:
            everything = EVERYTHING in more or (self._whole and not more)
            self._sent = dict(sorted(request.initial_resource_versions.items())[:MAX_NAMES])
            self._due = everything
            self.returning = bool(self._sent)
        known = set() if self._asked else self._sent.keys()
        self._asked = True
        # A name let go of that the wildcard still covers: the client has forgotten it, and is told again.
        owed = more - known | (less if everything else set())
        self._want((self.names | more) - less - {EVERYTHING}, everything)
        self._owed = (self._owed - less | owed) - {EVERYTHING}

    def answer(self, there: Mapping[str, Resource]) -> Any | None:
        wanted = self._wanted(there)
        told = versions(wanted)
        changed = [name for name in sorted(told) if name in self._owed or self._sent.get(name) != told[name]]
        gone = sorted((self._sent.keys() | self._owed) - told.keys())
        if not (changed or gone or self._due):
            return None
        self._due = False
        self._owed.clear()
        self._send(told)
        return messages.DeltaDiscoveryResponse(
            system_version_info=self._sent_version,
            resources=[
                messages.Resource(name=name, version=told[name], resource=wanted[name].packed) for name in changed
            ],
            removed_resources=gone,
            type_url=self.type_url,
            nonce=self._nonce,
        )
