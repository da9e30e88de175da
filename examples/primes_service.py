"""A service of your own that counts primes. Start as many as you like: each joins the fleet, and leaves it on SIGTERM.

python -m lbsuite lb --listen 127.0.0.1:50050 --no-etcd
python examples/primes_service.py 127.0.0.1:50050
"""

import asyncio
import math
import os
import sys

import grpc

import lbsuite

messages, services = grpc.protos_and_services("primes.proto")


def primes(first: int, last: int) -> int:
    """How many there are from `first` up to, but without, `last`; slowly, so that there is work to share."""
    return sum(all(n % divisor for divisor in range(2, math.isqrt(n) + 1)) for n in range(max(first, 2), last))


class Primes(services.PrimesServicer):
    async def Count(self, request: messages.Range, context: grpc.aio.ServicerContext) -> messages.Total:
        total = await asyncio.to_thread(primes, request.first, request.last)
        return messages.Total(primes=total, counted_by=f"process {os.getpid()}")


async def main(balancer: str) -> None:
    server = grpc.aio.server()
    services.add_PrimesServicer_to_server(Primes(), server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    lbsuite.join(server, address=address, service="primes", lb=balancer, max_concurrent=16, signals=True)
    await server.start()
    print("ready", address, flush=True)
    await server.wait_for_termination()


asyncio.run(main(sys.argv[1]))
