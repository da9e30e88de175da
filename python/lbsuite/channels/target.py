"""A target in words becomes a source of membership."""

import urllib.parse
from collections.abc import Callable
from typing import Any

from lbsuite import addresses
from lbsuite.registry.source import Source


def source_of(target: str) -> Source:
    """The source of membership that `target` names; closing it lets go of all that it was made with.

    static://HOST:PORT[,...]                      these endpoints
    lb://HOST:PORT[,...]/SERVICE                  those that any of these balancers tells of
    etcd://HOST:PORT[,...]/SERVICE[?layout=L]     those registered in this etcd: lbsuite, grpc-go (its resolver), both
    dns://NAME:PORT                               what the name stands for; dns:///NAME:PORT, as gRPC has it, too
    k8s://NAMESPACE/SERVICE:PORT                  the endpoints of a Kubernetes service, at a port by number or by name

    Raises ValueError, with the target, for anything else.
    """
    scheme, colon, rest = target.partition("://")
    if not colon or scheme not in _SCHEMES:
        schemes = ", ".join(f"{each}://" for each in _SCHEMES)
        raise ValueError(f"not a target of {schemes}: {target!r}{_instead(target)}")
    try:
        return _SCHEMES[scheme](rest)
    except ValueError as error:
        raise ValueError(f"target {target!r}: {error}") from None


def _static(rest: str) -> Source:
    from lbsuite.registry.static import Static

    return Static(rest.split(","))


def _lb(rest: str) -> Source:
    from lbsuite.channels.watched import Watched

    balancers, service = _servers_and_service(rest)
    return Watched(balancers, service)


def _etcd(rest: str) -> Source:
    from lbsuite.registry import layouts
    from lbsuite.registry.etcd_settings import EtcdSettings

    place, _, query = rest.partition("?")
    endpoints, service = _servers_and_service(place)
    return layouts.followed(EtcdSettings(endpoints, **_options(query, "layout")), service)


def _dns(rest: str) -> Source:
    from lbsuite.registry.dns import Dns

    return Dns(rest.removeprefix("/"))  # after an empty authority: which server of names is asked is the system's


def _k8s(rest: str) -> Source:
    from lbsuite.registry.k8s import Kubernetes

    namespace, slash, place = rest.partition("/")
    service, colon, port = place.rpartition(":")
    if not slash or not colon:
        raise ValueError("not NAMESPACE/SERVICE:PORT")
    return Kubernetes(namespace, service, port)


_SCHEMES: dict[str, Callable[[str], Source]] = {
    "static": _static,
    "lb": _lb,
    "etcd": _etcd,
    "dns": _dns,
    "k8s": _k8s,
}


def _instead(target: str) -> str:
    """What to write for a target of gRPC's own."""
    kind, _, rest = target.partition(":")
    if kind == "xds":
        return "; that is for gRPC's own channels: grpc.insecure_channel, grpc.aio.insecure_channel"
    if kind in ("ipv4", "ipv6"):
        return f"; write 'static://{rest}'"
    if addresses.is_valid(name := target.removeprefix("dns:")):
        return f"; write 'dns://{name}'"
    return ""


def _servers_and_service(place: str) -> tuple[tuple[str, ...], str]:
    servers, slash, service = place.partition("/")
    if not slash:
        raise ValueError("no /SERVICE after the addresses")
    return tuple(addresses.valid(each) for each in servers.split(",")), service


def _options(query: str, *known: str) -> dict[str, Any]:
    options = dict(urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else ())
    for name in options.keys() - set(known):
        raise ValueError(f"no such option: {name!r}")
    return options
