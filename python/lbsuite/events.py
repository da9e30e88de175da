"""What happens to a fleet, as frozen values: every source of membership speaks in these, every host feeds its engine.

An event refuses nonsense when it is made, so whoever holds one need not check it again.
"""

from dataclasses import dataclass

from lbsuite import addresses

MAX_TIER = 1000


@dataclass(frozen=True, slots=True)
class Joined:
    """An endpoint may serve, or what is known of it changed; the same address twice is one endpoint.

    order: place in the list that pick_first and round_robin go by (an etcd create revision); None: after those, by
    arrival. load, available: what the source knows of its load (None: nothing). tier: those of a lower one go before,
    where the balancer has the stage `tiers`.
    """

    address: str
    order: int | None = None
    weight: int = 1
    zone: str = ""
    limit: int = 0
    draining: bool = False
    load: int | None = None
    available: bool = True
    tier: int = 0

    def __post_init__(self) -> None:
        addresses.parse(self.address)
        if self.weight < 1:
            raise ValueError(f"weight below 1: {self.weight}")
        if self.limit < 0:
            raise ValueError(f"limit below 0: {self.limit}")
        if not 0 <= self.tier <= MAX_TIER:
            raise ValueError(f"tier out of 0..{MAX_TIER}: {self.tier}")
        if self.load is not None and self.load < 0:
            raise ValueError(f"load below 0: {self.load}")


@dataclass(frozen=True, slots=True)
class Left:
    """An endpoint's key is gone: deregistered, or its lease ran out.

    meant: whoever told it took it off its list on purpose; a registry that was wiped, or a name that stands for less
    than a moment ago, may be wrong.
    """

    address: str
    meant: bool = False


@dataclass(frozen=True, slots=True)
class Balancers:
    """Which balancers of the service are registered now, this one included."""

    addresses: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reported:
    """What an endpoint has said of its load, as its source knows it; the fields are those of Engine.report."""

    address: str
    tasks: int = 0
    limit: int | None = None
    memory: int = 0
    cpu: float = 0.0
    available: bool = True
    finished: int | None = None
    failed: int = 0
    busy_s: float = 0.0
    task_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Contact:
    """Whether the source hears from whoever tells it: while it does not, what it told goes on, and grows old.

    why: where it is lost, in words.
    """

    up: bool
    why: str = ""


Event = Joined | Left | Balancers | Reported | Contact
