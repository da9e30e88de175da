"""The placers again, in plain Python: one batch after another by the definition, nothing kept that is not needed."""

import ipaddress
from collections.abc import Mapping

from oracle.numbers import MASK, xxh64
from oracle.routers import negative_log2

Moves = list[tuple[int, str | None, str]]


def mix(revision: int, salt: int) -> int:
    z = (revision * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03) & MASK
    z = ((z ^ z >> 32) * 0xBF58476D1CE4E5B9) & MASK
    return z ^ z >> 29


def number(server: str) -> int:
    return int(ipaddress.IPv4Address(server))


class Placement:
    """By a log: servers have ids (the lowest that is free, in the order of their addresses)."""

    def __init__(self, objects: int) -> None:
        self.objects = objects
        self.owners: list[str | None] = [None] * objects
        self.ids: list[str | None] = []
        self.weights: dict[str, int] = {}

    def owned(self, server: str) -> list[int]:
        return [o for o, owner in enumerate(self.owners) if owner == server]

    def apply(self, revision: int, changes: Mapping[str, int]) -> tuple[Moves, int]:
        pool = [] if self.weights else list(range(self.objects))
        in_order = sorted(changes.items(), key=lambda change: number(change[0]))
        for server, weight in in_order:
            if weight == 0 and server in self.weights:
                pool += self.owned(server)
                self.ids[self.ids.index(server)] = None
                del self.weights[server]
        for server, weight in in_order:
            if weight and server not in self.weights:
                if None not in self.ids:
                    self.ids.append(None)
                self.ids[self.ids.index(None)] = server
            if weight:
                self.weights[server] = weight
        while self.ids[-1] is None:
            self.ids.pop()
        loads = {server: len(self.owned(server)) for server in self.weights}
        aims, minimum = self.aims(revision, loads, len(pool))
        needs = []
        for server in filter(None, self.ids):
            if loads[server] > aims[server]:
                pool += self.given(server, loads[server] - aims[server], mix(revision, number(server)))
            elif loads[server] < aims[server]:
                needs.append([server, aims[server] - loads[server]])
        return self.deal(pool, needs), minimum

    def aims(self, revision: int, loads: dict[str, int], homeless: int) -> tuple[dict[str, int], int]:
        total = sum(self.weights.values())
        low = {s: self.objects * w // total for s, w in self.weights.items()}
        high = {s: -(-self.objects * w // total) for s, w in self.weights.items()}
        wanted = sum(max(0, low[s] - loads[s]) for s in low)
        surplus = homeless + sum(max(0, loads[s] - high[s]) for s in low)
        aims = {s: min(max(loads[s], low[s]), high[s]) for s in low}
        at = mix(revision, 0) % len(self.ids)
        while (missing := self.objects - sum(aims.values())) != 0:
            server = self.ids[at]
            if server and missing > 0 and aims[server] < high[server]:
                aims[server] += 1
            elif server and missing < 0 and aims[server] > low[server]:
                aims[server] -= 1
            at = (at + 1) % len(self.ids)
        return aims, max(wanted, surplus)

    def given(self, server: str, count: int, start: int) -> list[int]:
        """The first of its objects from a block of 64 on, and around."""
        blocks = -(-self.objects // 64)
        return sorted(self.owned(server), key=lambda o: ((o // 64 - start) % blocks, o))[:count]

    def deal(self, pool: list[int], needs: list[list]) -> Moves:
        moves: Moves = []
        turn = 0
        for o in pool:
            turn = turn if turn < len(needs) else 0
            server = needs[turn][0]
            moves.append((o, self.owners[o], server))
            needs[turn][1] -= 1
            if needs[turn][1]:
                turn += 1
            else:
                needs[turn] = needs[-1]
                needs.pop()
        for o, _, server in moves:
            self.owners[o] = server
        return moves

    def digest(self, revision: int, max_servers: int) -> int:
        body = b"lbsplac1" + revision.to_bytes(8, "little") + self.objects.to_bytes(4, "little")
        body += max_servers.to_bytes(4, "little") + len(self.weights).to_bytes(4, "little")
        for i, server in enumerate(self.ids):
            if server:
                body += i.to_bytes(2, "little") + number(server).to_bytes(4, "little") + bytes([self.weights[server]])
        for owner in self.owners:
            body += (0xFFFF if owner is None else self.ids.index(owner)).to_bytes(2, "little")
        return xxh64(body, 0)


def finalised(z: int) -> int:
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def stable_matching(objects: list[int], weights: Mapping[str, int]) -> dict[str, list[int]]:
    """All pairs from the best on, each if the object is free and the server has room."""
    total = sum(weights.values())
    weighted = len(set(weights.values())) > 1
    pairs = []
    for server, weight in weights.items():
        salt = number(server) * 0x9E3779B97F4A7C15 & MASK
        for o in objects:
            u = finalised(finalised(o + 1) ^ salt)
            cost = (negative_log2(u) << 16) // weight if weighted else u
            pairs.append((cost, number(server), o, server))
    floors = {s: len(objects) * w // total for s, w in weights.items()}
    whole = {s: len(objects) * w % total == 0 for s, w in weights.items()}
    extra = len(objects) - sum(floors.values())
    owned: dict[str, list[int]] = {s: [] for s in weights}
    free = set(objects)
    for _, _, o, server in sorted(pairs):
        load = len(owned[server])
        if o in free and (load < floors[server] or (load == floors[server] and not whole[server] and extra)):
            extra -= load == floors[server]
            owned[server].append(o)
            free.discard(o)
    return {s: sorted(each) for s, each in owned.items()}
