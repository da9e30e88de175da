"""Joining a fleet in one call: any gRPC server of Python becomes an endpoint.

server = grpc.aio.server()                                   # or grpc.server(pool)
add_ResizeServicer_to_server(Resize(), server)               # before or after
port = server.add_insecure_port("10.0.0.7:0")
lbsuite.join(server, address=f"10.0.0.7:{port}", service="resize", etcd="10.0.0.2:2379", max_concurrent=8)
await server.start()                                         # registers
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Required, TypedDict, Unpack, overload

import grpc
import grpc.aio

from lbsuite.wire.joining import drain
from lbsuite.wire.joining.desk import Desk, SyncDesk
from lbsuite.wire.joining.enrolment import Enrolment, EnrolmentSettings
from lbsuite.wire.joining.gate import Gate
from lbsuite.wire.joining.servers import Handlers, replace
from lbsuite.wire.joining.sync_enrolment import SyncEnrolment

if TYPE_CHECKING:
    from lbsuite.registry.etcd_settings import EtcdSettings

LAST_S = 1.0
"""How long a server that runs no task any more may take for its last bytes, and for streams that are no tasks."""
_FORGOTTEN_S = 30.0

_log = logging.getLogger(__name__)


class Options(TypedDict, total=False):
    """What `join` takes; times are in seconds.

    address: HOST:PORT that callers dial; with port 0, bind first. max_concurrent: tasks at once. service: the fleet's
    name ("default"). lb: balancers, HOST:PORT each, beside those that etcd tells of (none). etcd: its endpoints, or
    EtcdSettings (none). load: what utilization means in what answers carry: "tasks" (of max_concurrent; the default),
    "memory", "cpu" (of what the process may use), or a callable that says a share of 1. weight (1), zone (none), tier
    (0): its place beside others. report_s: the longest time between two reports (0.5). ttl_s: how long its key in etcd
    outlives the process (5). orca_s: the shortest time between the messages of a stream of load reports (30). signals
    (False): SIGTERM leaves, lets running tasks finish for `drain_s` (10), calls the handler that was there before and
    stops the server; a second SIGTERM calls that at once, and kills where there is none. Only in the main thread, and
    on the event loop of a grpc.aio server.
    """

    address: Required[str]
    max_concurrent: Required[int]
    service: str
    lb: str | Sequence[str] | None
    etcd: "str | Sequence[str] | EtcdSettings | None"
    load: str | Callable[[], float]
    weight: int
    zone: str
    tier: int
    report_s: float
    ttl_s: float
    orca_s: float
    drain_s: float
    signals: bool


@overload
def join(server: grpc.aio.Server, **options: Unpack[Options]) -> Enrolment: ...


@overload
def join(server: grpc.Server, **options: Unpack[Options]) -> SyncEnrolment: ...


def join(server: Any, **options: Unpack[Options]) -> Enrolment | SyncEnrolment:
    """Makes a server an endpoint of a fleet: call it before `server.start()`, which registers.

    Every call of every method is a task, a stream for its whole life; those of health, reflection and the like are
    none. Above `max_concurrent` a call is refused with RESOURCE_EXHAUSTED, and once the server leaves with UNAVAILABLE,
    each with the trailing metadata `lbsuite-refused`. Answers carry the server's load as gRFC A51 has it (ORCA), health
    is served unless you serve it. `server.stop()` leaves first, waits for running tasks, then stops.

    A grpc.server refuses on a thread of its pool: give it more `max_workers` than `max_concurrent`, or calls above the
    limit wait for a thread instead. A server that runs already is to `start()` what this gives.

    address="HOST:PORT" and max_concurrent=N are needed; mostly one says service="NAME" and lb="HOST:PORT,..." or
    etcd="HOST:PORT,...", too. help(lbsuite.wire.joining.join.Options) has these and all others.
    Raises ValueError for a value that nobody could mean and for a server that has joined, TypeError for what is no
    server or no option.
    """
    _check(options)
    address, drain_s, signals = options["address"], options.get("drain_s", 10.0), options.get("signals", False)
    if not drain_s >= 0:
        raise ValueError(f"drain_s below 0: {drain_s}")
    if signals:
        drain.check(server)
    enrolment: Enrolment | SyncEnrolment = enrol(server, address, _settings(options))
    if signals:
        drain.on_sigterm(server, enrolment, drain_s)
    return enrolment


def _check(options: Options) -> None:
    if missing := Options.__required_keys__ - options.keys():
        raise TypeError(f"join needs {' and '.join(sorted(missing))}")
    if unknown := options.keys() - Options.__annotations__.keys():
        raise TypeError(f"join has no option {', '.join(map(repr, sorted(unknown)))}")
    most = options["max_concurrent"]
    if not isinstance(most, int) or most < 1:
        raise ValueError(f"max_concurrent is not a whole number above 0: {most!r}")


def enrol(server: Any, address: str, settings: EnrolmentSettings) -> Any:
    """As `join`, for those who have the settings."""
    if isinstance(server, grpc.aio.Server):
        enrolment = Enrolment(address, settings)
        enrolment.desk = Desk(enrolment, _handlers(server, enrolment))
        _on_loop(server, enrolment)
        return enrolment
    if isinstance(server, grpc.Server):
        blocking = SyncEnrolment(address, settings)
        blocking.desk = SyncDesk(blocking.inner, _handlers(server, blocking.inner))
        _on_threads(server, blocking)
        return blocking
    raise TypeError(f"neither a grpc.aio.Server nor a grpc.Server: {server!r}")


def _handlers(server: Any, enrolment: Enrolment) -> Handlers:
    return Handlers(server, Gate(enrolment.address, enrolment.limiter, enrolment.orca))


def _on_loop(server: grpc.aio.Server, enrolment: Enrolment) -> None:
    reminder, start_server, stop_server = _remind(enrolment), server.start, server.stop

    async def start() -> None:
        reminder.cancel()
        await start_server()
        await enrolment.start()

    async def stop(grace: float | None) -> None:
        reminder.cancel()
        await enrolment.leave()
        if grace is not None:
            begun_s = time.monotonic()
            await enrolment.idle(grace)
            grace = _left(begun_s, grace)
        await stop_server(grace)

    replace(server, start=start, stop=stop)


def _on_threads(server: grpc.Server, enrolment: SyncEnrolment) -> None:
    reminder, start_server, stop_server = _remind(enrolment), server.start, server.stop

    def start() -> None:
        reminder.cancel()
        start_server()
        enrolment.start()

    def stop(grace: float | None) -> threading.Event:
        reminder.cancel()
        enrolment.leave()
        if grace is not None:
            begun_s = time.monotonic()
            enrolment.idle(grace)
            grace = _left(begun_s, grace)
        return stop_server(grace)

    replace(server, start=start, stop=stop)


def _left(begun_s: float, grace_s: float) -> float:
    """What is left of the grace once every task has ended: streams that are no tasks would use up all of it."""
    return min(LAST_S, max(0.0, begun_s + grace_s - time.monotonic()))


def _remind(enrolment: Enrolment | SyncEnrolment) -> threading.Timer:
    """Says so where nobody starts the server, or somebody did before it joined."""

    def remind() -> None:
        if not enrolment.begun:
            words = "%s has joined but not begun; where its server ran before, call start() of what join gave"
            _log.warning(words, enrolment.address)

    reminder = threading.Timer(_FORGOTTEN_S, remind)
    reminder.daemon = True
    reminder.start()
    return reminder


def _settings(options: Options) -> EnrolmentSettings:
    chosen: dict[str, Any] = dict(options)
    for name in ("address", "signals", "drain_s"):
        chosen.pop(name, None)
    etcd = chosen.pop("etcd", None)
    if etcd is not None:
        from lbsuite.registry.etcd_settings import EtcdSettings

        etcd = etcd if isinstance(etcd, EtcdSettings) else EtcdSettings(_listed(etcd))
    return EnrolmentSettings(
        limit=chosen.pop("max_concurrent"), balancers=_listed(chosen.pop("lb", None)), etcd=etcd, **chosen
    )


def _listed(given: str | Sequence[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    return tuple(given.split(",")) if isinstance(given, str) else tuple(given)
