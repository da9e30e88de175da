"""A backend that is sick: it joins a fleet as any, and then fails every task at once, or never answers.

failing: each task fails within a millisecond. black_hole: a task begins and is never answered; it ends when its
caller's time is up. silent: the same, but not even that it has begun is told. Started by `sick_backends.py`.
"""

import argparse
import asyncio
from typing import Any

import grpc
import grpc.aio

from lbsuite.cli import daemon
from lbsuite.wire import listening, messages, services
from lbsuite.wire.joining.enrolment import EnrolmentSettings
from lbsuite.wire.joining.join import enrol

FAILS_AFTER_S = 0.001


class Sick:
    """Answers Compute as its fault has it."""

    def __init__(self, fault: str) -> None:
        self._fault = fault

    async def Compute(
        self, request: messages.TaskRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> messages.TaskResponse:
        if self._fault == "black_hole":
            await asyncio.Event().wait()
        await asyncio.sleep(FAILS_AFTER_S)
        await context.abort(grpc.StatusCode.INTERNAL, "it is broken")


class Silence(grpc.aio.ServerInterceptor):
    """Swallows tasks before anybody counts them."""

    async def intercept_service(self, continuation: Any, handler_call_details: grpc.HandlerCallDetails) -> Any:
        if handler_call_details.method.endswith("/Compute"):
            await asyncio.Event().wait()
        return await continuation(handler_call_details)


async def serve(fault: str, listen: str, balancers: tuple[str, ...]) -> None:
    interceptors = [Silence()] if fault == "silent" else []
    server = grpc.aio.server(interceptors=interceptors, options=listening.OPTIONS)
    enrolment = enrol(server, listening.listen(server, listen), EnrolmentSettings(balancers=balancers))
    server.add_generic_rpc_handlers(services.handlers("BackendService", Sick(fault), bare=["Compute"]))
    await server.start()
    daemon.ready("backend", enrolment.address)
    await daemon.stop_event().wait()
    await server.stop(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", required=True)
    parser.add_argument("--lb", required=True)
    parser.add_argument("--fault", choices=("failing", "black_hole", "silent"), required=True)
    args = parser.parse_args()
    asyncio.run(serve(args.fault, args.listen, tuple(args.lb.split(","))))


if __name__ == "__main__":
    main()
