"""What a policy that probes (prequal) asks endpoints: how many tasks they have, and what one more would take."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from lbsuite import background
from lbsuite.channels.endpoint import Endpoint
from lbsuite.wire import messages, services

if TYPE_CHECKING:
    from lbsuite.channels.service import Service

PROBE_S = 1.0
"""A probe that is older than that no policy goes by."""

_log = logging.getLogger(__name__)


def _as_it_is(channel: Any) -> Any:
    return channel


class Probes:
    """Sends the probes that an engine asks for, one at a time to each endpoint. Belongs to the running event loop.
    awaited: makes one of grpc.aio of an endpoint's channel, as far as probes need it."""

    def __init__(self, service: "Service", awaited: Callable[[Any], Any] = _as_it_is) -> None:
        self._service = service
        self._awaited = awaited
        self._asked: dict[str, asyncio.Task[None]] = {}

    def send(self, address: str) -> None:
        """Asks an endpoint; one that is being asked, or that knows no probes, is left alone."""
        endpoint = self._service.endpoints.get(address)
        if endpoint is None or endpoint.mute or address in self._asked:
            return
        self._asked[address] = task = background.start(self._ask(endpoint), f"probe of {address}")
        task.add_done_callback(lambda _: self._asked.pop(address))

    async def _ask(self, endpoint: Endpoint) -> None:
        probe = endpoint.stubs.get(self)
        if probe is None:
            probe = endpoint.stubs[self] = services.stub(
                self._awaited(endpoint.connection.channel), "ProbeService"
            ).Probe
        try:
            reply: messages.ProbeReply = await probe(messages.ProbeRequest(), timeout=PROBE_S)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                endpoint.mute = True
                _log.warning("%s answers no probes: it did not join by lbsuite.join", endpoint.address)
            return
        now = time.monotonic()
        self._service.engine.probed(endpoint.address, now, tasks=reply.tasks, latency_s=reply.latency_us / 1e6)
        self._service.alarm.settle(now)
