"""How our gRPC servers listen, and under which names their health is asked."""

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # type: ignore[import-untyped]

from lbsuite.errors import StartFailed
from lbsuite.wire import services

# Two servers on one port would share its calls, silently.
OPTIONS = (("grpc.so_reuseport", 0),)


def listen(server: grpc.aio.Server, address: str) -> str:
    """Where the server listens now: `address`, port 0 takes a free one. Raises StartFailed where that cannot be."""
    try:
        port = server.add_insecure_port(address)
    except RuntimeError:
        raise StartFailed(f"cannot listen on {address}: taken, or not an address of this machine") from None
    return f"{address.rpartition(':')[0]}:{port}"


async def add_health(server: grpc.aio.Server, service: str) -> health.aio.HealthServicer:
    """Has the server, before it starts, answer that it and its service are SERVING, under both names of the API."""
    servicer = health.aio.HealthServicer()
    for name in ("", f"{services.PACKAGE}.{service}", service):
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    return servicer
