"""How etcd is reached: endpoints, who we are, and whom we trust; and which keys name who serves."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import grpc

from lbsuite import addresses

Layout = Literal["lbsuite", "grpc-go", "both"]


@dataclass(frozen=True)
class EtcdSettings:
    """endpoints: HOST:PORT each. user, password: both or neither. ca, cert, key: paths of PEM files; with a ca the
    connection is TLS, cert and key (both or neither) say who the caller is. layout: the keys that name the endpoints of
    a service, see lbsuite.registry.layouts.

    Raises ValueError for settings that do not go together or an address that is none.
    """

    endpoints: tuple[str, ...]
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    layout: Layout = "lbsuite"

    def __post_init__(self) -> None:
        if not self.endpoints:
            raise ValueError("no etcd endpoint given")
        for endpoint in self.endpoints:
            addresses.parse(endpoint)
        if (self.user is None) != (self.password is None):
            raise ValueError(f"etcd user and password go together; user: {self.user!r}")
        if (self.cert is None) != (self.key is None):
            raise ValueError(f"etcd cert and key go together; cert: {self.cert!r}, key: {self.key!r}")
        if self.cert is not None and self.ca is None:
            raise ValueError(f"etcd cert without a ca: {self.cert!r}")
        if self.layout not in get_args(Layout):
            raise ValueError(f"etcd layout is not one of {', '.join(get_args(Layout))}: {self.layout!r}")

    def __str__(self) -> str:
        return ",".join(self.endpoints)

    def credentials(self) -> grpc.ChannelCredentials | None:
        """What a TLS channel is opened with, None for a plain one. Raises ValueError for a file that cannot be read."""
        if self.ca is None:
            return None
        return grpc.ssl_channel_credentials(_read(self.ca), _read(self.key), _read(self.cert))


def _read(path: str | None) -> bytes | None:
    if path is None:
        return None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read {path!r}: {error.strerror}") from None
