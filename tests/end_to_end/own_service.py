"""A user's service: it works for a few milliseconds and says who did it. own_service.py [BALANCER]"""

import asyncio
import sys

import grpc
import grpc.aio

import lbsuite

WORK_S = 0.03
SERVICE = "own.Service"


async def main(*balancers: str) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"

    async def work(request: bytes, context: object) -> bytes:
        await asyncio.sleep(WORK_S)
        return address.encode()

    handlers = {"Work": grpc.unary_unary_rpc_method_handler(work)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, handlers)])
    lbsuite.join(server, address=address, service="own", lb=balancers, max_concurrent=1000)
    await server.start()
    print("ready", address, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
