"""The ADS server: one listening address, one stream a client."""

import contextlib
import functools
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from lbsuite.wire import listening
from lbsuite.wire.balancer import Balancer
from lbsuite.wire.refusal import Refused
from lbsuite.xds import messages
from lbsuite.xds.catalog import Catalog
from lbsuite.xds.clients import Clients
from lbsuite.xds.delta import Delta
from lbsuite.xds.feed import Feed
from lbsuite.xds.settings import XdsSettings
from lbsuite.xds.stream import Stream
from lbsuite.xds.subscription import Subscription, bounded
from lbsuite.xds.whole import Whole

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
MAX_REQUEST_BYTES = 1024 * 1024
_OPTIONS = (
    *listening.OPTIONS,
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    # A client whose machine is gone says nothing; a ping finds out.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Clients ping as they please; they would be sent away for it.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
)


class AdsDoor:
    """Tells xDS clients of a balancer's services. Belongs to its event loop."""

    def __init__(self, balancer: Balancer, settings: XdsSettings | None = None) -> None:
        self.address = ""
        """Where it listens, once it is open."""
        self.clients = Clients()
        self._settings = settings or XdsSettings()
        self._balancer = balancer
        self._catalog = Catalog()
        self._feed: Feed | None = None
        self._server = grpc.aio.server(options=_OPTIONS)
        self._server.add_generic_rpc_handlers([self._handler()])

    async def open(self) -> str:
        """Listens, and says where. Raises StartFailed where that cannot be."""
        self.address = listening.listen(self._server, self._settings.listen)
        self._feed = Feed(self._balancer, self._catalog, self._settings)
        self._balancer.xds_clients = self.clients.told
        await self._server.start()
        return self.address

    async def close(self) -> None:
        """Ends the streams; clients go on with what they were told."""
        await self._server.stop(0)
        if self._feed is not None:
            self._feed.close()

    def _handler(self) -> Any:
        methods = {
            "StreamAggregatedResources": grpc.stream_stream_rpc_method_handler(
                functools.partial(self._serve, Whole),
                _reader(messages.DiscoveryRequest),
                messages.DiscoveryResponse.SerializeToString,
            ),
            "DeltaAggregatedResources": grpc.stream_stream_rpc_method_handler(
                functools.partial(self._serve, Delta),
                _reader(messages.DeltaDiscoveryRequest),
                messages.DeltaDiscoveryResponse.SerializeToString,
            ),
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    async def _serve(
        self, kind: type[Subscription], requests: Any, context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        stream = Stream(self._catalog, bounded(context.peer()), kind)
        self.clients.add(stream)
        try:
            await stream.run(requests, context.write)
        except Refused as refusal:
            await context.abort(refusal.code, str(refusal))
        finally:
            self.clients.remove(stream)


def _reader(message: Any) -> Any:
    # What is raised here grpc.aio would log with a traceback, as often as a stranger likes.
    def read(data: bytes) -> Any:
        with contextlib.suppress(DecodeError):
            return message.FromString(data)
        return None

    return read
