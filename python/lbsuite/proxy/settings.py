"""What a proxy is told."""

from dataclasses import dataclass, field

from lbsuite import addresses


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """What holds for connections and requests, in either door.

    threads: of the native door. connect_s: to reach a backend. head_s: from the first byte of a head to its end.
    idle_s: between requests, and between two pieces of one message. request_s: from a request's head to the end of its
    response, 0: no limit. head_bytes, target_bytes, fields: of one head. body_bytes: of a request, 0: no limit.
    connections: of clients, a thread. idle_connections: kept open to one backend, a thread. attempts: backends that one
    request may be sent to. retry_share, retries_per_s: of requests, and beside them, that may be tried again. via: our
    name in Via. key: what a policy that goes by a key gets: "path", "header:NAME", "cookie:NAME"; "": nothing.
    trusted: the networks whose word on whom they forward for is passed on. certificate, certificate_key: PEM files to
    speak TLS with, both or neither.
    """

    threads: int = 1
    connect_s: float = 1.0
    head_s: float = 10.0
    idle_s: float = 60.0
    request_s: float = 0.0
    head_bytes: int = 65536
    target_bytes: int = 8192
    fields: int = 100
    body_bytes: int = 0
    connections: int = 10000
    idle_connections: int = 256
    attempts: int = 3
    retry_share: float = 0.1
    retries_per_s: float = 10.0
    via: str = "lbsuite"
    key: str = ""
    trusted: tuple[addresses.Network, ...] = ()
    certificate: str = ""
    certificate_key: str = ""


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """How backends are checked: every_s apart, jittered by 20 %; 0: only those that refused a connection are.

    path: what is asked for by GET, and answered with one of `codes`; None: it is enough that the connection is taken.
    rise, fall: so many checks in a row turn one that is down, or up. check_s: a check's deadline.
    """

    every_s: float = 2.0
    path: str | None = None
    codes: range | frozenset[int] = range(200, 400)
    rise: int = 2
    fall: int = 3
    check_s: float = 2.0


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """policy, roster, stages: of the engine. door: "native" or "aio". access_log: a path, "-" for stdout, None: none.
    drain_s: how long requests under way have to finish at the end."""

    policy: str = "round_robin"
    roster: str = "snapshot"
    stages: tuple[str, ...] = ("outlier_ejection", "panic")
    door: str = "native"
    access_log: str | None = None
    drain_s: float = 10.0
    requests: DoorSettings = field(default_factory=DoorSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
