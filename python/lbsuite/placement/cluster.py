"""A placement that a fleet keeps together: members come from etcd's leases, the order of changes from a log in etcd.

Every process that follows applies the same entries in the same order, so all agree on every object without a word to
each other. Whoever notices first that the members differ from the placement writes the next entry; there is no leader.
"""

import asyncio
import logging
import math
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Self

from lbsuite import background
from lbsuite._core import Placer
from lbsuite.backoff import Backoff
from lbsuite.errors import LbsuiteError, Unreachable
from lbsuite.placement.log import Entry, PlacementLog
from lbsuite.placement.members import Members, ipv4
from lbsuite.placement.replica import Replica
from lbsuite.placement.steps import Step, Steps
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


class Cluster:
    """Follows one service's placement, and takes part in it as `member` if one is named. Use it with `async with`.

    etcd: HOST:PORT,... or settings. member: HOST:PORT with an IPv4 host, by which the placement knows it; None: this
    process only looks on. weight: the member's, 1..64. objects: what is placed; the first writer's counts. ttl_s: how
    long a dead member keeps its objects. settle_s: changes that come within this are one batch. snapshot_every: entries
    between two snapshots.

    Raises ValueError for settings that make no sense, and on entering LbsuiteError if a member with the same IPv4 and
    another port is there. A member's entering waits for etcd; later, while etcd is away the placement stays as it is,
    and `placer` may be another object after any step. What is wrong with the log is logged, and nothing more is
    applied until somebody takes it away; if all under the key `placement/` goes, members start it anew from what they
    know.
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
        _check_weight(weight)
        _check(ttl_s, settle_s, snapshot_every)
        settings = etcd if isinstance(etcd, EtcdSettings) else EtcdSettings(tuple(etcd.split(",")))
        self.address = None if member is None else ipv4(member)
        self._service, self._ttl_s, self._settle_s, self._snapshot_every = service, ttl_s, settle_s, snapshot_every
        self._member = None if member is None else Member(member, weight=weight)
        self._client = EtcdClient(settings)
        self._source = EtcdSource(self._client, service, "endpoints")
        self._log = PlacementLog(self._client, service)
        self._members = Members()
        self._replica = Replica(objects, self.address, self._tell)
        self._steps = Steps()
        self._listed = False  # the first list of members is whole
        self._caught_up = False  # the log has been read, and is listened to
        self._waiting: set[asyncio.Future[None]] = set()
        self._ended: LbsuiteError | None = None
        self._registration: Registration | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._complaint = ""

    @property
    def placer(self) -> Placer:
        """The placement as it is here: to look at, not to apply to."""
        return self._replica.placer

    @property
    def live(self) -> int:
        """Members whose leases live; 0 when the last has gone, and its table stays."""
        return len(self._members.weights())

    @property
    def revision(self) -> int:
        """The number of the last entry applied."""
        return self.placer.revision

    def steps(self) -> AsyncGenerator[Step, None]:
        """First where things stand, then each batch: "you now own", "you no longer own". Ends when this is closed;
        raises LbsuiteError if following has failed."""
        return self._steps.read(self._replica.stands)

    async def caught_up(self) -> None:
        """Waits until the placement is that of the members there are now. Raises LbsuiteError if this is closed."""
        await self._until(lambda: self._listed and self._caught_up and not self._difference())

    async def update(self, weight: int) -> None:
        """Changes the member's weight (see `weights_from`); all learn it through the log."""
        if self._registration is None or self._member is None:
            raise ValueError("only a member that has entered has a weight: Cluster(member=...)")
        _check_weight(weight)
        self._member = Member(self._member.address, weight=weight)
        self._registration.update(self._member)

    async def __aenter__(self) -> Self:
        self._tasks = [
            background.start(self._watch_members(), "members of a placement"),
            background.start(self._follow(), "a placement's log"),
            background.start(self._write(), "a placement's writer"),
        ]
        for task in self._tasks:
            task.add_done_callback(self._failed)
        try:
            await self._enter()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Leaves: the member's key goes, and the others share its objects. Takes 2 s at most while etcd is away."""
        for task in self._tasks:
            task.cancel()
        self._end(LbsuiteError(f"the placement of {self._service} is closed"), told=None)
        registration, self._registration = self._registration, None
        try:
            if registration is not None:
                await registration.close()
        finally:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._source.close()
            await self._client.close()

    async def _enter(self) -> None:
        if self._member is None:
            return
        await self._until(lambda: self._listed)
        self._refuse(self._members.twin(self._member.address))
        self._registration = Registration(self._client, self._member, service=self._service, ttl_s=self._ttl_s)
        # Two may have come at once: etcd says who was first.
        await self._until(lambda: self._members.holder(self.address) is not None)
        self._refuse(self._members.holder(self.address) if self._outdone() else None)

    def _refuse(self, other: str | None) -> None:
        if other and self._member:
            raise LbsuiteError(f"{other} is a member with the same IPv4 as {self._member.address}")

    def _outdone(self) -> bool:
        """Whether another has our IPv4, as it may come to while our lease was gone."""
        holder = self._members.holder(self.address)
        return self._member is not None and holder is not None and holder != self._member.address

    async def _watch_members(self) -> None:
        async with aclosing(self._source.events()) as events:
            async for event in events:
                self._listed |= self._members.take(event)
                self._replica.yields(self._outdone())
                self._step()

    def _difference(self) -> dict[str, int]:
        """What the next entry would say; nothing if no member is left, for then the table stays."""
        wanted, placed = self._members.weights(), self.placer.weights
        if not wanted:
            return {}
        if self._replica.contested:
            placed = dict.fromkeys(placed, 0)  # all is said again, for the writer who was astray to find out
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
                self._complain(f"{error}; waiting for a log that makes sense")
            self._caught_up = False
            await asyncio.sleep(backoff.next_s())

    async def _stream(self, backoff: Backoff) -> None:
        """The log as it stands, and what comes after; returns where it must be read anew."""
        written = await self._log.read()
        all_lost = written.snapshot is None and not written.entries
        if 1 < (self.revision + 1 if all_lost else written.lost_before()) <= self.revision + 1:
            # etcd has lost a part of the log that we know: that goes on as its snapshot, or another's does.
            await self._log.write_snapshot(self.placer.snapshot(), 1)
            return
        self._replica.read(written)
        async with aclosing(self._log.follow(written.revision)) as news:
            async for new in news:
                if new is None:
                    backoff.reset()
                    self._complaint, self._caught_up = "", True
                elif not (self._replica.take(new) if isinstance(new, Entry) else self._replica.agrees(new)):
                    return
                self._step()

    def _complain(self, about: str) -> None:
        """Logs an error, once while it is the same."""
        if about != self._complaint:
            self._complaint = about
            _log.error("placement of %s: %s", self._service, about)

    def _tell(self, step: Step) -> None:
        self._steps.tell(step)
        self._step()

    async def _write(self) -> None:
        while True:
            await self._until(lambda: self._listed and self._caught_up and bool(self._difference()))
            # What happens within this is one batch; and not all who noticed write at once.
            await asyncio.sleep(self._settle_s * random.uniform(0.75, 1.5))
            try:
                await self._propose()
            except (Unreachable, TimeoutError) as error:
                _log.info("placement of %s: an entry was not written or not seen: %r", self._service, error)
            except ValueError as error:
                self._complain(f"the members there are cannot be placed: {error}")
                await asyncio.sleep(APPLIED_S)

    async def _propose(self) -> None:
        """Writes the next entry, or finds that another has; it is applied when it comes back by the watch."""
        weights = self._difference()
        if not weights or not self._caught_up:
            return
        placer, number = self.placer, self.revision + 1
        snapshot_at = self._log.snapshot_at
        placer.preview(number, weights)  # what applies to nothing must not get into the log
        writer = self._member.address if self._member else "onlooker"
        written = await self._log.append(Entry(number, weights, placer.digest(), placer.objects, writer))
        async with asyncio.timeout(APPLIED_S):
            await self._until(lambda: self.revision >= number or self._log.snapshot_at != snapshot_at)
        if written and self.revision - self._log.snapshot_number >= self._snapshot_every:
            await self._log.write_snapshot(self.placer.snapshot(), self.revision - KEEP_ENTRIES)

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Waits for a step of members, log or placement after which the condition holds; raises what ended this."""
        while self._ended is None and not condition():
            step = asyncio.get_running_loop().create_future()
            self._waiting.add(step)
            try:
                await step
            finally:
                self._waiting.discard(step)
        if self._ended is not None:
            raise self._ended

    def _step(self) -> None:
        for step in self._waiting:
            if not step.done():
                step.set_result(None)

    def _failed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and self._ended is None and (error := task.exception()):
            failure = LbsuiteError(f"{task.get_name()} of {self._service} has failed: {error!r}")
            self._end(failure, told=failure)

    def _end(self, error: LbsuiteError, told: LbsuiteError | None) -> None:
        """Whoever waits hears it now; `told` is what readers of steps hear, None for just the end."""
        self._ended = self._ended or error
        self._steps.end(told)
        self._step()


def _check_weight(weight: int) -> None:
    if not 1 <= weight <= HEAVIEST:
        raise ValueError(f"weight out of 1..{HEAVIEST}: {weight}")


def _check(ttl_s: float, settle_s: float, snapshot_every: int) -> None:
    if not 0 < ttl_s < math.inf:
        raise ValueError(f"ttl_s is not above 0: {ttl_s}")
    if not 0 <= settle_s < math.inf:
        raise ValueError(f"settle_s is not 0 or above: {settle_s}")
    if snapshot_every < 1:
        raise ValueError(f"snapshot_every below 1: {snapshot_every}")
