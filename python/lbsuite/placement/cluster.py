"""A placement that a fleet keeps together: members come from etcd's leases, the order of changes from a log in etcd.

Every process that follows applies the same entries in the same order, so all agree on every object without a word to
each other. Whoever notices first that the members differ from the placement writes the next entry; there is no leader.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Self

from lbsuite import background
from lbsuite._core import Placer
from lbsuite.backoff import Backoff
from lbsuite.errors import LbsuiteError, Unreachable
from lbsuite.placement.log import Entry, PlacementLog
from lbsuite.placement.members import Members, ipv4
from lbsuite.placement.weights import HEAVIEST
from lbsuite.registry.etcd import EtcdSource
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import Member
from lbsuite.registry.registration import Registration

KEEP_ENTRIES = 100
"""Entries below a snapshot that stay, for those who fell a little behind."""

APPLIED_S = 5.0
"""An entry that was written is back by the watch within this, or is looked for again."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One batch as it was applied here, or all of them up to `revision` where a snapshot stood for them.

    digest: of the placement after it; equal in every process. moved, minimum: objects that changed their owner, and how
    many had to (0 where unknown). gained, lost: what this member owns from now on, and no longer.
    """

    revision: int
    digest: int
    moved: int = 0
    minimum: int = 0
    gained: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()


class Cluster:
    """Follows one service's placement, and takes part in it as `member` if one is named. Use it with `async with`.

    etcd: HOST:PORT,... or settings. member: HOST:PORT with an IPv4 host, by which the placement knows it; None: this
    process only looks on. weight: the member's, 1..64. objects: what is placed; the first writer's counts. ttl_s: how
    long a dead member keeps its objects. settle_s: changes that come within this are one batch. snapshot_every: entries
    between two snapshots.

    Raises ValueError for settings that make no sense, and on entering LbsuiteError if a member with the same IPv4 and
    another port is there. While etcd is away the placement stays as it is.
    """

    def __init__(
        self,
        etcd: str | EtcdSettings,
        service: str = "default",
        *,
        member: str | None = None,
        weight: int = 1,
        objects: int = 4096,
        ttl_s: float = 5.0,
        settle_s: float = 0.2,
        snapshot_every: int = 1000,
    ) -> None:
        if not 1 <= weight <= HEAVIEST:
            raise ValueError(f"weight out of 1..{HEAVIEST}: {weight}")
        settings = etcd if isinstance(etcd, EtcdSettings) else EtcdSettings(tuple(etcd.split(",")))
        self.address = ipv4(member) if member else None
        self.placer = Placer(objects)
        self._service, self._ttl_s, self._settle_s, self._snapshot_every = service, ttl_s, settle_s, snapshot_every
        self._member = Member(member, weight=weight) if member else None
        self._client = EtcdClient(settings)
        self._source = EtcdSource(self._client, service, "endpoints")
        self._log = PlacementLog(self._client, service)
        self._members = Members()
        self._complete = asyncio.Event()  # the first list of members is whole
        self._caught_up = asyncio.Event()  # the log has been read
        self._steps: set[asyncio.Future[None]] = set()
        self._followers: set[asyncio.Queue[Step]] = set()
        self._registration: Registration | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._doubted = False

    @property
    def live(self) -> int:
        """Members whose leases live; 0 when the last has gone, and its table stays."""
        return len(self._members.weights())

    @property
    def revision(self) -> int:
        """The number of the last entry applied."""
        return self.placer.revision

    async def steps(self) -> AsyncGenerator[Step, None]:
        """First where things stand, then each batch: "you now own", "you no longer own"."""
        told: asyncio.Queue[Step] = asyncio.Queue()
        self._followers.add(told)
        try:
            yield Step(self.revision, self.placer.digest(), gained=tuple(sorted(self._owned())))
            while True:
                yield await told.get()
        finally:
            self._followers.discard(told)

    async def caught_up(self) -> None:
        """Waits until the placement is that of the members there are now."""
        await self._complete.wait()
        await self._until(lambda: self._caught_up.is_set() and not self._difference())

    async def update(self, weight: int) -> None:
        """Changes the member's weight (see `weights_from`); all learn it through the log."""
        if self._registration is None or self._member is None:
            raise ValueError("only a member has a weight: Cluster(member=...)")
        if not 1 <= weight <= HEAVIEST:
            raise ValueError(f"weight out of 1..{HEAVIEST}: {weight}")
        self._member = Member(self._member.address, weight=weight)
        self._registration.update(self._member)

    async def __aenter__(self) -> Self:
        self._tasks = [
            background.start(self._watch_members(), "members of a placement"),
            background.start(self._follow(), "a placement's log"),
            background.start(self._write(), "a placement's writer"),
        ]
        try:
            await self._enter()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Leaves: the member's key goes, and the others share its objects."""
        if self._registration is not None:
            await self._registration.close()
            self._registration = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._source.close()
        await self._client.close()

    async def _enter(self) -> None:
        if self._member is None:
            return
        await self._complete.wait()
        if other := self._members.twin(self._member.address):
            raise LbsuiteError(f"{other} is a member with the same IPv4 as {self._member.address}")
        self._registration = Registration(self._client, self._member, service=self._service, ttl_s=self._ttl_s)

    async def _watch_members(self) -> None:
        async with aclosing(self._source.events()) as events:
            async for event in events:
                if self._members.take(event):
                    self._complete.set()
                self._step()

    def _difference(self) -> dict[str, int]:
        """What the next entry would say; nothing if no member is left, for then the table stays."""
        wanted, placed = self._members.weights(), self.placer.weights
        if not wanted:
            return {}
        changed = {server: weight for server, weight in wanted.items() if placed.get(server) != weight}
        return changed | {server: 0 for server in placed if server not in wanted}

    async def _follow(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._stream(backoff)
            except Unreachable as error:
                _log.info("placement of %s: %s; what is placed stays, trying again", self._service, error)
            except ValueError as error:
                _log.error("placement of %s: %s; waiting for a log that makes sense", self._service, error)
            self._caught_up.clear()
            await asyncio.sleep(backoff.next_s())

    async def _stream(self, backoff: Backoff) -> None:
        """The log as it stands, and what comes after; returns where it must be read anew."""
        written = await self._log.read()
        first = written.entries[0].number if written.entries else None
        behind = self._doubted or (first is not None and first > self.revision + 1)
        newer = written.snapshot is not None and Placer.restore(written.snapshot).revision > self.revision
        if written.snapshot is not None and (behind or (first is None and newer) or (newer and self.revision == 0)):
            self._replace(Placer.restore(written.snapshot))
        elif written.snapshot is None and first != 1 and self.revision > 0:
            # etcd has lost the log: what we know goes on as its snapshot, or another's does.
            await self._log.write_snapshot(self.placer.snapshot(), 1)
            return
        self._doubted = False
        if not all(self._take(entry) for entry in written.entries):
            return
        async with aclosing(self._log.follow(written.revision)) as entries:
            async for entry in entries:
                if entry is None:
                    backoff.reset()
                    self._caught_up.set()
                    self._step()
                elif not self._take(entry):
                    return

    def _take(self, entry: Entry) -> bool:
        """Applies the next entry; False if it is not the next, or if we came to something else than its writer."""
        if entry.number <= self.revision:
            return True
        if entry.number > self.revision + 1:
            return False
        if entry.digest != self.placer.digest():
            _log.error("placement of %s: our digest before entry %d is not its writer's", self._service, entry.number)
            if not self._doubted:
                self._doubted = True
                return False
        before = self._owned()
        delta = self.placer.apply(entry.number, entry.weights)
        self._tell(before, len(delta.moves), delta.minimum)
        return True

    def _replace(self, placer: Placer) -> None:
        before = self._owned()
        self.placer = placer
        self._tell(before)

    def _owned(self) -> set[int]:
        return set(self.placer.owned(self.address).tolist()) if self.address else set()

    def _tell(self, before: set[int], moved: int = 0, minimum: int = 0) -> None:
        after = self._owned()
        gained, lost = tuple(sorted(after - before)), tuple(sorted(before - after))
        step = Step(self.revision, self.placer.digest(), moved, minimum, gained, lost)
        for follower in self._followers:
            follower.put_nowait(step)
        self._step()

    async def _write(self) -> None:
        await self._complete.wait()
        while True:
            await self._until(lambda: self._caught_up.is_set() and bool(self._difference()))
            # What happens within this is one batch; and not all who noticed write at once.
            await asyncio.sleep(self._settle_s * random.uniform(0.75, 1.5))
            with contextlib.suppress(Unreachable, TimeoutError):
                await self._propose()

    async def _propose(self) -> None:
        """Writes the next entry, or finds that another has; it is applied when it comes back by the watch."""
        weights = self._difference()
        if not weights or not self._caught_up.is_set():
            return
        number = self.revision + 1
        writer = self._member.address if self._member else "onlooker"
        written = await self._log.append(Entry(number, weights, self.placer.digest(), writer))
        async with asyncio.timeout(APPLIED_S):
            await self._until(lambda: self.revision >= number)
        if written and number % self._snapshot_every == 0:
            await self._log.write_snapshot(self.placer.snapshot(), self.revision - KEEP_ENTRIES)

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Waits for a step of members, log or placement after which the condition holds."""
        while not condition():
            step = asyncio.get_running_loop().create_future()
            self._steps.add(step)
            try:
                await step
            finally:
                self._steps.discard(step)

    def _step(self) -> None:
        for step in self._steps:
            if not step.done():
                step.set_result(None)
