"""The clients of an ADS server, for whoever asks how they are."""

from collections import deque
from collections.abc import Iterable, Iterator

from lbsuite.wire import messages
from lbsuite.xds.stream import Stream

MOST_TOLD = 256
MOST_KEPT = 64


class Clients:
    """Those whose streams are open, and what others refused before they went."""

    def __init__(self) -> None:
        self._open: dict[Stream, None] = {}
        self._gone: deque[Stream] = deque(maxlen=MOST_KEPT)

    def __len__(self) -> int:
        return len(self._open)

    def add(self, stream: Stream) -> None:
        self._open[stream] = None

    def remove(self, stream: Stream) -> None:
        del self._open[stream]
        if any(each.error for each in stream.subscriptions.values()):
            self._gone.append(stream)

    def told(self, service: str) -> list[messages.XdsClient]:
        """Those that follow a service, one entry a type, the refusals first; MOST_TOLD at most."""
        entries = [*self._entries(self._open, service, gone=False), *self._entries(self._gone, service, gone=True)]
        return sorted(entries, key=lambda entry: (not entry.error, entry.gone))[:MOST_TOLD]

    def _entries(self, streams: Iterable[Stream], service: str, *, gone: bool) -> Iterator[messages.XdsClient]:
        # Copied first: the admin door asks in a thread of its own.
        for stream in list(streams):
            for each in list(stream.subscriptions.values()):
                if each.follows(service) and (each.error or not gone):
                    yield messages.XdsClient(
                        node=stream.node,
                        peer=stream.peer,
                        type=each.kind,
                        version=each.accepted,
                        error=each.error,
                        gone=gone,
                    )
