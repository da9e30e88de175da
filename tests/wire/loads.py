"""Small, quick runs of the client, for its tests."""

import asyncio
from dataclasses import replace
from typing import Any

from lbsuite.results import RunResult
from lbsuite.wire import client
from lbsuite.wire.client import ClientSettings
from scripted import Balancer

DEADLINE_S = 30


async def run(settings: ClientSettings, **options: Any) -> RunResult:
    """A run that may not hang."""
    async with asyncio.timeout(DEADLINE_S):
        return await client.run(settings, **options)


def settings(*balancers: str | Balancer, **changes: object) -> ClientSettings:
    named = tuple(balancer if isinstance(balancer, str) else balancer.address for balancer in balancers)
    quick = ClientSettings(balancers=named, task="fib:20", clients=4, duration_s=0.3, timeout_s=5)
    return replace(quick, **changes)


def one_task(*balancers: str | Balancer, **changes: object) -> ClientSettings:
    """An open loop of exactly one task."""
    return settings(*balancers, rate=1.0, arrivals="uniform", duration_s=0.5, **changes)
