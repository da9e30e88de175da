"""What stubs are made of: one method of one channel, and its plain callable at each endpoint."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from lbsuite.wire import services

if TYPE_CHECKING:
    from lbsuite.channels.channel import Channel
    from lbsuite.channels.endpoint import Endpoint
    from lbsuite.channels.sync_channel import SyncChannel

Key = str | bytes | None


class Method:
    """name: `/package.Service/Method`. plain: what grpc.aio's own channel takes beside the name."""

    kind: ClassVar[str]

    channel: "Channel | SyncChannel"

    def __init__(self, channel: "Channel | SyncChannel", name: str, plain: dict[str, Any]) -> None:
        self.channel = channel
        self.name = name
        self.keyed = channel.key is not None
        self._plain = plain

    def stub(self, endpoint: "Endpoint") -> Any:
        """Makes the method's callable over the connection of one endpoint, and keeps it there."""
        stub = getattr(endpoint.connection.channel, self.kind)(self.name, **self._plain)
        endpoint.stubs[self] = stub
        return stub

    def key_of(self, request: Any, options: dict[str, Any]) -> Key:
        """What keeps the call together with others: its metadata's `lbsuite-key`, else what the channel's key= says."""
        metadata: Iterable[tuple[str, Key]] | None = options["metadata"]
        if metadata is not None:
            if isinstance(metadata, Iterator):  # grpc.aio takes one, but here it is read more than once
                metadata = options["metadata"] = tuple(metadata)
            for name, value in metadata:
                if name == services.KEY_METADATA:
                    return value
        key = self.channel.key
        return None if key is None else key(request)
