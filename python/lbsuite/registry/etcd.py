"""Membership from etcd: a snapshot, and a watch from the revision after it.

Every stream begins with a snapshot, and what it says is compared with what was known; nobody hears of what has not
changed. So the same few lines serve the first start, a lost connection, a compaction, and an etcd that was wiped:
revisions alone cannot tell a wiped etcd that has overtaken us from the one we knew.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal

from lbsuite.backoff import Backoff
from lbsuite.errors import Unreachable
from lbsuite.events import Balancers, Event
from lbsuite.registry import etcd_messages as messages
from lbsuite.registry import grpc_go
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_keys import EtcdKeys
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.grpc_go import GrpcGoKeys
from lbsuite.registry.member import Role, prefix
from lbsuite.registry.story import Stories, Story

_log = logging.getLogger(__name__)


class EtcdSource:
    """The members of `service`, as etcd tells them.

    client: stays its owner's to close; or settings, for a client of its own that is closed with the source.
    While etcd is away nobody leaves; it is tried again for ever. `skipped` counts the junk that was read under the
    prefix. role: tell of the members of this role alone, and ask etcd for no others. layout: whose keys are read;
    grpc-go's tell of endpoints only.
    Raises ValueError for a service name that cannot be part of a key.
    """

    def __init__(
        self,
        client: EtcdClient | EtcdSettings,
        service: str = "default",
        role: Role | None = None,
        layout: Literal["lbsuite", "grpc-go"] = "lbsuite",
    ) -> None:
        self.skipped = 0
        self._service, self._layout = service, layout
        self._prefix = grpc_go.prefix(service) if layout == "grpc-go" else prefix(service, role)
        self._stories = Stories(f"members of {service}", self._follow)
        self._owns = isinstance(client, EtcdSettings)
        self._client = EtcdClient(client) if isinstance(client, EtcdSettings) else client

    def events(self) -> AsyncGenerator[Event, None]:
        """See Source. Left tells that a key is gone; whether its endpoint goes at once is for the listener to say."""
        return self._stories.events()

    async def close(self) -> None:
        """See Source."""
        await self._stories.close()
        if self._owns:
            await self._client.close()

    async def _follow(self, story: Story) -> None:
        keys = GrpcGoKeys(self._skip) if self._layout == "grpc-go" else EtcdKeys(self._service, self._skip)
        backoff = Backoff()
        while True:
            try:
                await self._stream(keys, story, backoff)
            except Unreachable as error:
                story.lost(str(error))
            await asyncio.sleep(backoff.next_s())

    async def _stream(self, keys: EtcdKeys | GrpcGoKeys, story: Story, backoff: Backoff) -> None:
        """One snapshot and the watch after it; returns when the watch needs a new snapshot."""
        snapshot = await self._client.range(self._prefix, prefix=True)
        for event in keys.replace(snapshot.kvs):
            story.tell(event)
        async with aclosing(self._client.watch(self._prefix, snapshot.header.revision + 1)) as answers:
            async for answer in answers:
                if answer.canceled:
                    _log.info("watch of %s ended (%r): taking a new snapshot", self._service, answer.cancel_reason)
                    return
                if answer.created:
                    backoff.reset()
                    story.heard()
                for change in answer.events:
                    gone = change.type == messages.WatchEvent.DELETE
                    for event in keys.delete(change.kv.key) if gone else keys.put(change.kv):
                        story.tell(event)

    def _skip(self, error: ValueError) -> None:
        self.skipped += 1
        if self.skipped == 1:
            _log.warning("junk under the keys of %s is skipped, this and what follows: %s", self._service, error)


async def balancers(client: EtcdClient, service: str = "default") -> frozenset[str]:
    """The balancers of a service that are registered now. Raises Unreachable when etcd does not answer in time."""
    keys = EtcdKeys(service, lambda error: _log.info("junk skipped: %s", error))
    snapshot = await client.range(prefix(service, "balancers"), prefix=True)
    *_, told = keys.replace(snapshot.kvs)
    assert isinstance(told, Balancers)
    return told.addresses
