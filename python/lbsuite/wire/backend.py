"""A backend: a process that computes tasks for a fleet."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # type: ignore[import-untyped]

from lbsuite.errors import StartFailed
from lbsuite.wire import messages, services, tasks
from lbsuite.wire.join import Enrolment, EnrolmentSettings
from lbsuite.wire.workers import Workers

SERVICE = "BackendService"
# Two servers on one port would share its calls, silently.
_OPTIONS = (("grpc.so_reuseport", 0),)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BackendSettings:
    """listen: HOST:PORT, port 0 takes a free one. advertise: the address that callers use; None: the one listened on.
    drain_s: how long running tasks may go on after the order to stop."""

    listen: str = "127.0.0.1:0"
    advertise: str | None = None
    drain_s: float = 10.0
    bounds: tasks.Bounds = field(default_factory=tasks.Bounds)
    enrolment: EnrolmentSettings = field(default_factory=EnrolmentSettings)


class Backend:
    """Answers Compute: each task on a thread of its own, as many at once as there are workers."""

    def __init__(self, enrolment: Enrolment, workers: Workers, bounds: tasks.Bounds) -> None:
        self._enrolment, self._workers, self._bounds = enrolment, workers, bounds

    async def Compute(
        self, request: messages.TaskRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> messages.TaskResponse:
        try:
            kernel = tasks.parse(request.task, self._bounds)
        except ValueError as error:
            await self._enrolment.refuse(context, grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except tasks.NotYet as error:
            await self._enrolment.refuse(context, grpc.StatusCode.UNIMPLEMENTED, str(error))
        async with self._enrolment.task(context):
            try:
                return messages.TaskResponse(result=await self._workers.run(kernel))
            except MemoryError:
                words = f"{self._enrolment.address} has no memory for {request.task!r}"
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, words)


async def serve(settings: BackendSettings, ready: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serves until `stop` is set, then drains. `ready` is called with the address once the backend serves and has
    tried to register. Raises StartFailed if it cannot listen."""
    server = grpc.aio.server(options=_OPTIONS)
    enrolment = Enrolment(settings.advertise or _listen(server, settings.listen), settings.enrolment)
    if settings.advertise:
        _listen(server, settings.listen)
    workers = Workers(settings.enrolment.limit)
    backend = Backend(enrolment, workers, settings.bounds)
    server.add_generic_rpc_handlers(services.handlers(SERVICE, backend, bare=["Compute"]))
    watched = await _add_health(server)
    await workers.warm_up()
    await server.start()
    await enrolment.start()
    ready(enrolment.address)
    await stop.wait()
    await watched.enter_graceful_shutdown()
    await enrolment.leave()
    await server.stop(settings.drain_s)
    workers.close()
    _log.info("%s", _account(enrolment, workers))


def _listen(server: grpc.aio.Server, listen: str) -> str:
    """The address that is listened on."""
    try:
        port = server.add_insecure_port(listen)
    except RuntimeError:
        raise StartFailed(f"cannot listen on {listen}: taken, or not an address of this machine") from None
    return f"{listen.rpartition(':')[0]}:{port}"


async def _add_health(server: grpc.aio.Server) -> health.aio.HealthServicer:
    servicer = health.aio.HealthServicer()
    for name in ("", f"{services.PACKAGE}.{SERVICE}", SERVICE):
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    return servicer


def _account(enrolment: Enrolment, workers: Workers) -> str:
    limiter = enrolment.limiter
    cpu_ms = 1e3 * workers.cpu_s / max(1, workers.served)
    return (
        f"served {workers.served} tasks, at most {limiter.most} at once, {cpu_ms:.1f} ms of CPU each, "
        f"{limiter.refused} refused"
    )
