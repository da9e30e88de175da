"""What those who follow a placement are told, step by step; who does not read costs little memory."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from lbsuite.errors import LbsuiteError

MOST_UNREAD = 1000
"""Steps that wait for one reader; what comes after these is folded into the last."""


@dataclass(frozen=True, slots=True)
class Step:
    """One batch as it was applied here, or several: where a snapshot stood for them, or the reader fell far behind.

    revision, digest: of the placement after it; the digest is equal in every process. moved, minimum: objects that
    changed their owner, and how many had to (0 where unknown). gained, lost: what this member owns from now on, and no
    longer.
    """

    revision: int
    digest: int
    moved: int = 0
    minimum: int = 0
    gained: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()

    def then(self, later: "Step") -> "Step":
        """Both in one."""
        gained = set(self.gained) - set(later.lost) | set(later.gained) - set(self.lost)
        lost = set(self.lost) - set(later.gained) | set(later.lost) - set(self.gained)
        moved, minimum = self.moved + later.moved, self.minimum + later.minimum
        return Step(later.revision, later.digest, moved, minimum, tuple(sorted(gained)), tuple(sorted(lost)))


@dataclass(eq=False, slots=True)
class _Reader:
    unread: deque[Step] = field(default_factory=deque)
    told: asyncio.Event = field(default_factory=asyncio.Event)


class Steps:
    """Tells every reader every step, until it ends. All on one event loop."""

    def __init__(self) -> None:
        self._readers: set[_Reader] = set()
        self._ended = False
        self._error: LbsuiteError | None = None

    async def read(self, first: Callable[[], Step]) -> AsyncGenerator[Step, None]:
        """What `first` says when reading begins, then what is told from then on; raises what it ended with."""
        reader = _Reader(deque([first()]))
        self._readers.add(reader)
        try:
            while True:
                while reader.unread:
                    yield reader.unread.popleft()
                if self._ended:
                    break
                reader.told.clear()
                await reader.told.wait()
        finally:
            self._readers.discard(reader)
        if self._error:
            raise self._error

    def tell(self, step: Step) -> None:
        for reader in self._readers:
            full = len(reader.unread) >= MOST_UNREAD
            reader.unread.append(reader.unread.pop().then(step) if full else step)
            reader.told.set()

    def end(self, error: LbsuiteError | None = None) -> None:
        """No more steps; readers end when they have read those there are. The first end counts."""
        if not self._ended:
            self._ended, self._error = True, error
        for reader in self._readers:
            reader.told.set()
