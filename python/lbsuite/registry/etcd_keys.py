"""What the keys of a service say, folded into events. Pure: no I/O, no time."""

from collections.abc import Callable, Iterable, Iterator

from lbsuite.events import Balancers, Event, Joined, Left
from lbsuite.registry import etcd_messages as messages
from lbsuite.registry.member import Member, Role, parse_key, prefix


class EtcdKeys:
    """Who is known to be a member of `service`.

    However a history of keys is cut into a snapshot and the changes after it, what is known in the end is the same.
    Junk changes nothing; `skip` is called with what is wrong with it, each time it is read.
    """

    def __init__(self, service: str, skip: Callable[[ValueError], None]) -> None:
        self._service = service
        self._skip = skip
        self._elsewhere = prefix(service) + b"placement/"  # of the same service, but of no member
        self._endpoints: dict[str, Joined] = {}
        self._balancers: frozenset[str] | None = None

    def put(self, pair: messages.KeyValue) -> Iterator[Event]:
        """A key was written."""
        role, address = self._place(pair.key)
        joined = self._joined(pair, address) if role else None
        if joined is None:
            return
        if role == "balancers":
            yield from self._set_balancers((self._balancers or frozenset()) | {address})
        elif self._endpoints.get(address) != joined:
            self._endpoints[address] = joined
            yield joined

    def delete(self, key: bytes) -> Iterator[Event]:
        """A key is gone."""
        role, address = self._place(key)
        if role == "balancers":
            yield from self._set_balancers((self._balancers or frozenset()) - {address})
        elif self._endpoints.pop(address, None) is not None:
            yield Left(address)

    def replace(self, pairs: Iterable[messages.KeyValue]) -> Iterator[Event]:
        """These are all the keys there are: tells what differs from what was known, in order of joining.

        The first time it ends with Balancers, even of none.
        """
        places = [(*self._place(pair.key), pair) for pair in sorted(pairs, key=lambda pair: pair.create_revision)]
        there = {address for role, address, _ in places if role == "endpoints"}
        for address in [known for known in self._endpoints if known not in there]:
            del self._endpoints[address]
            yield Left(address)
        for role, _, pair in places:
            if role == "endpoints":
                yield from self.put(pair)
        known = self._balancers or frozenset()
        picking = [(address, pair) for role, address, pair in places if role == "balancers"]
        yield from self._set_balancers(
            frozenset(address for address, pair in picking if self._joined(pair, address) or address in known)
        )

    def _set_balancers(self, balancers: frozenset[str]) -> Iterator[Event]:
        if balancers != self._balancers:
            self._balancers = balancers
            yield Balancers(balancers)

    def _place(self, key: bytes) -> tuple[Role | None, str]:
        if key.startswith(self._elsewhere):
            return None, ""
        try:
            return parse_key(self._service, key)
        except ValueError as error:
            self._skip(error)
            return None, ""

    def _joined(self, pair: messages.KeyValue, address: str) -> Joined | None:
        try:
            member = Member.from_json(pair.value)
            if member.address != address:
                raise ValueError(f"the record of {member.address!r} under the key of {address!r}")
        except ValueError as error:
            self._skip(error)
            return None
        return member.joined(order=pair.create_revision)
