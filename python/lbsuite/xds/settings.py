"""What the ADS server is told, read without any package of xDS."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

POLICIES: Final[Mapping[str, Mapping[str, float]]] = {
    "round_robin": {},
    "client_side_weighted_round_robin": {"blackout_s": 10, "expiry_s": 180, "update_s": 1, "penalty": 1},
    "least_request": {"choices": 2},
    "ring_hash": {"entries": 1024},
}
"""What clients may be told to run, and the settings each takes, with what they are unless said.

client_side_weighted_round_robin: as `weighted_round_robin:weights=reports` has them. choices: endpoints compared.
entries: of the ring, at least.
"""
WEIGHTS = ("joined", "reports")
"""As endpoints said when they joined, or as they earn by what they report."""
MOST = {"choices": 100, "entries": 8_388_608, "penalty": 1e6}
MOST_S = 86_400


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """The policy that clients run; `parse` reads `NAME` or `NAME:KEY=VALUE,...`."""

    name: str = "round_robin"
    settings: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, spec: str) -> "ClientPolicy":
        """Raises ValueError with the bad part."""
        name, _, rest = spec.partition(":")
        if name not in POLICIES:
            raise ValueError(f"not a policy of xDS clients ({', '.join(POLICIES)}): {name!r}")
        settings = dict(POLICIES[name])
        for part in rest.split(",") if rest else ():
            key, _, value = part.partition("=")
            if key not in settings:
                raise ValueError(f"{name} takes {', '.join(settings) or 'no settings'}, not {part!r}")
            settings[key] = _number(key, value)
        return cls(name, settings)

    def __str__(self) -> str:
        """The spec that `parse` reads."""
        settings = ",".join(f"{key}={value:.12g}" for key, value in self.settings.items())
        return f"{self.name}:{settings}" if settings else self.name


def _number(key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    most, least = MOST.get(key, MOST_S), {"choices": 2, "entries": 1}.get(key, 0)
    if not least <= value <= most or (key in ("choices", "entries") and value != int(value)):
        raise ValueError(f"{key} is not a number in {least}..{most:g}: {text!r}")
    return value


@dataclass(frozen=True, slots=True)
class XdsSettings:
    """listen: HOST:PORT, port 0 takes a free one. policy: what clients run. weights: by which of WEIGHTS they go."""

    listen: str = "127.0.0.1:0"
    policy: ClientPolicy = field(default_factory=ClientPolicy)
    weights: str = "joined"
