"""A backend: a process that computes tasks for a fleet."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio

from lbsuite.wire import listening, messages, services, tasks
from lbsuite.wire.joining.enrolment import Enrolment, EnrolmentSettings
from lbsuite.wire.joining.join import enrol
from lbsuite.wire.refusal import Refused
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

    def __init__(self, workers: Workers, bounds: tasks.Bounds) -> None:
        self._workers, self._bounds = workers, bounds

    async def Compute(
        self, request: messages.TaskRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> messages.TaskResponse:
        try:
            kernel = tasks.parse(request.task, self._bounds)
        except ValueError as error:
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from None
        except tasks.NoKernel as error:
            raise Refused(grpc.StatusCode.UNIMPLEMENTED, str(error)) from None
        try:
            return messages.TaskResponse(result=await self._workers.run(kernel))
        except MemoryError:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"no memory for {request.task!r}")


async def serve(settings: BackendSettings, ready: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serves until `stop` is set, then drains. `ready` is called with the address once the backend serves and has
    tried to register. Raises StartFailed if it cannot listen."""
    server = grpc.aio.server(options=listening.OPTIONS)
    listening_on = listening.listen(server, settings.listen)
    enrolment = enrol(server, settings.advertise or listening_on, settings.enrolment)
    workers = Workers(settings.enrolment.limit)
    server.add_generic_rpc_handlers(services.handlers(SERVICE, Backend(workers, settings.bounds), bare=["Compute"]))
    await workers.warm_up()
    await server.start()
    ready(enrolment.address)
    await stop.wait()
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
