"""The kinds of key routers again, in plain Python, each by its definition; members are names, in their order."""

import bisect
import decimal
import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from oracle.numbers import MASK, xxh64

Key = bytes | str | int


def fold(word: int, factor: int) -> int:
    product = (word & MASK) * factor
    return product >> 64 ^ product & MASK


def scaled(hashed: int, bound: int) -> int:
    return hashed * bound >> 64


def next_hash(hashed: int) -> int:
    return fold(hashed ^ 0x8EBC6AF09C88C6E3, 0xA0761D6478BD642F)


def hash_of(kind: str, key: Key) -> int:
    if isinstance(key, int):
        key &= MASK
        return key if kind == "jump" else key * 0x9E3779B97F4A7C15 & MASK
    data = key.encode() if isinstance(key, str) else key
    return int.from_bytes(hashlib.md5(data).digest()[:4], "little") << 32 if kind == "ring" else xxh64(data, 0)


class Kind(Protocol):
    def route(self, hashed: int) -> str: ...


class Jump:
    def __init__(self, weights: Mapping[str, int]) -> None:
        self.members = list(weights)

    def route(self, hashed: int) -> str:
        found, following = -1, 0
        while following < len(self.members):
            found = following
            hashed = (hashed * 2862933555777941757 + 1) & MASK
            following = int((found + 1) * (2.0**31 / ((hashed >> 33) + 1)))
        return self.members[found]


def logarithms() -> list[int]:
    """floor(2^40 log2(1 + i/256)) for i to 256, from decimals of 50 places."""
    with decimal.localcontext(prec=50):
        two = decimal.Decimal(2)
        return [math.floor((1 + decimal.Decimal(i) / 256).ln() / two.ln() * 2**40) for i in range(257)]


LOGARITHMS = logarithms()


def negative_log2(hashed: int) -> int:
    """-log2(hashed / 2^64) * 2^40, straight between 256 points an octave."""
    hashed = max(hashed, 1)
    octave = hashed.bit_length() - 1
    fraction = (hashed << (63 - octave)) - (1 << 63) >> 24  # 39 bits, of which 8 tell the point
    point, beyond = fraction >> 31, fraction & 2**31 - 1
    rise = LOGARITHMS[point] + ((LOGARITHMS[point + 1] - LOGARITHMS[point]) * beyond >> 31)
    return ((64 - octave) << 40) - rise


class Rendezvous:
    def __init__(self, weights: Mapping[str, int]) -> None:
        self.seats = [
            (name, weight, xxh64(name.encode(), 0), xxh64(name.encode(), 1) | 1)
            for name, weight in sorted(weights.items())
        ]

    def route(self, hashed: int) -> str:
        best: tuple[str, int, int, int] | None = None
        for name, weight, salt, factor in self.seats:
            score = fold(hashed ^ salt, factor)
            fall = negative_log2(score)
            if best is None or (fall * best[1], -score) < (best[2] * weight, -best[3]):
                best = (name, weight, fall, score)
        assert best is not None
        return best[0]


class Slots:
    def __init__(self, weights: Mapping[str, int]) -> None:
        self.ranks = Rendezvous(weights)

    def route(self, hashed: int) -> str:
        return self.ranks.route(hash_of("slots", hashed >> 48))


class Ring:
    def __init__(self, weights: Mapping[str, int]) -> None:
        self.points: list[tuple[int, str]] = []
        for name, weight in weights.items():
            for i in range(40 * weight):
                digest = hashlib.md5(f"{name}-{i}".encode()).digest()
                self.points += [(int.from_bytes(digest[at : at + 4], "little"), name) for at in range(0, 16, 4)]
        self.points.sort()

    def route(self, hashed: int) -> str:
        return self.points[bisect.bisect_left(self.points, (hashed >> 32, "")) % len(self.points)][1]


class Maglev:
    def __init__(self, weights: Mapping[str, int], slots: int = 65537) -> None:
        heaviest = max(weights.values())
        walks = [(name, weight, self.permutation(name, slots)) for name, weight in sorted(weights.items())]
        due = dict.fromkeys(weights, 0)
        self.owners: list[str | None] = [None] * slots
        free = slots
        for turn in itertools.count(1):
            for name, weight, walk in walks:
                if free and turn * weight >= due[name]:
                    due[name] += heaviest
                    self.owners[next(slot for slot in walk if self.owners[slot] is None)] = name
                    free -= 1
            if not free:
                break

    @staticmethod
    def permutation(name: str, slots: int) -> "itertools.chain[int]":
        start, skip = xxh64(name.encode(), 0) % slots, xxh64(name.encode(), 1) % (slots - 1) + 1
        return itertools.chain((start + step * skip) % slots for step in range(slots))

    def route(self, hashed: int) -> str:
        owner = self.owners[hashed % len(self.owners)]
        assert owner is not None
        return owner


class Dx:
    """`known`: the names it was made with; `weights`: those that are up."""

    def __init__(self, weights: Mapping[str, int], known: Sequence[str]) -> None:
        self.slots = [name if name in weights else None for name in sorted(known)]
        self.slots += [None] * (2 ** (len(known) - 1).bit_length() - len(known))

    def route(self, hashed: int) -> str:
        size = len(self.slots)
        for _ in range(8 * size + 1):
            slot = scaled(hashed, size)
            if found := self.slots[slot]:
                return found
            hashed = next_hash(hashed)
        return next(name for step in range(size) if (name := self.slots[(slot + step) % size]))


class Anchor:
    """Each bucket that is down remembers the list of those that were up, where the last had taken its place."""

    def __init__(self, members: Sequence[str], capacity: int) -> None:
        self.names = dict(enumerate(sorted(members)))
        self.up = list(range(capacity))
        self.down: list[tuple[int, list[int], list[int]]] = []  # bucket, those up before it went, and after
        for bucket in reversed(range(len(members), capacity)):
            self.take_down(bucket)

    def take_down(self, bucket: int) -> None:
        before = list(self.up)
        last = self.up.pop()
        if last != bucket:
            self.up[self.up.index(bucket)] = last
        self.down.append((bucket, before, list(self.up)))

    def add(self, name: str) -> None:
        bucket, self.up, _ = self.down.pop()
        self.names[bucket] = name

    def remove(self, name: str) -> None:
        (bucket,) = (each for each in self.up if self.names[each] == name)
        self.take_down(bucket)

    def route(self, hashed: int) -> str:
        remembered = {bucket: after for bucket, _, after in self.down}
        bucket = scaled(hashed, len(self.up) + len(self.down))
        while after := remembered.get(bucket):
            again = fold(hashed ^ 0xE7037ED1A0B428DB * (bucket + 1) & MASK, 0x8BB84B93962EACC9)
            bucket = after[scaled(again, len(after))]
        return self.names[bucket]


class Bounded:
    """`route` within a bound, in thousandths, by what is in flight at each member."""

    def __init__(self, kind: Kind, weights: Mapping[str, int], thousandths: int) -> None:
        self.kind, self.weights, self.thousandths = kind, weights, thousandths
        self.loads = dict.fromkeys(weights, 0)

    def has_room(self, name: str) -> bool:
        exact = self.thousandths * (sum(self.loads.values()) + 1) * self.weights[name]
        return self.loads[name] < -(-exact // (1000 * sum(self.weights.values())))

    def route(self, hashed: int) -> str:
        for _ in range(64):
            name = self.kind.route(hashed)
            if self.has_room(name):
                return name
            hashed = next_hash(hashed)
        names = list(self.weights)
        at = names.index(name)
        return next(each for each in names[at:] + names[:at] if self.has_room(each))
