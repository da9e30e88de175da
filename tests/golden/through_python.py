"""A second reader of the log, in plain Python, that drives an engine call by call as any host does."""

import base64
import json
from collections.abc import Iterable
from typing import Any

from lbsuite import _core

DEFAULTS = {"pickers": {"count": 1}, "probed": {"tasks": 0, "latency_s": 0.0}}
"""What a line leaves out and the engine's methods want to be told."""


class Driver:
    """One engine, made as the log's first line says. `answers`: what it said to each pick, as the log spells it."""

    def __init__(self, heading: str) -> None:
        settings = json.loads(heading)
        assert settings.pop("lbsuite_log") == 1
        self.engine = _core.Engine(**settings)
        self.lanes = 1
        self.open: dict[tuple[int, int], _core.Pick] = {}
        self.tickets: dict[int, _core.Ticket] = {}
        self.over: dict[int, _core.Effect] = {}
        self.answers: list[str] = []

    def feed(self, line: str) -> None:
        event = json.loads(line)
        kind, now, lane = event.pop("event"), event.pop("now"), event.pop("lane", 0)
        if kind == "pick":
            self.pick(now, lane, **event)
        elif kind == "done":
            pick = self.open[lane, event["sequence"]]
            error = "UNAVAILABLE" if event.get("failed") else None
            refused = event.get("refused", False)
            self.engine.done(pick, now, latency_s=event.get("latency_s", 0.0), error=error, refused=refused)
        elif kind in ("switch", "shadow"):
            getattr(self.engine, kind)(event.get("policy"), now)
        elif kind == "answered":
            self.answered(lane, **event)
        elif kind == "cancel":
            self.engine.cancel(self.tickets[event["ticket"]], now)
        else:
            getattr(self.engine, kind)(now=now, **DEFAULTS.get(kind, {}) | event)

    def answered(self, lane: int, ticket: int, answer: str, sequence: int = 0) -> None:
        self.over |= {effect.ticket.number: effect for effect in self.engine.effects() if effect.ticket}
        effect = self.over.pop(ticket)
        self.answers.append(effect.address or effect.kind)
        if effect.pick:
            assert effect.pick.sequence == lane << 48 | sequence
            self.open[lane, sequence] = effect.pick

    def pick(
        self,
        now: float,
        lane: int,
        answer: str,
        sequence: int = 0,
        counted: bool = True,
        ticket: int = 0,
        **request: Any,
    ) -> None:
        if not counted:
            assert (lane, request) == (0, {})
            self.answers.append(self.engine.pick_address(now) or self.why(now))
            return
        while self.lanes <= lane:
            self.lanes = self.engine.lane() + 1
        if "key_base64" in request:
            request["key"] = base64.b64decode(request.pop("key_base64"))
        pick = self.engine.pick(now, lane=lane, **request)
        if isinstance(pick, _core.Ticket):
            assert pick.number == ticket
            self.tickets[ticket] = pick
            self.answers.append("waiting")
            return
        self.answers.append(pick.endpoint if pick else self.why(now))
        if pick:
            assert pick.sequence == lane << 48 | sequence
            self.open[lane, sequence] = pick

    def why(self, now: float) -> str:
        """An engine calls itself ready where the request excludes all that are."""
        return "none" if self.engine.why(now) == "none" else "all_full"


def answers(lines: Iterable[str]) -> list[str]:
    heading, *events = lines
    driver = Driver(heading)
    for line in events:
        driver.feed(line)
    return driver.answers
