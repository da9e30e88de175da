"""A list of backends that is replaced as a whole: from the command line, a file, or an operator's request."""

from collections.abc import Iterable
from pathlib import Path

from lbsuite import addresses
from lbsuite.events import Joined
from lbsuite.registry.memory import Memory

MOST = 4096


class Listing:
    """What is listed, as a source of membership. Belongs to one event loop."""

    def __init__(self, backends: Iterable[str]) -> None:
        self.source = Memory()
        self._listed: tuple[str, ...] = ()
        self.replace(backends)

    @property
    def backends(self) -> tuple[str, ...]:
        return self._listed

    def replace(self, backends: Iterable[str]) -> None:
        """Those not listed any more leave, new ones join. Raises ValueError, changing nothing, for a bad list."""
        listed = checked(backends)
        for address in self._listed:
            if address not in listed:
                self.source.leave(address)
        for order, address in enumerate(listed):
            self.source.join(Joined(address, order=order))
        self._listed = listed


def checked(backends: Iterable[str]) -> tuple[str, ...]:
    """Addresses in their order, each once. Raises ValueError for one that is none, none at all, or more than MOST."""
    listed = tuple(dict.fromkeys(addresses.valid(address) for address in backends))
    if not 1 <= len(listed) <= MOST:
        raise ValueError(f"not 1 to {MOST} backends, but {len(listed)}")
    return listed


def read(path: Path) -> tuple[str, ...]:
    """A file with an address a line; `#` begins a comment. Raises ValueError with the file and the bad part."""
    try:
        lines = path.read_text().splitlines()
        return checked(words for line in lines if (words := line.partition("#")[0].strip()))
    except OSError as error:
        raise ValueError(f"cannot read {str(path)!r}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
