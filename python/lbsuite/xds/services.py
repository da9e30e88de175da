"""How a service is reached: its Listener, its RouteConfiguration, its Cluster. They do not change with its endpoints.

All three bear the service's name. Envoy has one listener for all services, at the address its own bootstrap tells: it
routes by the authority of a request, and whatever names no service goes to the balancer's own.
"""

from collections.abc import Iterable
from typing import Any

from lbsuite.wire.services import KEY_METADATA
from lbsuite.xds import balancing, messages
from lbsuite.xds.settings import ClientPolicy

ALL = "lbsuite/services"
"""The name of the listener and the route that a proxy has for all services: none of them can be called so."""
CONNECT_S = 1
_UNLIMITED = 2**32 - 1


def listener(service: str) -> Any:
    """For gRPC clients that dial `xds:///<service>`."""
    api = messages.ApiListener()
    api.api_listener.Pack(_connection_manager(service), deterministic=True)
    return messages.Listener(name=service, api_listener=api)


def proxy_listener(host: str, port: int) -> Any:
    """For an Envoy that listens on this address."""
    network = messages.Filter(name="envoy.filters.network.http_connection_manager")
    network.typed_config.Pack(_connection_manager(ALL), deterministic=True)
    return messages.Listener(
        name=ALL,
        address=socket_address(host, port),
        filter_chains=[messages.FilterChain(filters=[network])],
    )


def route(service: str) -> Any:
    return messages.RouteConfiguration(name=service, virtual_hosts=[_virtual_host(service, ["*"])])


def proxy_route(services: Iterable[str], own: str) -> Any:
    """One virtual host a service, by its name as authority; `own` takes the rest."""
    hosts = [_virtual_host(name, [name, f"{name}:*"] + ["*"] * (name == own)) for name in sorted({*services, own})]
    return messages.RouteConfiguration(name=ALL, virtual_hosts=hosts)


def cluster(service: str, policy: ClientPolicy) -> Any:
    told = messages.Cluster(name=service, type=messages.Cluster.EDS)
    told.eds_cluster_config.eds_config.CopyFrom(_ads())
    told.connect_timeout.FromSeconds(CONNECT_S)
    http = messages.HttpProtocolOptions()
    http.explicit_http_config.http2_protocol_options.SetInParent()
    told.typed_extension_protocol_options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"].Pack(
        http, deterministic=True
    )
    # Clients would turn away what exceeds 1024 in flight, unasked; who is full says so itself.
    limits = told.circuit_breakers.thresholds.add(priority=messages.RoutingPriority.DEFAULT)
    for limit in (limits.max_requests, limits.max_pending_requests, limits.max_connections, limits.max_retries):
        limit.value = _UNLIMITED
    balancing.choose(told, policy)
    return told


def socket_address(host: str, port: int) -> Any:
    """host: an IP address, or one in brackets."""
    socket = messages.SocketAddress(address=host.strip("[]"), port_value=port)
    return messages.Address(socket_address=socket)


def _connection_manager(route_name: str) -> Any:
    router = messages.HttpFilter(name="envoy.filters.http.router")
    router.typed_config.Pack(messages.Router(), deterministic=True)
    rds = messages.Rds(route_config_name=route_name, config_source=_ads())
    manager = messages.HttpConnectionManager(stat_prefix="lbsuite", rds=rds, http_filters=[router])
    return manager


def _virtual_host(service: str, domains: list[str]) -> Any:
    action = messages.RouteAction(cluster=service)
    # Envoy would end each call after 15 s: how long one may take is the caller's word.
    action.timeout.SetInParent()
    action.max_stream_duration.grpc_timeout_header_max.SetInParent()
    action.hash_policy.add().header.header_name = KEY_METADATA
    everything = messages.Route(match=messages.RouteMatch(prefix=""), route=action)
    return messages.VirtualHost(name=service, domains=domains, routes=[everything])


def _ads() -> Any:
    return messages.ConfigSource(ads=messages.AggregatedConfigSource(), resource_api_version=messages.ApiVersion.V3)
