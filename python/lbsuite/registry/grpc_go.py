"""The keys under which Go programs name their endpoints in etcd, for gRPC's resolver there.

    <service>/<anything>      {"Op":0,"Addr":"10.0.0.1:80","Metadata":null}

That is what go.etcd.io/etcd/client/v3/naming/endpoints writes and .../naming/resolver reads, and grpc-go's own `naming`
(up to 1.29) before them. Op means nothing in what is stored. Several keys may name one address.
"""

import json
import re
from collections.abc import Callable, Iterable

from lbsuite.events import Event, Joined
from lbsuite.registry import etcd_messages as messages
from lbsuite.registry.member import MAX_RECORD_BYTES, Member
from lbsuite.registry.roll import Roll

_SERVICE = re.compile(r"/?[A-Za-z0-9._-]{1,64}(/[A-Za-z0-9._-]{1,64}){0,7}")


def prefix(service: str) -> bytes:
    """What the keys of a service begin with; its name may be a path. Raises ValueError for one that is no such name."""
    if not _SERVICE.fullmatch(service):
        raise ValueError(
            f"not a service name of grpc-go's (letters, digits, '-', '_', '.', parted by '/'): {service!r}"
        )
    return f"{service}/".encode()


def record(member: Member) -> bytes:
    """Just as Go writes it. No metadata: resolvers of old compare it, and panic at anything but text."""
    return json.dumps({"Op": 0, "Addr": member.address, "Metadata": None}, separators=(",", ":")).encode()


class GrpcGoKeys:
    """Who is known to be an endpoint of a service; see EtcdKeys, which it stands in for."""

    def __init__(self, skip: Callable[[ValueError], None]) -> None:
        self._skip = skip
        self._named: dict[bytes, Joined] = {}
        self._roll = Roll()

    def put(self, pair: messages.KeyValue) -> list[Event]:
        """A key was written."""
        self._take(pair)
        return self._tell()

    def delete(self, key: bytes) -> list[Event]:
        """A key is gone."""
        self._named.pop(key, None)
        return self._tell()

    def replace(self, pairs: Iterable[messages.KeyValue]) -> list[Event]:
        """These are all the keys there are."""
        there = {pair.key: pair for pair in pairs}
        self._named = {key: joined for key, joined in self._named.items() if key in there}
        for pair in there.values():
            self._take(pair)
        return self._tell()

    def _take(self, pair: messages.KeyValue) -> None:
        try:
            self._named[pair.key] = Joined(_address(pair.value), order=pair.create_revision)
        except ValueError as error:
            self._skip(ValueError(f"{pair.key!r}: {error}"))

    def _tell(self) -> list[Event]:
        there: dict[str, Joined] = {}
        for joined in sorted(self._named.values(), key=lambda joined: joined.order or 0):
            there.setdefault(joined.address, joined)
        return self._roll.becomes(there)


def _address(value: bytes) -> str:
    if len(value) > MAX_RECORD_BYTES:
        raise ValueError(f"a record of {len(value)} bytes, above {MAX_RECORD_BYTES}")
    try:
        fields = json.loads(value)
    except RecursionError:
        raise ValueError("a record nested too deeply") from None
    if not isinstance(fields, dict):
        raise ValueError(f"not a record of grpc-go's: {value!r}")
    # Go takes the names of fields in any case.
    address = {name.lower(): told for name, told in fields.items()}.get("addr")
    if not isinstance(address, str):
        raise ValueError(f"a record without an address: {value!r}")
    return address
