"""The event log: all that an engine was told and asked, as JSON lines, and its replay.

The first line tells how the engine was made, each further one an event with its `now`: join, leave, report, drain,
lost, reached, pickers, probed, pick, done, expire, switch, shadow, answered, cancel. A field that has its default is
left out. Nothing here needs pandas but the `frame` methods, which import it when they are called.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from lbsuite import _core

if TYPE_CHECKING:
    import pandas

Path = str | os.PathLike[str]


class Log:
    """A log's lines, as they were recorded; iterate over it for each as a str.

    `Log.load(path)` reads a file; `save` writes one.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = list(lines)

    @classmethod
    def load(cls, path: Path) -> "Log":
        """Reads a file; raises OSError, or ValueError if it is no UTF-8."""
        with open(path, encoding="utf-8", newline="\n") as file:
            return Log(line.removesuffix("\n") for line in file)

    def save(self, path: Path) -> None:
        """Writes the lines to a file; raises OSError."""
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in self)

    @property
    def lines(self) -> list[str]:
        return self._lines

    @property
    def settings(self) -> dict[str, Any]:
        """What the engine was made with, by the names that `Engine` takes; raises ValueError if that is no log."""
        return _settings(self.lines)

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.settings['policy']}, {len(self) - 1} events>"

    def frame(self) -> "pandas.DataFrame":
        """One row an event, a column a field; needs pandas."""
        import pandas

        return pandas.DataFrame([json.loads(line) for line in self.lines[1:]])


class Recording(Log):
    """The log of an engine that is being recorded, up to now; leaving its `with` block or `close` ends it.

    With a path each line is in the file as soon as its event is over. Recording never disturbs the engine: where the
    file cannot take a line (the disk is full), the log ends there, and `close` raises OSError.
    """

    def __init__(self, engine: _core.Engine, path: Path | None) -> None:
        self._recording = _core.record(engine, None if path is None else os.fsencode(path))
        self._engine, self._path = engine, path
        self._policy = engine.policy
        self._open = True

    def __len__(self) -> int:
        return len(self._recording)

    def __repr__(self) -> str:
        return f"<Recording of {self._policy}, {len(self) - 1} events>"

    @property
    def lines(self) -> list[str]:
        return self._recording.lines if self._path is None else Log.load(self._path).lines

    def close(self) -> None:
        """Ends the recording; a second time it does nothing."""
        if not self._open:
            return
        self._open = False
        _core.end_recording(self._engine)
        self._recording.close()
        if self._recording.failure:
            raise OSError(self._recording.failure, os.strerror(self._recording.failure), os.fspath(self._path or ""))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def record(engine: _core.Engine, path: Path | None = None) -> Recording:
    """Records all that an engine is told and asked from now on, in memory, or line by line to a file at `path`.

    Recorded picks take turns, so that the log has an order; while nothing is recorded, nothing is paid. Raises
    ValueError if the engine was told or asked anything before (its log would not be whole), OSError if the file cannot
    be written.
    """
    return Recording(engine, path)


class Replay:
    """What a replay came to. picks, recorded: for each pick of the log an address, or why there is none ("none",
    "all_full" ...). One that has to wait is "waiting", and stands there once more when that is over, with an address or
    "timed_out"."""

    def __init__(self, policy: str, picks: list[_core.ReplayedPick]) -> None:
        self.policy = policy
        self._picks = picks
        self.picks = [each.picked for each in picks]
        self.recorded = [each.recorded for each in picks]
        self.differing = sum(each.picked != each.recorded for each in picks)

    @property
    def share(self) -> float:
        """The share of picks that differ from the recorded ones; 0.0 of no picks."""
        return self.differing / len(self.picks) if self.picks else 0.0

    def __repr__(self) -> str:
        return f"<Replay by {self.policy}: {self.differing} of {len(self.picks)} picks differ ({self.share:.1%})>"

    def frame(self) -> "pandas.DataFrame":
        """One row a pick: now, lane, recorded, picked, differs; needs pandas."""
        import pandas

        rows = [(each.now, each.lane, each.recorded, each.picked, each.recorded != each.picked) for each in self._picks]
        return pandas.DataFrame(rows, columns=["now", "lane", "recorded", "picked", "differs"])

    def summary(self) -> "pandas.DataFrame":
        """One row an endpoint (or "none", "all_full"): how often it was recorded, how often picked; needs pandas."""
        import pandas

        counts = {"recorded": Counter(self.recorded), "picked": Counter(self.picks)}
        return pandas.DataFrame(counts).fillna(0).astype(int).sort_index().rename_axis("answer")


def replay(log: Log | Path | Iterable[str], policy: str | _core.Settings | _core.Policy | None = None) -> Replay:
    """Feeds a log (a Log, a path or lines) to a fresh engine, and tells how its picks compare with the recorded ones.

    Without `policy` each pick comes out as it was recorded. With one (what `Engine` takes) it stands in for the
    engine's own, whatever the log switches to: what would it have done with the same requests, ends and reports? What
    a task took stays as recorded, wherever it goes. Raises ValueError with the line's number for a log that is none.
    """
    lines = Log.load(log).lines if isinstance(log, str | os.PathLike) else list(log)
    settings = _settings(lines)
    own = settings["policy"]
    if policy is None and own.startswith("python:"):
        raise ValueError(
            f"the log's policy is written in Python ({own}): replay it with policy=, an object of that class"
        )
    engine = _core.Engine(**settings | ({} if policy is None else {"policy": policy}))
    return Replay(engine.policy, _core.replay(engine, lines, another_policy=policy is not None))


def _settings(lines: list[str]) -> dict[str, Any]:
    if not lines:
        raise ValueError("line 1: an empty log")
    try:
        return _core.log_settings(lines[0])
    except ValueError as error:
        raise ValueError(f"line 1: {error}") from None
