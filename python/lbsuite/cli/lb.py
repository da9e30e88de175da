"""`lbsuite lb`: one balancer, until a signal."""

import argparse
import asyncio
import contextlib
from typing import TYPE_CHECKING

from lbsuite import _core, background
from lbsuite.addresses import LOOPBACK, network
from lbsuite.cli import daemon, etcd, prompt, stages, xds
from lbsuite.cli.arguments import (
    DEFAULT_LB,
    Parser,
    add_service,
    address,
    check_advertised,
    checked,
    listen_address,
    positive,
    whole,
)
from lbsuite.registry import layouts
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import Member
from lbsuite.registry.registration import Registration
from lbsuite.registry.source import Source
from lbsuite.wire.balancer import (
    DEFAULT_STAGES,
    Balancer,
    BalancerSettings,
)
from lbsuite.wire.door import AioDoor
from lbsuite.wire.follower import Follower
from lbsuite.wire.hosting import check_policy, check_stage, hosted_policies, hosted_stages
from lbsuite.xds.settings import XdsSettings

if TYPE_CHECKING:
    from lbsuite.admin.door import AdminDoor

FIRST_LIST_S = 1.0
"""So long a starting balancer waits for etcd's list before it opens; then it opens with what it knows."""

EXAMPLE = """examples:
  lbsuite lb --listen 127.0.0.1:50050 --no-etcd --policy round_robin
  lbsuite lb --listen 127.0.0.1:50050 --etcd 127.0.0.1:2379
  lbsuite lb --listen 127.0.0.1:50050 --no-etcd --xds-port 50051
"""


def add_flags(parser: Parser) -> None:
    parser.add_argument(
        "--listen", type=listen_address, default=DEFAULT_LB, metavar="H:P", help="(%(default)s; port 0: a free one)"
    )
    parser.add_argument("--advertise", type=address, metavar="H:P", help="what etcd is told, where it differs")
    add_service_flags(parser)
    etcd.add_layout(parser)
    parser.add_argument(
        "--allow", type=checked(network), action="append", metavar="CIDR", help="where endpoints may be (loopback)"
    )
    parser.add_argument("--log-picks", action="store_true", help="log a line a pick, at most 100/s")
    parser.add_argument(
        "--record", metavar="FILE", help="the event log, for replay; of service S in FILE's stem.S.suffix"
    )
    parser.add_argument(
        "--sample", type=whole(0, 1_000_000_000), default=0, metavar="N", help="keep each N-th pick for explain (none)"
    )
    daemon.add_flags(parser)


def add_service_flags(parser: Parser, etcd_default: str = "no etcd") -> None:
    """What a balancer is told, whoever starts it."""
    etcd.add_flags(parser, etcd_default)
    add_service(parser, "the one that etcd is asked for, and whose name may be left out")
    hosted = ", ".join(hosted_policies())
    parser.add_argument("--policy", type=_policy, metavar="P", help=f"{hosted}, NAME:KEY=VALUE,...")
    parser.add_argument("--fixed", action="store_true", help="requests cannot choose another policy")
    stages.add_flag(parser, DEFAULT_STAGES, hosted_stages(), check_stage)
    parser.add_argument(
        "--queue-s",
        type=positive(86400, zero=True),
        default=0.0,
        metavar="S",
        help="how long callers may wait for a slot when all are full (%(default)g: not at all)",
    )
    parser.add_argument("--load", choices=_core.signals(), default="tasks", help="what load is (%(default)s)")
    parser.add_argument("--ttl-s", type=whole(1, 86400), default=5, metavar="S", help="lease time (%(default)s)")
    parser.add_argument("--door", choices=("aio",), default="aio", help="how to listen (%(default)s)")
    parser.add_argument(
        "--admin", type=listen_address, metavar="H:P", help="health, metrics, state and drain over HTTP (off)"
    )
    xds.add_flags(parser)


@checked
def _policy(text: str) -> str:
    """A policy that a balancer can host."""
    check_policy(text)
    return text


def run(args: argparse.Namespace) -> int:
    etcd_settings = etcd.settings(args)
    if etcd_settings:
        check_advertised(args)
    chosen, fixed = prompt.choose(args.policy, args.fixed)
    daemon.set_up(args)
    settings = BalancerSettings(
        service=args.service,
        policy=chosen,
        fixed=fixed,
        load=args.load,
        ttl_s=args.ttl_s,
        allow=tuple(args.allow or LOOPBACK),
        log_picks=args.log_picks,
        record=args.record,
        sample=args.sample,
        stages=stages.chosen(args, DEFAULT_STAGES),
        queue_s=args.queue_s,
    )
    asyncio.run(_serve(settings, args.listen, args.advertise, etcd_settings, args.admin, xds.settings(args)))
    return 0


async def _serve(
    settings: BalancerSettings,
    listen: str,
    advertise: str | None,
    registry: EtcdSettings | None,
    admin: str | None,
    followed: XdsSettings | None,
) -> None:
    stop = daemon.stop_event()
    async with contextlib.AsyncExitStack() as ending:
        balancer = Balancer(settings)
        ending.push_async_callback(balancer.close)
        client = await ending.enter_async_context(EtcdClient(registry)) if registry else None
        if client:
            await _follow(balancer, layouts.followed(client, settings.service, balancers=True), ending)
        admin_door = await _open_admin(balancer, admin, ending) if admin else None
        ads_door = await xds.open_door(balancer, followed, ending) if followed else None
        door = AioDoor(balancer)
        bound = await door.open(listen)
        ending.push_async_callback(door.close)
        if client:
            record = Member(advertise or bound, id=balancer.id)
            registration = Registration(
                client, record, service=settings.service, role="balancers", ttl_s=int(settings.ttl_s)
            )
            ending.push_async_callback(registration.close)
            ending.push_async_callback(door.tell_stopping)
        daemon.ready("lb", bound)
        if admin_door:
            admin_door.tell_serving()
            ending.callback(admin_door.tell_stopping)
            daemon.ready("admin", admin_door.address)
        if ads_door:
            daemon.ready("xds", ads_door.address)
        await stop.wait()


async def _open_admin(balancer: Balancer, listen: str, ending: contextlib.AsyncExitStack) -> "AdminDoor":
    """Its admin door, open until the balancer's own door is closed."""
    from lbsuite.admin.door import AdminDoor
    from lbsuite.admin.routes import Routes

    door = AdminDoor(Routes(balancer))
    await door.open(listen)
    ending.push_async_callback(door.close)
    return door


async def _follow(balancer: Balancer, source: Source, ending: contextlib.AsyncExitStack) -> None:
    """Follows the source until the end; returns when its first list is there, or not there in time."""
    follower = Follower(balancer, source)
    following = background.start(follower.run(), "what follows the registry")
    ending.push_async_callback(asyncio.wait, {following})
    ending.push_async_callback(source.close)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIRST_LIST_S):
            await follower.listed.wait()
