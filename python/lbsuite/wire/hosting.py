"""The engines of a balancer: reports free their slots, nothing probes endpoints for them, and an answer says no more
than whom to ask. What that leaves out."""

import contextlib
import secrets
from collections.abc import Callable, Sequence

from lbsuite import _core


def engine(
    policy: str | _core.Settings | _core.Policy,
    load: str = "tasks",
    stages: Sequence[str] = (),
    queue_s: float = 0.0,
) -> _core.Engine:
    """A new one, seeded at random. Raises ValueError for what a balancer cannot host."""
    if any(stage.partition(":")[0] == "max_age" for stage in stages):
        raise ValueError(
            "stage max_age needs a host that ends streams: a balancer's answer does not tell how long it holds"
        )
    return _core.Engine(
        policy,
        seed=secrets.randbits(63),
        load=load,
        accounting="reported",
        probes=False,
        stages=stages,
        queue_s=queue_s,
    )


def check_policy(policy: str) -> None:
    """Raises ValueError for a policy that a balancer cannot host: nothing probes endpoints for it."""
    engine(policy)


def check_stage(stage: str) -> None:
    """Raises ValueError for a stage that a balancer cannot host: it does not hear of each task's end, and ends none."""
    engine("random", stages=(stage,))


def hosted_policies() -> list[str]:
    """The names of the policies that a balancer can host."""
    return _hosted(_core.policies(), check_policy)


def hosted_stages() -> list[str]:
    """The names of the stages that a balancer can host."""
    return _hosted(_core.stages(), check_stage)


def _hosted(listed: Sequence[str], check: Callable[[str], None]) -> list[str]:
    names = []
    for name in listed:
        with contextlib.suppress(ValueError):
            check(name)
            names.append(name)
    return names
