"""The record of one member in etcd, and the keys that records are kept under.

    /lbsuite/<service>/endpoints/<host:port>      who may serve
    /lbsuite/<service>/balancers/<host:port>      who picks

Whoever may write to etcd may write nonsense: what is read here is checked before it is believed.
"""

import json
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from lbsuite import addresses, names
from lbsuite.events import MAX_TIER, Joined

Role = Literal["endpoints", "balancers"]
State = Literal["ready", "draining"]

MAX_RECORD_BYTES = 4096
_MOST = 2**31 - 1
_BOUNDS = {"weight": (1, _MOST), "limit": (0, _MOST), "load": (0, _MOST), "id": (0, 2**64 - 1), "tier": (0, MAX_TIER)}


def prefix(service: str, role: Role | None = None) -> bytes:
    """What the keys of a service begin with; raises ValueError for a name that cannot be part of a key."""
    return f"/lbsuite/{names.service(service)}/{f'{role}/' if role else ''}".encode()


def parse_key(service: str, key: bytes) -> tuple[Role, str]:
    """Role and address that a key of the service speaks of; raises ValueError where it speaks of none."""
    for role in get_args(Role):
        start = prefix(service, role)
        if key.startswith(start):
            return role, addresses.valid(key[len(start) :].decode())
    raise ValueError(f"not the key of a member: {key!r}")


@dataclass(frozen=True, slots=True)
class Member:
    """One endpoint or balancer as it is written to etcd.

    weight: its share beside others, at least 1. limit: tasks at once, 0 = not told. load: tasks it has now.
    available: whether it takes tasks. id: tells apart the lives of the process behind one address; a balancer's is the
    one in its pick tokens. tier: those of a lower one go before. Raises ValueError for a value of the wrong kind or out
    of range.
    """

    address: str
    weight: int = 1
    zone: str = ""
    limit: int = 0
    state: State = "ready"
    load: int = 0
    available: bool = True
    id: int = 0
    tier: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.address, str):
            raise ValueError(f"address is not text: {self.address!r}")
        addresses.parse(self.address)
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise ValueError(f"{name} is not a whole number in {least}..{most}: {value!r}")
        names.zone(self.zone)
        if self.state not in get_args(State):
            raise ValueError(f"state is not one of {', '.join(get_args(State))}: {self.state!r}")
        if type(self.available) is not bool:
            raise ValueError(f"available is neither true nor false: {self.available!r}")

    def to_json(self) -> bytes:
        """The record, version 1."""
        return json.dumps({"v": 1, **asdict(self)}, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, record: bytes) -> "Member":
        """Reads a record; what it leaves out has its default, what it adds is ignored. Raises ValueError for junk."""
        if len(record) > MAX_RECORD_BYTES:
            raise ValueError(f"a record of {len(record)} bytes, above {MAX_RECORD_BYTES}")
        try:
            fields = json.loads(record)
        except RecursionError:
            raise ValueError("a record nested too deeply") from None
        if not isinstance(fields, dict) or fields.get("v") != 1 or "address" not in fields:
            raise ValueError(f"not a member's record, version 1: {record!r}")
        return cls(**{name: fields[name] for name in cls.__slots__ if name in fields})

    def joined(self, order: int) -> Joined:
        """The event that tells of this endpoint; `order` is its key's create revision."""
        return Joined(
            self.address,
            order,
            self.weight,
            self.zone,
            self.limit,
            self.state == "draining",
            self.load,
            self.available,
            self.tier,
        )
