"""What `lbsuite place` keeps: servers that are up or down, what they told, and the placement of objects on them."""

import ipaddress
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lbsuite._core import Placer, SetPlacer
from lbsuite.placement.weights import HEAVIEST, weights_from

MAX_SERVERS = 4095


class Batch(Protocol):
    """What one batch of changes did."""

    @property
    def moves(self) -> list[tuple[int, str | None, str]]: ...
    @property
    def minimum(self) -> int: ...


class Board:
    """The servers named so far, up or down, and the placement of the objects on those that are up."""

    def __init__(self, objects: int, kind: str | None) -> None:
        """kind: of the order-free placer; None: the placer by a log."""
        self._by_set = SetPlacer(objects, kind) if kind else None
        self._by_log = Placer(objects) if kind is None else None
        self._revision = 0
        self.objects = objects
        self.weights: dict[str, int] = {}
        self.last: dict[str, int] = {}
        self.down: set[str] = set()
        self.cpu: dict[str, float] = {}
        self.memory: dict[str, float] = {}
        self.batches: list[dict[str, Any]] = []

    def change(self, words: str, weights: Mapping[str, int]) -> dict[str, Any]:
        """Applies one batch, weight 0 for down; raises ValueError, changing nothing, where the placer does."""
        batch = self._apply(weights)
        self.weights = {s: w for s, w in {**self.weights, **weights}.items() if w}
        self.last |= self.weights
        self.down = (self.down | {s for s, w in weights.items() if not w}) - self.weights.keys()
        told = {"change": words, "moved": len(batch.moves), "minimum": batch.minimum}
        self.batches.append(told)
        return told

    def take(self, event: object) -> dict[str, Any]:
        """Applies one event: "up" or "down" with "servers", or "status" with "server", "cpu", "memory"."""
        match event:
            case {"event": "down", "servers": [*servers]}:
                return self.change(f"down {named(servers)}", dict.fromkeys(self._known(servers), 0))
            case {"event": "up", "servers": [*servers]}:
                return self.change(f"up {named(servers)}", {s: self._weight(s) for s in servers})
            case {"event": "status", "server": str(server), "cpu": float() | int() as cpu, **rest}:
                return self._status(server, float(cpu), rest.get("memory", 0.0))
            case _:
                raise ValueError(f"no such event: {json.dumps(event)}")

    def listing(self) -> list[dict[str, Any]]:
        """One entry a server, those that are down too, in the order of their addresses."""
        known = sorted(self.weights.keys() | self.down, key=ipaddress.IPv4Address)
        ids, counts = self._ids(), self._counts()
        return [self._entry(server, ids.get(server, -1), counts.get(server, 0)) for server in known]

    def _apply(self, weights: Mapping[str, int]) -> Batch:
        if self._by_log is None:
            assert self._by_set is not None
            return self._by_set.apply(weights)
        batch = self._by_log.apply(self._revision + 1, weights)
        self._revision += 1
        return batch

    def _known(self, servers: Sequence[str]) -> Sequence[str]:
        if unknown := [s for s in servers if s not in self.weights.keys() | self.down]:
            raise ValueError(f"not one of the servers: {unknown[0]!r}")
        return servers

    def _weight(self, server: str) -> int:
        """What a server that comes up weighs: by what it told last, else as it did, else as those that told nothing."""
        if self.cpu:
            return weights_from(self.cpu, self.memory).get(server, HEAVIEST)
        return self.last.get(server, 1)

    def _status(self, server: str, cpu: float, memory: object) -> dict[str, Any]:
        if server not in self.weights or not isinstance(memory, float | int):
            raise ValueError(f"status of {server!r}, which is not up, or a bad memory: {memory!r}")
        told = {s: 0.0 for s in self.weights} | self.cpu | {server: cpu}
        held = self.memory | {server: float(memory)}
        before = self.weights if self.cpu else dict.fromkeys(self.weights, HEAVIEST)
        weights = weights_from(told, held, before)
        batch = self.change(f"status {server}", {s: weights[s] for s in self.weights})
        self.cpu[server], self.memory[server] = cpu, float(memory)
        return batch

    def _entry(self, server: str, id: int, objects: int) -> dict[str, Any]:
        up = server in self.weights
        return {
            "server": server,
            "id": id,
            "status": "up" if up else "down",
            "cpu": self.cpu.get(server),
            "memory": self.memory.get(server),
            "weight": self.weights.get(server, 0),
            "objects": objects,
        }

    def _counts(self) -> dict[str, int]:
        if self._by_log is not None:
            return {server: len(self._by_log.owned(server)) for server in self.weights}
        assert self._by_set is not None
        return {server: len(objects) for server, objects in self._by_set.placed.items()}

    def _ids(self) -> dict[str, int]:
        if self._by_log is not None:
            ids = ((self._by_log.server(i), i) for i in range(MAX_SERVERS))
            return {server: i for server, i in ids if server}
        return {server: i for i, server in enumerate(sorted(self.weights, key=ipaddress.IPv4Address))}


def repeated(servers: Sequence[str]) -> str | None:
    """The first server that is named twice."""
    return next((server for server, times in Counter(servers).items() if times > 1), None)


def named(servers: Sequence[object]) -> str:
    """The servers of an event, for its line; ValueError if one is no str, or there twice."""
    names = [server for server in servers if isinstance(server, str)]
    if strange := [server for server in servers if not isinstance(server, str)]:
        raise ValueError(f"not an IPv4 address: {strange[0]!r}")
    if again := repeated(names):
        raise ValueError(f"a server twice: {again}")
    return " ".join(map(valid, names))


def valid(server: str) -> str:
    try:
        if server == "0.0.0.0":
            raise ValueError(server)
        return str(ipaddress.IPv4Address(server))
    except ValueError:
        raise ValueError(f"not an IPv4 address: {server!r}") from None
