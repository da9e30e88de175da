"""Membership from etcd: a snapshot, and a watch from the revision after it.

Every stream begins with a snapshot, and what it says is compared with what was known; nobody hears of what has not
changed. So the same few lines serve the first start, a lost connection, a compaction, and an etcd that was wiped:
revisions alone cannot tell a wiped etcd that has overtaken us from the one we knew.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from lbsuite.backoff import Backoff
from lbsuite.errors import Unreachable
from lbsuite.events import Balancers, Event
from lbsuite.registry import etcd_messages as messages
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_keys import EtcdKeys
from lbsuite.registry.member import Role, prefix

_log = logging.getLogger(__name__)


class EtcdSource:
    """The members of `service`, as etcd tells them. The client stays its owner's to close.

    While etcd is away nothing is told and nobody leaves; it is tried again for ever. `skipped` counts the junk that was
    read under the prefix. role: tell of the members of this role alone, and ask etcd for no others.
    Raises ValueError for a service name that cannot be part of a key.
    """

    def __init__(self, client: EtcdClient, service: str = "default", role: Role | None = None) -> None:
        self.skipped = 0
        self._client = client
        self._service = service
        self._prefix = prefix(service, role)
        self._followers: set[asyncio.Task[None]] = set()
        self._away = self._closed = False

    async def events(self) -> AsyncGenerator[Event, None]:
        """See Source. Left tells that a key is gone; whether its endpoint goes at once is for the listener to say."""
        if self._closed:
            return
        told: asyncio.Queue[Event | None] = asyncio.Queue()
        follower = asyncio.create_task(self._follow(told))
        follower.add_done_callback(lambda _: told.put_nowait(None))
        self._followers.add(follower)
        try:
            while (event := await told.get()) is not None:
                yield event
            if not follower.cancelled():
                follower.result()
        finally:
            self._followers.discard(follower)
            follower.cancel()

    async def close(self) -> None:
        """See Source."""
        self._closed = True
        followers = list(self._followers)
        for follower in followers:
            follower.cancel()
        await asyncio.gather(*followers, return_exceptions=True)

    async def _follow(self, told: asyncio.Queue[Event | None]) -> None:
        keys = EtcdKeys(self._service, self._skip)
        backoff = Backoff()
        while True:
            try:
                await self._stream(keys, told, backoff)
            except Unreachable as error:
                self._tell_away(error)
            await asyncio.sleep(backoff.next_s())

    async def _stream(self, keys: EtcdKeys, told: asyncio.Queue[Event | None], backoff: Backoff) -> None:
        """One snapshot and the watch after it; returns when the watch needs a new snapshot."""
        snapshot = await self._client.range(self._prefix, prefix=True)
        for event in keys.replace(snapshot.kvs):
            told.put_nowait(event)
        async with aclosing(self._client.watch(self._prefix, snapshot.header.revision + 1)) as answers:
            async for answer in answers:
                if answer.canceled:
                    _log.info("watch of %s ended (%r): taking a new snapshot", self._service, answer.cancel_reason)
                    return
                if answer.created:
                    backoff.reset()
                    self._tell_back()
                for change in answer.events:
                    gone = change.type == messages.WatchEvent.DELETE
                    for event in keys.delete(change.kv.key) if gone else keys.put(change.kv):
                        told.put_nowait(event)

    def _skip(self, error: ValueError) -> None:
        self.skipped += 1
        if self.skipped == 1:
            _log.warning("junk under the keys of %s is skipped, this and what follows: %s", self._service, error)

    def _tell_away(self, error: Unreachable) -> None:
        if not self._away:
            self._away = True
            _log.warning("members of %s: %s; what is known stays, trying again", self._service, error)

    def _tell_back(self) -> None:
        if self._away:
            self._away = False
            _log.warning("members of %s: etcd answers again", self._service)


async def balancers(client: EtcdClient, service: str = "default") -> frozenset[str]:
    """The balancers of a service that are registered now. Raises Unreachable when etcd does not answer in time."""
    keys = EtcdKeys(service, lambda error: _log.info("junk skipped: %s", error))
    snapshot = await client.range(prefix(service, "balancers"), prefix=True)
    *_, told = keys.replace(snapshot.kvs)
    assert isinstance(told, Balancers)
    return told.addresses
