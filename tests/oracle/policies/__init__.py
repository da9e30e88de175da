"""The twins, one module a policy, both named alike: `least_load` has `LeastLoad`.

A twin takes its settings as text, and has

pick(view, request, rng) -> int | None      the place of a ready endpoint in the view
ended(endpoint, count, failed, latency_s, now), reported(endpoint, report, now),
probed(endpoint, tasks, latency_s, now), probes() -> places        where its original has them
"""

import importlib
from typing import Any, Protocol

from oracle.numbers import Rng
from oracle.view import Request, View


class Twin(Protocol):
    def pick(self, view: View, request: Request, rng: Rng) -> int | None: ...


def twin_of(spec: str) -> Twin:
    name, _, rest = spec.partition(":")
    settings = dict(pair.split("=") for pair in rest.split(",") if pair)
    kind: Any = getattr(importlib.import_module(f"oracle.policies.{name}"), name.title().replace("_", ""))
    return kind(**settings)
