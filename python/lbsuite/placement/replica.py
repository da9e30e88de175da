"""This process's copy of a placement: what the log's entries come to, and what that changes for this member."""

import logging
from collections.abc import Callable

from lbsuite._core import Placer
from lbsuite.placement.log import Entry, Written
from lbsuite.placement.steps import Step

_log = logging.getLogger(__name__)


class Replica:
    """Applies entries in their order. Every read of the log is applied from its start and compared with what was known
    so far: whoever strayed, or knows of entries that etcd has lost, is then where all others are.

    address: the IPv4 whose objects are told of, None for nobody's. told: is called with each step.
    """

    def __init__(self, objects: int, address: str | None, told: Callable[[Step], None]) -> None:
        self.placer = Placer(objects)
        self.outdone = False  # another member has the address; its objects are not ours
        self.contested = False  # the last entry's writer was astray, and does not know it before there is another
        self._objects, self._address, self._told = objects, address, told

    def stands(self) -> Step:
        """Where things stand, as a step from nothing."""
        return Step(self.placer.revision, self.placer.digest(), gained=tuple(sorted(self._owned())))

    def read(self, written: Written) -> None:
        """Takes the log as it was read; raises ValueError if entries are missing or apply to nothing."""
        placer, entries = written.snapshot or Placer(self._objects), written.entries
        self.contested = False
        newer = [entry for entry in entries if entry.number > placer.revision]
        while newer and placer.revision < self.placer.revision:
            placer = self._ready(placer, newer[0])
            placer.apply(newer[0].number, newer.pop(0).weights)
        if (placer.revision, placer.digest()) != (self.placer.revision, self.placer.digest()):
            self._tell_astray(placer)
            before, self.placer = self._owned(), placer
            self._tell(before)
        for entry in newer:
            self.take(entry)

    def take(self, entry: Entry) -> bool:
        """Applies the next entry; what it knows already it passes over. Whether the writer's digest before it is ours:
        if not, all is to be read anew, which tells who is astray. Raises ValueError as `read`."""
        if entry.number <= self.placer.revision:
            return True
        placer, before = self._ready(self.placer, entry), self._owned()
        delta = placer.apply(entry.number, entry.weights)
        self.placer = placer
        self._tell(before, len(delta.moves), delta.minimum)
        return not self.contested

    def agrees(self, snapshot: Placer) -> bool:
        """Whether a snapshot that was written is what we came to, as far as can be seen; if not, all is read anew."""
        if snapshot.revision == self.placer.revision:
            return snapshot.digest() == self.placer.digest()
        return snapshot.revision < self.placer.revision

    def yields(self, outdone: bool) -> None:
        """Whether another member has the address and this one owns nothing, from now on."""
        if outdone != self.outdone:
            before, self.outdone = self._owned(), outdone
            self._tell(before)

    def _ready(self, placer: Placer, entry: Entry) -> Placer:
        """The placer that an entry is to be applied to. The first says how many objects there are."""
        if entry.number != placer.revision + 1:
            raise ValueError(f"entry {entry.number} comes after {placer.revision}: what is between is missing")
        if entry.number == 1 and entry.objects != placer.objects:
            _log.warning("the placement is of %d objects, not of %d as here", entry.objects, placer.objects)
            placer = Placer(entry.objects)
        self.contested = entry.digest != placer.digest()
        if self.contested:
            _log.error("the placement before entry %d is not what its writer %s had", entry.number, entry.writer)
        return placer

    def _owned(self) -> set[int]:
        return set() if self._address is None or self.outdone else set(self.placer.owned(self._address).tolist())

    def _tell(self, before: set[int], moved: int = 0, minimum: int = 0) -> None:
        after = self._owned()
        gained, lost = tuple(sorted(after - before)), tuple(sorted(before - after))
        self._told(Step(self.placer.revision, self.placer.digest(), moved, minimum, gained, lost))

    def _tell_astray(self, there: Placer) -> None:
        ours = self.placer.revision
        if there.revision < ours:
            _log.error("the log in etcd ends at entry %d and lacks what we know, up to %d", there.revision, ours)
        elif there.revision == ours > 0:
            _log.error("our placement at entry %d was not the log's: ours is dropped", ours)
