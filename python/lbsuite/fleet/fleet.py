"""A fleet on this machine: etcd, balancers and backends, started together and gone when it closes."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from lbsuite.fleet.etcd_server import EtcdBinary, EtcdServer
from lbsuite.fleet.process import Lbsuite, Process


class Fleet:
    """Starts processes of one service and ends them all: `async with Fleet() as fleet: ...`.

    etcd: endpoints of an etcd that runs elsewhere; else `start_etcd` starts one, else there is none.
    ready_s: how long each start may take. drain_s: how long each process may take to stop before it is killed.
    said: called with each line that a balancer or backend logs.
    """

    def __init__(
        self,
        service: str = "default",
        *,
        etcd: Sequence[str] = (),
        ready_s: float = 30.0,
        drain_s: float = 10.0,
        said: Callable[[str], object] = lambda line: None,
    ) -> None:
        self.service = service
        self.etcd_endpoints = tuple(etcd)
        self.etcd: EtcdServer | None = None
        self.balancers: list[Lbsuite] = []
        self.backends: list[Lbsuite] = []
        self._ready_s, self._drain_s, self._said = ready_s, drain_s, said

    async def start_etcd(self, binary: EtcdBinary | None = None) -> EtcdServer:
        """Starts an etcd that balancers and backends started after it will use. Raises EtcdMissing, StartFailed."""
        self.etcd = server = EtcdServer(binary)
        await server.start(self._ready_s)
        self.etcd_endpoints = (server.address,)
        return server

    async def start_lb(
        self, *flags: str, listen: str = "127.0.0.1:0", admin: str | None = None, xds: str | None = None
    ) -> Lbsuite:
        """Starts a balancer; with `admin` its admin door, with `xds` its ADS server, too. Raises StartFailed."""
        etcd = ("--etcd", ",".join(self.etcd_endpoints)) if self.etcd_endpoints else ("--no-etcd",)
        balancer = Lbsuite("lb", ("--service", self.service, *etcd, *flags), listen, admin, xds=xds)
        balancer.said = self._said
        await balancer.start(self._ready_s)
        self.balancers.append(balancer)
        return balancer

    async def start_backend(self, *flags: str, listen: str = "127.0.0.1:0", lb: Sequence[str] | None = None) -> Lbsuite:
        """Starts a backend that joins the balancers `lb`, by default those of this fleet. Raises StartFailed."""
        balancers = [balancer.address for balancer in self.balancers] if lb is None else lb
        join = ("--lb", ",".join(balancers)) if balancers else ()
        etcd = ("--etcd", ",".join(self.etcd_endpoints)) if self.etcd_endpoints else ()
        backend = Lbsuite("backend", ("--service", self.service, *join, *etcd, *flags), listen)
        backend.said = self._said
        await backend.start(self._ready_s)
        self.backends.append(backend)
        return backend

    async def start_backends(self, count: int, *flags: str, lb: Sequence[str] | None = None) -> list[Lbsuite]:
        """Starts `count` backends at once. Raises StartFailed when one of them fails, after all have had their turn."""
        starting = (self.start_backend(*flags, lb=lb) for _ in range(count))
        started = await asyncio.gather(*starting, return_exceptions=True)
        for failure in started:
            if isinstance(failure, BaseException):
                raise failure
        return [backend for backend in started if isinstance(backend, Lbsuite)]

    async def aclose(self) -> None:
        """Stops backends, then balancers, then etcd; when it returns none of them runs, even where it is cancelled."""
        etcd = [self.etcd] if self.etcd else []
        try:
            for crowd in (self.backends, self.balancers, etcd):
                await asyncio.gather(*(process.stop(self._drain_s) for process in crowd if process.running))
        finally:
            everyone: list[Process] = [*self.backends, *self.balancers, *etcd]
            await asyncio.gather(*(process.kill() for process in everyone))
            for server in etcd:
                server.clean()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
