"""How everything here connects to a balancer or a backend."""

import functools
from collections.abc import Sequence

import grpc
import grpc.aio

from lbsuite import addresses

Options = Sequence[tuple[str, int]]

OPTIONS: Options = (
    # Without its own pool a new channel shares a connection, and the wait before the next one, with the channel before.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
    # Who is named is who is dialled, whatever $http_proxy says.
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
)


def dial(address: str, options: Options = (), credentials: grpc.ChannelCredentials | None = None) -> grpc.aio.Channel:
    """A channel to HOST:PORT with a connection of its own, plain without credentials; raises ValueError for what is no
    address."""
    if credentials is None:
        return grpc.aio.insecure_channel(target(address), options=(*OPTIONS, *options))
    return grpc.aio.secure_channel(target(address), credentials, options=(*OPTIONS, *options))


@functools.lru_cache(maxsize=4096)
def target(address: str) -> str:
    """HOST:PORT as gRPC's resolvers take it; raises ValueError for what is no address. Cheap the second time."""
    host, _ = addresses.parse(address)
    ip = addresses.ip_of(host.strip("[]"))
    return f"dns:///{address}" if ip is None else f"ipv{ip.version}:{address}"
