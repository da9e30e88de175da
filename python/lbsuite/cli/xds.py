"""What the commands that run a balancer say of xDS: its flags, and the server they open."""

import argparse
import contextlib
import json
import logging
from typing import TYPE_CHECKING

from lbsuite.addresses import unspecified
from lbsuite.cli.arguments import Parser, checked, whole
from lbsuite.wire.balancer import Balancer
from lbsuite.xds.settings import POLICIES, WEIGHTS, ClientPolicy, XdsSettings

if TYPE_CHECKING:
    from lbsuite.xds.door import AdsDoor

_log = logging.getLogger(__name__)


def add_flags(parser: Parser) -> None:
    parser.add_argument(
        "--xds-port", type=whole(0, 65535), metavar="P", help="tell xDS clients of the endpoints there (off)"
    )
    parser.add_argument(
        "--xds-policy",
        type=checked(ClientPolicy.parse),
        metavar="P",
        help=f"what xDS clients run: {', '.join(POLICIES)}, NAME:KEY=VALUE,... (the first)",
    )
    parser.add_argument("--xds-weights", choices=WEIGHTS, help=f"by what endpoints weigh, to them ({WEIGHTS[0]})")


def settings(args: argparse.Namespace) -> XdsSettings | None:
    """What the flags say, on the same host as the balancer; None: no xDS."""
    if args.xds_port is None:
        if args.xds_policy or args.xds_weights:
            args.refuse("--xds-policy and --xds-weights are for xDS clients, and need --xds-port")
        return None
    listen = f"{args.listen.rpartition(':')[0]}:{args.xds_port}"
    return XdsSettings(listen, args.xds_policy or ClientPolicy(), args.xds_weights or WEIGHTS[0])


def chosen(args: argparse.Namespace) -> list[str]:
    """The flags again, for a balancer that another process starts; but the port."""
    return [f"--xds-{key}={value}" for key in ("policy", "weights") if (value := getattr(args, f"xds_{key}"))]


async def open_door(balancer: Balancer, settings: XdsSettings, ending: contextlib.AsyncExitStack) -> "AdsDoor":
    """Its ADS server, open until the balancer's own door is closed; says how clients find it."""
    from lbsuite.xds.bootstrap import VARIABLE, for_grpc
    from lbsuite.xds.door import AdsDoor

    door = AdsDoor(balancer, settings)
    ending.push_async_callback(door.close)
    address = await door.open()
    if unspecified(address):
        _log.info("xDS clients are told where to ask by: lbsuite bootstrap --xds HOST:%s", address.rpartition(":")[2])
    else:
        told = json.dumps(for_grpc([address]))
        _log.info("gRPC clients follow xds:///%s with %s='%s'", balancer.settings.service, VARIABLE, told)
    return door
