"""State of the world: each request has all that the client wants, each answer all that there is, or all that is new."""

from collections.abc import Mapping
from typing import Any

from lbsuite.xds import messages
from lbsuite.xds.catalog import Resource
from lbsuite.xds.subscription import EVERYTHING, Subscription, versions


class Whole(Subscription):
    """Answers DiscoveryRequests.

    A request that answers an older response than the last is passed over: the client will answer the last one too, and
    say again what it wants. Of the types that are told as a whole, an empty first request means everything, and an
    answer names all there is; of the others it names what is new, and what does not exist yet is waited for.
    """

    def __init__(self, type_url: str) -> None:
        super().__init__(type_url)
        self._named = False
        self._due = False

    def ask(self, request: Any) -> None:
        if self._answers:
            if request.response_nonce != self._nonce:
                return
            self._take_verdict(request)
        elif not request.response_nonce:
            self.returning |= bool(request.version_info)
        names = frozenset(request.resource_names)
        self._named |= bool(names)
        everything = EVERYTHING in names or (self._whole and not self._named)
        names -= {EVERYTHING}
        self._due |= (everything and not self.everything) or not names <= self.names
        self._want(names, everything)

    def answer(self, there: Mapping[str, Resource]) -> Any | None:
        wanted = self._wanted(there)
        told = versions(wanted)
        if self._whole:
            due = self._due or told != self._sent
        else:
            wanted = {name: each for name, each in wanted.items() if self._sent.get(name) != each.version}
            due = bool(wanted)
        if not due:
            return None
        self._due = False
        self._send(told)
        return messages.DiscoveryResponse(
            version_info=self._sent_version,
            resources=[resource.packed for _, resource in sorted(wanted.items())],
            type_url=self.type_url,
            nonce=self._nonce,
        )
