"""Weights from what servers say of themselves. Whoever writes the log computes them; all others read them there."""

from collections.abc import Mapping

HEAVIEST = 64


def weights_from(
    cpu: Mapping[str, float],
    memory: Mapping[str, float],
    before: Mapping[str, int] | None = None,
    band: float = 0.25,
) -> dict[str, int]:
    """A weight of 1..64 for each server named in `cpu` or `memory`, by the share that is spare of what is scarcer.

    cpu, memory: the shares in use, 0..1; not told is 0. before: the weights up to now: one stays as it is while it is
    within `band` of what it would become (and within 1), so that a load that trembles moves no objects. Raises
    ValueError for a share out of 0..1, a weight before out of 0..64 or a band below 0.
    """
    if not band >= 0:
        raise ValueError(f"band below 0: {band!r}")
    weights = {}
    for server in {**cpu, **memory}:
        used = max(_share("cpu", server, cpu), _share("memory", server, memory))
        weight = max(1, round(HEAVIEST * (1 - used)))
        old = (before or {}).get(server, 0)
        if not 0 <= old <= HEAVIEST:
            raise ValueError(f"weight of {server} out of 0..{HEAVIEST}: {old!r}")
        weights[server] = old if old and abs(weight - old) <= max(1, band * old) else weight
    return weights


def _share(what: str, server: str, shares: Mapping[str, float]) -> float:
    share = shares.get(server, 0.0)
    if not 0 <= share <= 1:
        raise ValueError(f"{what} of {server} out of 0..1: {share!r}")
    return share
