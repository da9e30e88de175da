"""Members of one placement, in this process."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from lbsuite.placement import Cluster


@contextlib.asynccontextmanager
async def members(etcd: str, service: str, count: int, **settings: Any) -> AsyncIterator[list[Cluster]]:
    async with contextlib.AsyncExitStack() as stack:
        made = [
            Cluster(etcd, service, member=f"127.0.1.{i}:4000", settle_s=0.02, **settings) for i in range(1, count + 1)
        ]
        for cluster in made:
            await stack.enter_async_context(cluster)
        yield made


def agreed(clusters: list[Cluster], up: int) -> bool:
    digests = {cluster.placer.digest() for cluster in clusters}
    return len(digests) == 1 and clusters[0].placer.live == up
