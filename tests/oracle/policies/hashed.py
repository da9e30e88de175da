import math
from collections.abc import Iterator

from oracle.numbers import Rng, xxh64
from oracle.policies.affinity import key_of, nearest
from oracle.view import Request, View


def permutation(name: bytes, size: int) -> Iterator[int]:
    start, stride = xxh64(name, 0) % size, xxh64(name, 1) % (size - 1) + 1
    return ((start + n * stride) % size for n in range(size))


def maglev(view: View, size: int) -> list[int]:
    """The table, by listing 1 of the paper; with weights, one takes its turn once `rounds x weight` reaches its due."""
    order = sorted(range(len(view)), key=lambda i: view[i].address.encode())
    places = {i: permutation(view[i].address.encode(), size) for i in order}
    due = dict.fromkeys(order, 0)
    table: dict[int, int] = {}
    rounds = 0
    while order and len(table) < size:
        rounds += 1
        for i in order:
            if len(table) < size and rounds * view[i].weight >= due[i]:
                due[i] += max(view[j].weight for j in order)
                table[next(place for place in places[i] if place not in table)] = i
    return [table[place] for place in sorted(table)]


class Hashed:
    def __init__(self, kind: str, bound: str, table: str) -> None:
        self.bound = int(bound)
        self.size = int(table) if kind == "maglev" else 0
        self.made: tuple[int, list[int]] = (-1, [])

    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        key = key_of(request, rng)
        if self.size and self.made[0] != view.version:
            self.made = (view.version, maglev(view, self.size))
        free = self.with_slots(view)
        table = self.made[1]
        if table and table[key % self.size] in free:
            return table[key % self.size]
        return nearest(view, key, lambda i: view[i].weight if i in free else 0)

    def with_slots(self, view: View) -> list[int]:
        ready = view.all_ready()
        if not self.bound:
            return ready
        slots = math.ceil((sum(view[i].tasks for i in ready) + 1) * self.bound / 100)
        weight = sum(view[i].weight for i in ready)
        return [i for i in ready if view[i].tasks < max(1, math.ceil(slots * view[i].weight / weight))]
