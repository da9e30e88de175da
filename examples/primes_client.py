"""Counts the primes below 300,000 on all services that a balancer knows: each call goes to the least loaded.

python examples/primes_client.py lb://127.0.0.1:50050/primes
"""

import asyncio
import sys
from collections import Counter

import grpc

import lbsuite

messages, services = grpc.protos_and_services("primes.proto")
BELOW, STEP, AT_ONCE = 300_000, 1_500, 16


async def main(target: str) -> None:
    async with lbsuite.channel(target, retry=lbsuite.Retry(idempotent=True)) as channel:
        stub = services.PrimesStub(channel)
        turns = asyncio.Semaphore(AT_ONCE)

        async def count(first: int) -> messages.Total:
            async with turns:
                return await stub.Count(messages.Range(first=first, last=first + STEP), timeout=30)

        totals = await asyncio.gather(*(count(first) for first in range(0, BELOW, STEP)))
        print(sum(total.primes for total in totals), "primes below", BELOW)
        for server, calls in sorted(Counter(total.counted_by for total in totals).items()):
            print(server, "took", calls, "of", len(totals), "calls")


asyncio.run(main(sys.argv[1]))
