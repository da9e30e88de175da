"""What balancers say of a service, compared with what was told on: nothing is told twice. Pure: no I/O, no time."""

from collections.abc import Callable, Iterator

from lbsuite import names
from lbsuite.events import Balancers, Event, Joined, Left, Reported
from lbsuite.wire import messages


class Hearsay:
    """What one listener knows, whoever told it. skip: called with what is wrong with junk.

    Whom a balancer that has just begun does not name is kept, until it knows that it knows everybody.
    """

    def __init__(self, skip: Callable[[ValueError], None]) -> None:
        self.revision = 0
        """Of the last update; the balancer that it came from knows it again."""
        self._skip = skip
        self._joined: dict[str, Joined] = {}
        self._reported: dict[str, Reported] = {}
        self._doubtful: set[str] = set()
        self._balancers: frozenset[str] | None = None

    def take(self, update: messages.RosterUpdate) -> Iterator[Event]:
        """What is new: those who joined before those who left, so that a list never gets shorter than it must."""
        self.revision = update.revision
        named = {endpoint.info.address for endpoint in update.changed}
        self._doubtful = (self._joined.keys() if update.whole else self._doubtful) - named
        for endpoint in update.changed:
            yield from self._named(endpoint)
        gone = set(update.left)
        if not update.partial:
            gone |= self._doubtful
        for address in [each for each in self._joined if each in gone]:
            del self._joined[address]
            self._reported.pop(address, None)
            yield Left(address)
        self._doubtful -= gone
        if (balancers := frozenset(update.balancers)) != self._balancers:
            self._balancers = balancers
            yield Balancers(balancers)

    def _named(self, endpoint: messages.Endpoint) -> Iterator[Event]:
        address = endpoint.info.address
        try:
            joined = _joined(endpoint)
        except ValueError as error:
            self._skip(error)
            return
        if self._joined.get(address) != joined:
            self._joined[address] = joined
            yield joined
        if endpoint.HasField("last_report") and endpoint.last_report.load >= 0:
            reported = _reported(address, endpoint.last_report)
            if self._reported.get(address) != reported:
                self._reported[address] = reported
                yield reported


def _joined(endpoint: messages.Endpoint) -> Joined:
    info = endpoint.info
    return Joined(
        info.address,
        weight=info.weight or 1,
        zone=names.zone(info.zone),
        limit=info.limit,
        draining=endpoint.state == messages.DRAINING,
        tier=info.tier,
    )


def _reported(address: str, report: messages.ServerLoad) -> Reported:
    return Reported(
        address,
        tasks=report.load,
        limit=report.limit or None,
        memory=report.memory_bytes,
        cpu=report.cpu,
        available=report.available,
        finished=report.finished if report.begun or report.interval_ms else None,
        failed=sum(max(0, counts.failed - counts.refused) for counts in report.by_balancer),
        busy_s=report.busy_us / 1e6,
        task_s=report.task_us / 1e6,
    )
