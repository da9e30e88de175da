"""The log of a service's placement in etcd: who applies its entries in order agrees with all others who do.

    /lbsuite/<service>/placement/log/<n>       entry n, from 1 on, ten digits; JSON
    /lbsuite/<service>/placement/snapshot      what the entries up to some n came to; those far below it are gone

Entry n is written by whoever comes first, in a transaction that fails if there is one: no leader, one order.
"""

import base64
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from lbsuite.registry import etcd_messages as messages
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.member import prefix

MAX_ENTRY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One batch of changes. weights: IPv4 -> 1..64, 0 for down. digest: of the placement before it."""

    number: int
    weights: dict[str, int]
    digest: int
    writer: str = ""  # for those who read the log

    def to_json(self) -> bytes:
        fields = {"v": 1, "weights": self.weights, "digest": f"{self.digest:016x}", "writer": self.writer}
        return json.dumps(fields, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, number: int, record: bytes) -> "Entry":
        """Raises ValueError for junk."""
        fields = _record(record, MAX_ENTRY_BYTES)
        match fields:
            case {"weights": dict() as weights, "digest": str() as digest, **rest}:
                if all(type(weight) is int for weight in weights.values()):
                    return cls(number, weights, int(digest, 16), str(rest.get("writer", "")))
        raise ValueError(f"not an entry of a placement's log: {record[:80]!r}")


@dataclass(frozen=True, slots=True)
class Written:
    """What was in etcd at one revision of it. snapshot: None if there is none, else bytes; entries: in order."""

    snapshot: bytes | None
    entries: list[Entry]
    revision: int


class PlacementLog:
    """Reads and writes one service's log. The client stays its owner's to close. Calls raise Unreachable."""

    def __init__(self, client: EtcdClient, service: str) -> None:
        """Raises ValueError for a service name that cannot be part of a key."""
        self._client = client
        self._folder = prefix(service) + b"placement/"
        self._entries = self._folder + b"log/"
        self._snapshot = self._folder + b"snapshot"
        self._snapshot_at = 0

    async def read(self) -> Written:
        """All there is now; raises ValueError where it is junk."""
        found = await self._client.range(self._folder, prefix=True)
        snapshot, entries = None, []
        self._snapshot_at = 0
        for pair in found.kvs:
            if pair.key == self._snapshot:
                snapshot, self._snapshot_at = _snapshot(pair.value), pair.mod_revision
            elif pair.key.startswith(self._entries):
                entries.append(self._entry(pair))
        return Written(snapshot, sorted(entries, key=lambda entry: entry.number), found.header.revision)

    async def follow(self, revision: int) -> AsyncGenerator[Entry | None, None]:
        """Entries written after a revision of etcd, as they come; None once it is listened to. Ends when the place to
        go on from is gone, or the log itself; raises Unreachable when the stream breaks."""
        async with aclosing(self._client.watch(self._folder, revision + 1)) as answers:
            async for answer in answers:
                if answer.canceled:
                    return
                if answer.created:
                    yield None
                for change in answer.events:
                    if change.type != messages.WatchEvent.PUT:
                        if self._needed(change.kv.key):
                            return
                        continue
                    if change.kv.key == self._snapshot:
                        self._snapshot_at = change.kv.mod_revision
                    elif change.kv.key.startswith(self._entries):
                        yield self._entry(change.kv)

    async def append(self, entry: Entry) -> bool:
        """Writes an entry unless there is one with its number; whether it was."""
        return await self._client.swap(self._key(entry.number), entry.to_json(), 0)

    async def write_snapshot(self, snapshot: bytes, keep_from: int) -> bool:
        """Replaces the snapshot that was read last, unless another has, and drops the entries below `keep_from`."""
        record = {"v": 1, "snapshot": base64.b64encode(snapshot).decode()}
        drop = self._key(keep_from) if keep_from > 1 else b""
        return await self._client.swap(self._snapshot, json.dumps(record).encode(), self._snapshot_at, drop)

    def _needed(self, key: bytes) -> bool:
        """Whether nobody could join without what was under this key: entries go where a snapshot stands for them."""
        return key == self._snapshot or not self._snapshot_at

    def _key(self, number: int) -> bytes:
        return self._entries + f"{number:010}".encode()

    def _entry(self, pair: messages.KeyValue) -> Entry:
        digits = pair.key[len(self._entries) :]
        if not digits.isdigit():
            raise ValueError(f"not the key of an entry: {pair.key!r}")
        return Entry.from_json(int(digits), pair.value)


def _snapshot(record: bytes) -> bytes:
    match _record(record, MAX_ENTRY_BYTES):
        case {"snapshot": str() as text}:
            return base64.b64decode(text, validate=True)
    raise ValueError(f"not a placement's snapshot: {record[:80]!r}")


def _record(record: bytes, most: int) -> dict[str, Any]:
    try:
        fields = json.loads(record) if len(record) <= most else None
    except RecursionError:
        fields = None
    if not isinstance(fields, dict) or fields.get("v") != 1:
        raise ValueError(f"not a record of a placement, version 1: {record[:80]!r}")
    return fields
