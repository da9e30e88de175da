"""Which keys of etcd name the endpoints of a service: lbsuite's, those of grpc-go's resolver, or both.

With both a mixed fleet is moved over service by service: endpoints write both, and whoever follows reads both.
"""

from lbsuite.registry import grpc_go, member
from lbsuite.registry.etcd import EtcdSource
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings, Layout
from lbsuite.registry.joint import Joint
from lbsuite.registry.member import Member, Role
from lbsuite.registry.source import Source


def followed(client: EtcdClient | EtcdSettings, service: str, *, balancers: bool = False) -> Source:
    """The endpoints of a service in the layout that the settings say, with its balancers, which have only one, or not.

    client: as EtcdSource has it. Raises ValueError for a service name that cannot be part of a key.
    """
    layout = (client if isinstance(client, EtcdSettings) else client.settings).layout
    role: Role | None = None if balancers else "endpoints"
    if layout == "lbsuite":
        return EtcdSource(client, service, role)
    theirs = EtcdSource(client, service, layout="grpc-go")
    if layout == "both":
        return Joint(EtcdSource(client, service, role), theirs)
    return Joint(EtcdSource(client, service, "balancers"), theirs) if balancers else theirs


def records(layout: Layout, service: str, role: Role, told: Member) -> dict[bytes, bytes]:
    """What a member has in etcd, by key. Who drains is not there for Go, which knows no such state."""
    found: dict[bytes, bytes] = {}
    if layout != "grpc-go" or role == "balancers":
        found[member.prefix(service, role) + told.address.encode()] = told.to_json()
    if layout != "lbsuite" and role == "endpoints" and told.state == "ready":
        found[grpc_go.prefix(service) + told.address.encode()] = grpc_go.record(told)
    return found


def siblings(layout: Layout, service: str, role: Role) -> bytes:
    """What the keys of all members of a role begin with. Raises ValueError for a name that cannot be part of a key."""
    if layout == "grpc-go" and role == "endpoints":
        return grpc_go.prefix(service)
    return member.prefix(service, role)
