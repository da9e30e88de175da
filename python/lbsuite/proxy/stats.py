"""Figures of a proxy, for its admin door, for people and for CSV."""

import csv
import io
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from lbsuite.proxy.proxy import Proxy


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one backend. requests: that were sent to it; share: of all those that were sent; tasks: under way."""

    server: str
    state: str
    requests: int
    share: float
    tasks: int


def figures(proxy: Proxy) -> list[Figures]:
    """In the roster's order."""
    endpoints = proxy.engine.endpoints(time.monotonic())
    picks = sum(endpoint.picks for endpoint in endpoints)
    return [
        Figures(each.address, each.state, each.picks, each.picks / picks if picks else 0.0, each.tasks)
        for each in endpoints
    ]


def table(proxy: Proxy) -> str:
    """As CSV, with a head."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(Figures.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(each) | {"share": f"{each.share:.6f}"} for each in figures(proxy))
    return out.getvalue()


def summary(totals: Mapping[str, int]) -> str:
    """One line for a log."""
    return ", ".join(f"{name} {value}" for name, value in totals.items())
