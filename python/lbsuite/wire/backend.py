"""A backend: a process that computes tasks for a fleet."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio

from lbsuite.wire import listening, messages, services, tasks
from lbsuite.wire.join import Enrolment, EnrolmentSettings
from lbsuite.wire.workers import Workers

SERVICE = "BackendService"

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
        except tasks.NoKernel as error:
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
    server = grpc.aio.server(options=listening.OPTIONS)
    enrolment = Enrolment(settings.advertise or listening.listen(server, settings.listen), settings.enrolment)
    if settings.advertise:
        listening.listen(server, settings.listen)
    workers = Workers(settings.enrolment.limit)
    backend = Backend(enrolment, workers, settings.bounds)
    server.add_generic_rpc_handlers(services.handlers(SERVICE, backend, bare=["Compute"]))
    watched = await listening.add_health(server, SERVICE)
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


def _account(enrolment: Enrolment, workers: Workers) -> str:
    limiter = enrolment.limiter
    cpu_ms = 1e3 * workers.cpu_s / max(1, workers.served)
    return (
        f"served {workers.served} tasks, at most {limiter.most} at once, {cpu_ms:.1f} ms of CPU each, "
        f"{limiter.refused} refused"
    )
