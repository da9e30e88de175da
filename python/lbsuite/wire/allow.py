"""Which addresses may serve: only those inside the allowed networks, names after resolving them.

Used when an endpoint comes in and again each time a connection to it is made, so that a name which has moved outside
is not followed.
"""

import asyncio
import socket
from collections.abc import Iterable

import grpc

from lbsuite import addresses
from lbsuite.wire.refusal import Refused

RESOLVE_S = 2.0


class AllowList:
    """The networks endpoints may be in. Literal addresses are judged at once, names are resolved in a thread."""

    def __init__(self, networks: Iterable[addresses.Network] = addresses.LOOPBACK) -> None:
        self._networks = tuple(networks)

    async def targets(self, address: str) -> list[str]:
        """What to dial for `address`: gRPC targets of literal addresses, one an address family.

        Raises ValueError for what is no address, Refused with PERMISSION_DENIED if any of its addresses is outside,
        and with UNAVAILABLE if its name does not resolve within RESOLVE_S.
        """
        host, port = addresses.parse(address)
        literal = addresses.ip_of(host.strip("[]"))
        ips = [literal] if literal else await self._resolve(host)
        if not addresses.inside(ips, self._networks):
            raise Refused(grpc.StatusCode.PERMISSION_DENIED, f"{address!r} is outside the allowed networks")
        v4 = ",".join(f"{ip}:{port}" for ip in ips if ip.version == 4)
        v6 = ",".join(f"[{ip}]:{port}" for ip in ips if ip.version == 6)
        return [f"{family}:{hosts}" for family, hosts in (("ipv4", v4), ("ipv6", v6)) if hosts]

    async def _resolve(self, host: str) -> list[addresses.IPAddress]:
        try:
            async with asyncio.timeout(RESOLVE_S):
                found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise Refused(
                grpc.StatusCode.UNAVAILABLE, f"cannot resolve {host!r}: {str(error) or 'no answer'}"
            ) from None
        ips = (addresses.ip_of(str(entry[4][0])) for entry in found)
        return list(dict.fromkeys(ip for ip in ips if ip))
