"""Those who watch a service: told its whole list first, and then what has changed, in frames made once for all of them.

A frame tells what became of the list after the revision that its reader knows, so who reads slowly is told less often
and never less: nothing is kept for it meanwhile. Revisions begin with the balancer's id, which each life has anew: one
of another life, or older than what is remembered, is answered with the whole list.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass

import grpc

from lbsuite import names
from lbsuite.wire import messages, status
from lbsuite.wire.membership import Membership
from lbsuite.wire.refusal import Refused

COALESCE_S = 0.1
"""Changes within this time of an update are told together by the next."""
BEAT_S = 2.0
"""An update comes at least this often, if an empty one: a reader who hears none knows that the balancer is lost."""
MAX_LEFT = 1024
"""So many of those who left are remembered; who has missed more is told the whole list."""


@dataclass(frozen=True, slots=True)
class View:
    """What there is to tell of a service. membership: None, nobody has registered for it. partial: the balancer has
    just begun, and may not know everybody yet."""

    membership: Membership | None
    balancers: frozenset[str] = frozenset()
    partial: bool = False


Look = Callable[[str], View]


class Watching:
    """The watchers of every service of one balancer; a service that nobody watches costs nothing. Belongs to the
    running event loop. look: what there is to tell of a service now."""

    def __init__(self, balancer: int, look: Look) -> None:
        self._revisions = itertools.count((balancer << 32) + 1)
        self._look = look
        self._rolls: dict[str, _Roll] = {}
        self._stopped = False

    def changed(self, service: str, address: str) -> None:
        """There is news of an endpoint."""
        if roll := self._rolls.get(service):
            roll.note(address)

    async def follow(self, service: str, since: int = 0) -> AsyncGenerator[bytes, None]:
        """Each frame is a RosterUpdate: first what has changed after `since`, all of it where that says nothing.

        Ends by Refused when the balancer stops. Raises ValueError for what is no service's name.
        """
        roll = self._rolls.get(names.service(service))
        if roll is None:
            roll = self._rolls[service] = _Roll(service, self._look, self._revisions)
        roll.watchers += 1
        try:
            while not self._stopped:
                turn, frame, since = roll.turn, roll.frame(since), roll.revision
                yield frame
                await turn.wait()
        finally:
            roll.watchers -= 1
            if not roll.watchers:
                self._rolls.pop(service).close()
        raise Refused(grpc.StatusCode.UNAVAILABLE, "the balancer stops")

    def stop(self) -> None:
        """Every story ends, and none begins from now on."""
        self._stopped = True
        for roll in self._rolls.values():
            roll.close()


@dataclass(frozen=True, slots=True)
class _Entry:
    """revision: of the update that brought it. state: as the engine calls it."""

    revision: int
    state: str
    endpoint: messages.Endpoint


class _Roll:
    """What the watchers of one service are told. turn: set by the next update."""

    def __init__(self, service: str, look: Look, revisions: Iterator[int]) -> None:
        self.watchers = 0
        self.revision = self._oldest = next(revisions)
        self.turn = asyncio.Event()
        self._service, self._look, self._revisions = service, look, revisions
        self._loop = asyncio.get_running_loop()
        self._entries: dict[str, _Entry] = {}
        self._left: dict[str, int] = {}
        self._timer: asyncio.TimerHandle
        self._noted: set[str] = set()
        self._frames: dict[int, bytes] = {}
        self._update()

    def note(self, address: str) -> None:
        """What is known of an endpoint has changed: its entry is made anew for the next update."""
        if not self._noted:
            self._timer.cancel()
            self._timer = self._loop.call_at(max(self._loop.time(), self._next_s), self._update)
        self._noted.add(address)

    def frame(self, since: int) -> bytes:
        """What has changed after that revision."""
        known = since if self._oldest <= since <= self.revision else 0
        if (frame := self._frames.get(known)) is None:
            frame = self._frames[known] = self._told(known).SerializeToString()
        return frame

    def close(self) -> None:
        """No update comes any more; whoever waits for one looks up."""
        self._timer.cancel()
        self.turn.set()

    def _told(self, known: int) -> messages.RosterUpdate:
        return messages.RosterUpdate(
            revision=self.revision,
            whole=not known,
            changed=[entry.endpoint for entry in self._entries.values() if entry.revision > known],
            left=[address for address, revision in self._left.items() if revision > known] if known else (),
            balancers=sorted(self._view.balancers),
            partial=self._view.partial,
        )

    def _update(self) -> None:
        self._next_s = self._loop.time() + COALESCE_S
        self._timer = self._loop.call_later(BEAT_S, self._update)
        noted, self._noted = self._noted, set()
        self._view = self._look(self._service)
        self.revision = next(self._revisions)
        self._fold(self._view.membership, noted)
        self._frames.clear()
        told, self.turn = self.turn, asyncio.Event()
        told.set()

    def _fold(self, membership: Membership | None, noted: set[str]) -> None:
        known, self._entries = self._entries, {}
        if membership is not None:
            for seen in membership.engine.endpoints(time.monotonic()):
                entry = known.pop(seen.address, None)
                if entry is None or entry.state != seen.state or seen.address in noted:
                    told = status.told(seen, membership.standings.get(seen.address), self._service)
                    entry = _Entry(self.revision, seen.state, told)
                    self._left.pop(seen.address, None)
                self._entries[seen.address] = entry
        self._left.update(dict.fromkeys(known, self.revision))
        while len(self._left) > MAX_LEFT:
            self._oldest = self._left.pop(next(iter(self._left)))
