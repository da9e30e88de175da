from collections.abc import Collection
from dataclasses import dataclass

from oracle.endpoint import Endpoint
from oracle.numbers import xxh64


@dataclass(frozen=True)
class Request:
    key: bytes = b""
    cost: int = 1
    exclude: Collection[str] = ()


@dataclass(frozen=True)
class View:
    """The endpoints that are up, in the roster's order, as a policy sees them: by their place in this list."""

    up: list[Endpoint]
    exclude: Collection[str]
    now: float
    reported: bool  # the accounting
    pickers: int = 1
    version: int = 0  # changes with who is up, and with their weights
    mean_cost: float = 1.0

    def __len__(self) -> int:
        return len(self.up)

    def __getitem__(self, i: int) -> Endpoint:
        return self.up[i]

    def ready(self, i: int) -> bool:
        return not self.up[i].full and self.up[i].address not in self.exclude

    def all_ready(self) -> list[int]:
        return [i for i in range(len(self.up)) if self.ready(i)]

    def estimate(self, i: int) -> float:
        return self.up[i].estimate(self.now) if self.reported else self.up[i].tasks

    def own(self, i: int) -> int:
        return len(self.up[i].on_the_way) if self.reported else self.up[i].in_flight

    def score(self, i: int) -> float:
        one = self.up[i]
        return (one.estimated_work(self.now) if self.reported else one.work(self.mean_cost)) / one.capacity

    def hash(self, i: int) -> int:
        return xxh64(self.up[i].address.encode(), 0)
