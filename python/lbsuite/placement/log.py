"""The log of a service's placement in etcd: who applies its entries in order agrees with all others who do.

    /lbsuite/<service>/placement/log/<n>       entry n, from 1 on, ten digits; JSON
    /lbsuite/<service>/placement/snapshot      what the entries up to some n came to; those far below it are gone

Entry n is written by whoever comes first, in a transaction that fails if there is one: no leader, one order.
"""

import base64
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from lbsuite._core import Placer
from lbsuite.placement.members import ipv4
from lbsuite.placement.weights import HEAVIEST
from lbsuite.registry import etcd_messages as messages
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.member import prefix

MAX_ENTRY_BYTES = 1 << 20
DIGITS = 10
MOST_OBJECTS = 1 << 16

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One batch of changes. weights: IPv4 -> 1..64, 0 for down. digest: of the placement before it. objects: how many
    there are; the first entry's counts."""

    number: int
    weights: dict[str, int]
    digest: int
    objects: int = 4096
    writer: str = ""  # for those who read the log

    def to_json(self) -> bytes:
        fields = {"v": 1, "weights": self.weights, "digest": f"{self.digest:016x}", "objects": self.objects}
        fields["writer"] = self.writer
        return json.dumps(fields, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, number: int, record: bytes) -> "Entry":
        """Raises ValueError for junk."""
        fields = _record(record, MAX_ENTRY_BYTES)
        match fields:
            case {"weights": dict() as weights, "digest": str() as digest, "objects": int() as objects, **rest}:
                if 1 <= objects <= MOST_OBJECTS and all(map(_sound, weights.items())):
                    return cls(number, weights, int(digest, 16), objects, str(rest.get("writer", "")))
        raise ValueError(f"not an entry of a placement's log: {record[:80]!r}")


@dataclass(frozen=True, slots=True)
class Written:
    """What was in etcd at one revision of it. snapshot: None if there is none that is whole; entries: in order."""

    snapshot: Placer | None
    entries: list[Entry]
    revision: int

    def lost_before(self) -> int:
        """The first entry before which others are missing; 0 if there is none."""
        number = self.snapshot.revision if self.snapshot else 0
        for entry in self.entries:
            if entry.number > number + 1:
                return entry.number
            number = max(number, entry.number)
        return 0


class PlacementLog:
    """Reads and writes one service's log. The client stays its owner's to close. Calls raise Unreachable."""

    def __init__(self, client: EtcdClient, service: str) -> None:
        """Raises ValueError for a service name that cannot be part of a key."""
        self._client = client
        self._folder = prefix(service) + b"placement/"
        self._entries = self._folder + b"log/"
        self._snapshot = self._folder + b"snapshot"
        self.snapshot_at = 0  # etcd's revision of the snapshot, whole or not
        self.snapshot_number = 0
        """The entry that the snapshot stands for; 0 if there is none that is whole."""

    async def read(self) -> Written:
        """All there is now; raises ValueError where an entry is junk. A damaged snapshot is as none, to be replaced."""
        found = await self._client.range(self._folder, prefix=True)
        snapshot, entries = None, []
        self.snapshot_at = self.snapshot_number = 0
        for pair in found.kvs:
            if pair.key == self._snapshot:
                snapshot = self._seen(pair)
            elif number := self._number(pair.key):
                entries.append(Entry.from_json(number, pair.value))
        return Written(snapshot, sorted(entries, key=lambda entry: entry.number), found.header.revision)

    async def follow(self, revision: int) -> AsyncGenerator[Entry | Placer | None, None]:
        """Entries and snapshots written after a revision of etcd, as they come; None once it is listened to. Ends when
        all is to be read anew: the place to go on from is gone, a part of the log, or a snapshot was damaged. Raises
        Unreachable when the stream breaks, ValueError for an entry that is junk."""
        async with aclosing(self._client.watch(self._folder, revision + 1)) as answers:
            async for answer in answers:
                if answer.canceled:
                    return
                if answer.created:
                    yield None
                for change in answer.events:
                    number, put = self._number(change.kv.key), change.type == messages.WatchEvent.PUT
                    if not put and self._needed(change.kv.key):
                        return
                    if put and number:
                        yield Entry.from_json(number, change.kv.value)
                    elif put and change.kv.key == self._snapshot:
                        snapshot = self._seen(change.kv)
                        if snapshot is None:
                            return
                        yield snapshot

    async def append(self, entry: Entry) -> bool:
        """Writes an entry unless there is one with its number, or a snapshot we have not heard of; whether it was.

        Who was away while a snapshot was made and old entries went would else write one of their numbers anew.
        """
        heard = (self._snapshot, self.snapshot_at)
        return await self._client.swap(self._key(entry.number), entry.to_json(), 0, beside=heard)

    async def write_snapshot(self, snapshot: bytes, keep_from: int) -> bool:
        """Replaces the snapshot that was read last, unless another has, and drops the entries below `keep_from`."""
        record = {"v": 1, "snapshot": base64.b64encode(snapshot).decode()}
        drop = self._key(keep_from) if keep_from > 1 else b""
        return await self._client.swap(self._snapshot, json.dumps(record).encode(), self.snapshot_at, drop)

    def _needed(self, key: bytes) -> bool:
        """Whether nobody could join without what was under this key: entries go where a snapshot stands for them."""
        return key == self._snapshot or self._number(key) > self.snapshot_number

    def _key(self, number: int) -> bytes:
        return self._entries + f"{number:0{DIGITS}}".encode()

    def _number(self, key: bytes) -> int:
        """The number of the entry under a key; 0 for a key that is none's."""
        digits = key.removeprefix(self._entries)
        if digits.isdigit() and len(digits) == DIGITS and int(digits):
            return int(digits)
        if key != self._snapshot:
            _log.warning("not a key of a placement, passed over: %r", key)
        return 0

    def _seen(self, pair: messages.KeyValue) -> Placer | None:
        """The snapshot of a pair, and from now on the one that was seen last."""
        self.snapshot_at, self.snapshot_number = pair.mod_revision, 0
        try:
            snapshot = _snapshot(pair.value)
        except ValueError as error:
            _log.error("%r: %s; as if there was none", pair.key, error)
            return None
        self.snapshot_number = snapshot.revision
        return snapshot


def _sound(change: tuple[str, object]) -> bool:
    server, weight = change
    return ipv4(f"{server}:0") == server and type(weight) is int and 0 <= weight <= HEAVIEST


def _snapshot(record: bytes) -> Placer:
    match _record(record, MAX_ENTRY_BYTES):
        case {"snapshot": str() as text}:
            return Placer.restore(base64.b64decode(text, validate=True))
    raise ValueError(f"not a placement's snapshot: {record[:80]!r}")


def _record(record: bytes, most: int) -> dict[str, Any]:
    try:
        fields = json.loads(record) if len(record) <= most else None
    except RecursionError:
        fields = None
    if not isinstance(fields, dict) or fields.get("v") != 1:
        raise ValueError(f"not a record of a placement, version 1: {record[:80]!r}")
    return fields
