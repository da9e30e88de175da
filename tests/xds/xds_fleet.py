"""What the tests of xDS are made of: a balancer with an ADS door, backends that say who they are, callers."""

import asyncio
import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from lbsuite.wire import messages, orca_messages, services
from lbsuite.wire.balancer import Balancer, BalancerSettings
from lbsuite.xds import bootstrap
from lbsuite.xds.door import AdsDoor
from lbsuite.xds.settings import ClientPolicy, XdsSettings

DEADLINE_S = 30.0
METHOD = "/who.Who/Are"
CALLER = Path(__file__).with_name("xds_caller.py")


class Backend:
    """A gRPC server that answers with its own address; with `utilization` it says how loaded it is in each trailer."""

    def __init__(self, utilization: float | None = None) -> None:
        self.address = ""
        self._utilization = utilization
        self._server: grpc.aio.Server | None = None

    async def start(self) -> Self:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        handler = grpc.unary_unary_rpc_method_handler(self._answer)
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("who.Who", {"Are": handler})])
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        await self._server.start()
        return self

    async def stop(self) -> None:
        assert self._server is not None
        await self._server.stop(0)

    async def _answer(self, request: bytes, context: Any) -> bytes:
        if self._utilization is not None:
            context.set_trailing_metadata(((services.ORCA_METADATA, orca(self._utilization)),))
        return self.address.encode()


def orca(utilization: float, qps: float = 100.0) -> bytes:
    return orca_messages.OrcaLoadReport(cpu_utilization=utilization, rps_fractional=qps).SerializeToString()


@asynccontextmanager
async def backends(*utilizations: float | None) -> AsyncIterator[list[Backend]]:
    started = [await Backend(utilization).start() for utilization in utilizations]
    try:
        yield started
    finally:
        for backend in started:
            await backend.stop()


class Serving:
    """A balancer and its ADS door in this process."""

    def __init__(
        self,
        policy: str = "round_robin",
        weights: str = "joined",
        listen: str = "127.0.0.1:0",
        *,
        ttl_s: float = 5,
        listed: bool = True,
    ) -> None:
        self.balancer = Balancer(BalancerSettings(ttl_s=ttl_s))
        self.balancer.listed = listed
        self.door = AdsDoor(self.balancer, XdsSettings(listen, ClientPolicy.parse(policy), weights))

    async def register(self, *backends: Backend, **fields: Any) -> None:
        await self.register_at(*(backend.address for backend in backends), **fields)

    async def register_at(self, *addresses: str, service: str = "default", **fields: Any) -> None:
        for address in addresses:
            info = messages.ServerInfo(address=address, service=service, **fields)
            await self.balancer.RegisterServer(info, None)

    async def report(self, address: str, load: int, **fields: Any) -> None:
        await self.balancer.ReportLoad(messages.ServerLoad(address=address, load=load, available=True, **fields), None)

    async def drain(self, address: str, service: str = "default") -> None:
        await self.balancer.Drain(messages.DrainRequest(address=address, service=service), None)

    async def status(self, service: str = "default") -> messages.StatusReply:
        return await self.balancer.Status(messages.StatusRequest(service=service), None)

    def connected(self, *backends: Backend) -> bool:
        """Whether the balancer has a connection to each."""
        connections = self.balancer.membership._connections
        return all(connections.up(backend.address) for backend in backends)

    async def refused(self) -> bool:
        """Whether a client has refused anything."""
        return any(client.error for client in (await self.status()).xds_clients)

    async def taken(self) -> bool:
        """Whether a client has taken endpoints."""
        clients = (await self.status()).xds_clients
        return any(client.version for client in clients if client.type == "ClusterLoadAssignment")

    def nobody_follows(self) -> bool:
        return not len(self.door.clients)

    async def __aenter__(self) -> Self:
        await self.door.open()
        return self

    async def __aexit__(self, *exc: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.door.close()
        await self.balancer.close()


class Caller:
    """A process with an unmodified client of gRPC on `xds:///SERVICE`, which calls when it is told to."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self._command, self._environment = command, environment
        self._process: asyncio.subprocess.Process | None = None

    async def call(self, times: int) -> Counter[str]:
        """How often each backend answered; errors count under their status."""
        return Counter((await self._ask(f"call {times}"))["answers"])

    async def until(self, address: str) -> tuple[int, float]:
        """Calls until this backend answers: how many calls that took, and the milliseconds."""
        told = await self._ask(f"until {address}")
        return told["calls"], told["ms"]

    async def becomes(self, fits: Callable[[Counter[str]], bool], times: int = 20) -> Counter[str]:
        """Calls in batches until one fits."""
        async with asyncio.timeout(DEADLINE_S):
            while not fits(counts := await self.call(times)):
                pass
        return counts

    async def _ask(self, words: str) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{words}\n".encode())
        async with asyncio.timeout(DEADLINE_S):
            line = await self._process.stdout.readline()
        assert line, f"the caller ended at {words!r}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # What our command line sets for its own processes is no user's setting.
            env={name: value for name, value in os.environ.items() if not name.startswith("GRPC_")} | self._environment,
        )
        return self

    async def __aexit__(self, *exc: type[BaseException] | BaseException | TracebackType | None) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


def caller(ads: str, service: str = "default", command: Sequence[str] = (sys.executable, str(CALLER))) -> Caller:
    told = json.dumps(bootstrap.for_grpc([ads]))
    return Caller([*command, f"xds:///{service}"], {bootstrap.VARIABLE: told})
