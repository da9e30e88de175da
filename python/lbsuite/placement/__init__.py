"""placement: who owns which object, beyond the placers themselves (those are in the core).

    weights     what servers say of themselves, as weights that all use
    members     who takes part, by the leases in etcd
    log         the order of changes, in etcd
    replica     this process's copy, by that log
    steps       what those who follow are told
    cluster     the placer by that log, followed and written by all members

`cluster` talks to etcd through `registry`; it is imported when it is asked for. Callers: users, `cli.place`.
"""

from typing import TYPE_CHECKING, Any

from lbsuite.placement.weights import weights_from

if TYPE_CHECKING:
    from lbsuite.placement.cluster import Cluster
    from lbsuite.placement.steps import Step

__all__ = ["Cluster", "Step", "weights_from"]


def __getattr__(name: str) -> Any:
    if name in ("Cluster", "Step"):
        from lbsuite.placement import cluster, steps

        return cluster.Cluster if name == "Cluster" else steps.Step
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
