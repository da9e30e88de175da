"""A balancer and backends that do as a test tells them: real gRPC servers on free ports, answers made by hand."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self

import grpc
import grpc.aio

from lbsuite.wire import messages, services, tasks


class Refuse(Exception):
    """Raised by a script: the call ends with this status."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__(code)
        self.code = code


def refuse(code: str) -> Any:
    """A script that always refuses."""

    def script(*_: object) -> None:
        raise Refuse(grpc.StatusCode[code])

    return script


class Server:
    """One gRPC server of one service."""

    def __init__(self, service: str, listen: str = "127.0.0.1:0") -> None:
        self._service = service
        self._server: grpc.aio.Server | None = None
        self.address = listen

    async def start(self) -> None:
        """Listens, on the port it had before if it was started before."""
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers(services.handlers(self._service, self))
        self.address = f"127.0.0.1:{self._server.add_insecure_port(self.address)}"
        await self._server.start()

    async def stop(self) -> None:
        """Breaks every connection at once."""
        if self._server:
            await self._server.stop(None)
            self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


class Backend(Server):
    """Answers Fibonacci tasks rightly unless `script` says otherwise. Remembers the tasks, tokens and peers it saw."""

    def __init__(self) -> None:
        super().__init__("BackendService")
        self.script: Callable[[str], Awaitable[str] | str | None] = lambda task: None
        self.tasks: list[str] = []
        self.tokens: list[str | None] = []
        self.peers: list[str] = []

    async def Compute(self, request: messages.TaskRequest, context: Any) -> messages.TaskResponse:
        self.tasks.append(request.task)
        self.tokens.append(dict(context.invocation_metadata()).get(services.PICK_METADATA))
        self.peers.append(context.peer())
        try:
            answer = self.script(request.task)
            if isinstance(answer, Awaitable):
                answer = await answer
        except Refuse as refusal:
            await context.abort(refusal.code, "as the script says")
        return messages.TaskResponse(result=answer or tasks.expected(request.task))


class Balancer(Server):
    """Names its backends in turn, those that are not excluded, unless `script` says otherwise.

    balancers: those that it knows of.
    """

    def __init__(self, backends: list[Backend]) -> None:
        super().__init__("LoadBalancer")
        self.backends = backends
        self.script: Callable[[messages.BalanceRequest], str | None] = lambda request: None
        self.requests: list[messages.BalanceRequest] = []
        self.balancers: list[str] = []

    async def GetBestServer(self, request: messages.BalanceRequest, context: Any) -> messages.ServerInfo:
        self.requests.append(request)
        token = len(self.requests)
        try:
            address = self.script(request)
        except Refuse as refusal:
            await context.abort(refusal.code, "as the script says")
        allowed = [backend.address for backend in self.backends if backend.address not in request.exclude]
        if not address and not allowed:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "none is left")
        return messages.ServerInfo(address=address or allowed[token % len(allowed)], token=token)

    async def Status(self, request: messages.StatusRequest, context: Any) -> messages.StatusReply:
        endpoints = [
            messages.Endpoint(info=messages.ServerInfo(address=backend.address), state=messages.READY)
            for backend in self.backends
        ]
        return messages.StatusReply(endpoints=endpoints, balancers=self.balancers)


@contextlib.asynccontextmanager
async def fleet(backends: int = 2) -> AsyncIterator[Balancer]:
    """A balancer and its backends, started."""
    members = [Backend() for _ in range(backends)]
    balancer = Balancer(members)
    async with contextlib.AsyncExitStack() as stack:
        for server in (*members, balancer):
            await stack.enter_async_context(server)
        yield balancer
