"""What clients are told of ADS servers before they can ask one."""

from collections.abc import Sequence
from typing import Any

from lbsuite import addresses

VARIABLE = "GRPC_XDS_BOOTSTRAP_CONFIG"
"""Where gRPC clients look for theirs, before their first channel."""


def for_grpc(servers: Sequence[str], node: str = "lbsuite-client") -> dict[str, Any]:
    """As a gRPC client reads it. Raises ValueError for what is no address.

    A client without a list tries the servers (HOST:PORT) in turn; one that has a list waits for the server that told
    it. Where balancers come and go, one name that stands for all of them serves better: they tell the same.
    """
    return {
        "xds_servers": [
            {
                "server_uri": addresses.valid(server),
                "channel_creds": [{"type": "insecure"}],
                "server_features": ["xds_v3"],
            }
            for server in servers
        ],
        "node": {"id": node},
    }


def for_envoy(servers: Sequence[str], listen: str, node: str = "lbsuite-envoy") -> dict[str, Any]:
    """As Envoy reads it (`envoy -c`): it listens there and routes by authority. Raises ValueError for a bad address."""
    addresses.parse(listen, listening=True)
    ads = {
        "api_type": "GRPC",
        "transport_api_version": "V3",
        "grpc_services": [{"envoy_grpc": {"cluster_name": "ads"}}],
    }
    from_ads = {"ads": {}, "resource_api_version": "V3"}
    return {
        "node": {"id": node, "cluster": "lbsuite", "metadata": {"listen": listen}},
        "dynamic_resources": {"ads_config": ads, "lds_config": from_ads, "cds_config": from_ads},
        "static_resources": {"clusters": [_ads_cluster(servers)]},
    }


def _ads_cluster(servers: Sequence[str]) -> dict[str, Any]:
    http2 = {"explicit_http_config": {"http2_protocol_options": {"connection_keepalive": _KEEPALIVE}}}
    return {
        "name": "ads",
        "type": "STRICT_DNS",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                **http2,
            }
        },
        "load_assignment": {
            "cluster_name": "ads",
            "endpoints": [{"lb_endpoints": [_endpoint(server) for server in servers]}],
        },
    }


_KEEPALIVE = {"interval": "30s", "timeout": "5s"}


def _endpoint(server: str) -> dict[str, Any]:
    host, port = addresses.parse(server)
    return {"endpoint": {"address": {"socket_address": {"address": host.strip("[]"), "port_value": port}}}}
