"""`--record`: the event log of each service of a balancer, for `lbsuite.replay`."""

import logging
from pathlib import Path

from lbsuite import _core
from lbsuite.errors import LbsuiteError
from lbsuite.event_log import Recording

MAX_LOGS = 64
"""Whoever may register may open a service: so many of them are recorded, and each once."""

_log = logging.getLogger(__name__)


class Recordings:
    """One file a service: the service's name stands before the suffix, `picks.default.jsonl` for `picks.jsonl`.

    A file that is there already is emptied. Belongs to one event loop; close it when done.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._logs: dict[str, Recording] = {}

    def begin(self, service: str, engine: _core.Engine) -> None:
        """Records an engine from its start; LbsuiteError where its file cannot be written.

        A service that comes again is not recorded again, so that nobody can make a balancer fill a disk with files.
        """
        if service in self._logs or len(self._logs) >= MAX_LOGS:
            _log.warning("service %s is not recorded: it was before, or %d are", service, MAX_LOGS)
            return
        path = self._path.with_name(f"{self._path.stem}.{service}{self._path.suffix}")
        try:
            self._logs[service] = Recording(engine, path)
        except OSError as error:
            raise LbsuiteError(f"cannot record to {str(path)!r}: {error.strerror}") from error

    def end(self, service: str) -> None:
        """Closes a service's file; a log that ended before its time is told."""
        try:
            if service in self._logs:
                self._logs[service].close()
        except OSError as error:
            _log.error("the log of service %s is not whole: %s", service, error)

    def close(self) -> None:
        for service in self._logs:
            self.end(service)
