"""The messages of xDS that are spoken here, and nothing else of xds-protos; importing it raises XdsMissing without."""

from lbsuite.errors import XdsMissing

__all__ = [
    "Address",
    "AggregatedConfigSource",
    "ApiListener",
    "ApiVersion",
    "ClientSideWeightedRoundRobin",
    "Cluster",
    "ClusterLoadAssignment",
    "ConfigSource",
    "DeltaDiscoveryRequest",
    "DeltaDiscoveryResponse",
    "DiscoveryRequest",
    "DiscoveryResponse",
    "Filter",
    "FilterChain",
    "HealthStatus",
    "HttpConnectionManager",
    "HttpFilter",
    "HttpProtocolOptions",
    "LeastRequest",
    "Listener",
    "Locality",
    "LocalityLbConfig",
    "Node",
    "Rds",
    "Resource",
    "RoundRobin",
    "Route",
    "RouteAction",
    "RouteConfiguration",
    "RouteMatch",
    "Router",
    "RoutingPriority",
    "SocketAddress",
    "VirtualHost",
    "WrrLocality",
]

try:
    from envoy.config.cluster.v3.cluster_pb2 import Cluster
    from envoy.config.core.v3.address_pb2 import Address, SocketAddress
    from envoy.config.core.v3.base_pb2 import Locality, Node, RoutingPriority
    from envoy.config.core.v3.config_source_pb2 import AggregatedConfigSource, ApiVersion, ConfigSource
    from envoy.config.core.v3.health_check_pb2 import HealthStatus
    from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
    from envoy.config.listener.v3.api_listener_pb2 import ApiListener
    from envoy.config.listener.v3.listener_components_pb2 import Filter, FilterChain
    from envoy.config.listener.v3.listener_pb2 import Listener
    from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, RouteMatch, VirtualHost
    from envoy.config.route.v3.route_pb2 import RouteConfiguration
    from envoy.extensions.filters.http.router.v3.router_pb2 import Router
    from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
        HttpConnectionManager,
        HttpFilter,
        Rds,
    )
    from envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3 import (
        client_side_weighted_round_robin_pb2,
    )
    from envoy.extensions.load_balancing_policies.common.v3.common_pb2 import LocalityLbConfig
    from envoy.extensions.load_balancing_policies.least_request.v3.least_request_pb2 import LeastRequest
    from envoy.extensions.load_balancing_policies.round_robin.v3.round_robin_pb2 import RoundRobin
    from envoy.extensions.load_balancing_policies.wrr_locality.v3.wrr_locality_pb2 import WrrLocality
    from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions
    from envoy.service.discovery.v3.discovery_pb2 import (
        DeltaDiscoveryRequest,
        DeltaDiscoveryResponse,
        DiscoveryRequest,
        DiscoveryResponse,
        Resource,
    )
except ImportError as error:
    raise XdsMissing(f"xDS needs the package xds-protos ({error}): pip install 'lbsuite[xds]'") from None

ClientSideWeightedRoundRobin = client_side_weighted_round_robin_pb2.ClientSideWeightedRoundRobin
