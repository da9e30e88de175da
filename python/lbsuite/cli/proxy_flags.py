"""What `lbsuite proxy` may be told."""

import argparse
import re
from pathlib import Path

from lbsuite import _core, addresses
from lbsuite.cli import daemon, etcd, stages
from lbsuite.cli.arguments import (
    Parser,
    add_service,
    address_list,
    checked,
    listen_address,
    policy,
    positive,
    whole,
)
from lbsuite.errors import StartFailed
from lbsuite.proxy import native
from lbsuite.proxy.follower import resolve
from lbsuite.proxy.settings import DoorSettings, HealthSettings, ProxySettings

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_PATH = re.compile(r"/[!-~]*")


@checked
def listen_anywhere(text: str) -> str:
    """As listen_address; `:PORT` listens on every IPv4 address."""
    text = f"0.0.0.0{text}" if text.startswith(":") else text
    addresses.parse(text, listening=True)
    return text


async def literal(listen: str) -> str:
    """IP:PORT to listen on. Raises StartFailed for a name that does not resolve."""
    host, port = addresses.parse(listen, listening=True)
    if addresses.ip_of(host.strip("[]")) is not None:
        return listen
    try:
        (first, *_) = await resolve(f"{host}:1")
    except ValueError as error:
        raise StartFailed(str(error)) from None
    return f"{first.rpartition(':')[0]}:{port}"


@checked
def key(text: str) -> str:
    """path, header:NAME or cookie:NAME."""
    kind, _, name = text.partition(":")
    if text != "path" and not (kind in ("header", "cookie") and _TOKEN.fullmatch(name)):
        raise ValueError(f"not path, header:NAME or cookie:NAME: {text!r}")
    return text


@checked
def health_path(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError(f"not a path that begins with /: {text!r}")
    return text


@checked
def codes(text: str) -> frozenset[int]:
    """Statuses and ranges of them: `200,204,300-399`."""
    taken: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not re.fullmatch(r"[1-5]\d\d", first) or (dash and not re.fullmatch(r"[1-5]\d\d", last)):
            raise ValueError(f"not statuses such as 200,300-399: {text!r}")
        taken.update(range(int(first), int(last if dash else first) + 1))
    if not taken:
        raise ValueError(f"not statuses such as 200,300-399: {text!r}")
    return frozenset(taken)


def add_flags(parser: Parser) -> None:
    parser.add_argument(
        "--listen", type=listen_anywhere, default="127.0.0.1:8080", metavar="H:P", help="(%(default)s; :P: everywhere)"
    )
    parser.add_argument("--backends", type=address_list, metavar="H:P,...", help="who serves")
    parser.add_argument(
        "--backends-file", type=Path, metavar="FILE", help="who serves, one a line; SIGHUP: read it again"
    )
    etcd.add_flags(parser)
    add_service(parser)
    defaults = ProxySettings()
    parser.add_argument(
        "--policy", type=policy, default=defaults.policy, metavar="P", help="NAME or NAME:KEY=VALUE,... (%(default)s)"
    )
    parser.add_argument(
        "--roster",
        choices=_core.rosters(),
        default=defaults.roster,
        help="how picks and changes share the backends (%(default)s)",
    )
    stages.add_flag(parser, defaults.stages)
    parser.add_argument("--key", type=key, metavar="K", help="path, header:NAME or cookie:NAME, for policies")
    parser.add_argument("--tls-cert", metavar="PEM", help="speak TLS to clients, with this certificate")
    parser.add_argument("--tls-key", metavar="PEM", help="the certificate's key")
    _add_health(parser)
    _add_limits(parser)
    parser.add_argument("--access-log", metavar="FILE", help="a line of JSON a request; -: on stdout")
    parser.add_argument(
        "--admin", type=listen_address, metavar="H:P", help="health, metrics, state, PUT /backends (off)"
    )
    parser.add_argument(
        "--drain-s",
        type=positive(zero=True),
        default=defaults.drain_s,
        metavar="S",
        help="for requests under way at the end (%(default)g)",
    )
    parser.add_argument("--door", choices=("native", "aio"), default=None, help="how to listen (native, where it is)")
    daemon.add_flags(parser)


def _add_health(parser: Parser) -> None:
    health = HealthSettings()
    parser.add_argument(
        "--health-s",
        type=positive(86400, zero=True),
        default=health.every_s,
        metavar="S",
        help="between two checks of a backend; 0: only of those that refused (%(default)g)",
    )
    parser.add_argument(
        "--health-path", type=health_path, metavar="P", help="what is asked for (a connection is enough)"
    )
    parser.add_argument("--health-codes", type=codes, default="200-399", metavar="C", help="fine answers (%(default)s)")
    parser.add_argument(
        "--health-rise",
        type=whole(1, 100),
        default=health.rise,
        metavar="N",
        help="right answers in a row that bring it back (%(default)s)",
    )
    parser.add_argument(
        "--health-fall",
        type=whole(1, 100),
        default=health.fall,
        metavar="N",
        help="wrong answers in a row that take it out (%(default)s)",
    )


def _add_limits(parser: Parser) -> None:
    door = DoorSettings()
    add = parser.add_argument
    add("--threads", type=whole(1, 256), default=door.threads, metavar="N", help="of the native door (%(default)s)")
    add(
        "--trust", type=checked(addresses.network), action="append", metavar="CIDR", help="whose Forwarded is passed on"
    )
    add("--connect-s", type=positive(3600), default=door.connect_s, metavar="S", help="to a backend (%(default)g)")
    add("--head-s", type=positive(3600), default=door.head_s, metavar="S", help="for a request's head (%(default)g)")
    add("--idle-s", type=positive(86400), default=door.idle_s, metavar="S", help="without a byte (%(default)g)")
    add("--request-s", type=positive(86400, zero=True), default=door.request_s, metavar="S", help="in all; 0: no limit")
    add(
        "--max-head",
        type=whole(256, 2**24),
        default=door.head_bytes,
        metavar="BYTES",
        help="of a request's head (%(default)s)",
    )
    add(
        "--max-target",
        type=whole(16, 2**24),
        default=door.target_bytes,
        metavar="BYTES",
        help="of its target (%(default)s)",
    )
    add("--max-fields", type=whole(1, 10000), default=door.fields, metavar="N", help="of its fields (%(default)s)")
    add("--max-body", type=whole(0, 2**62), default=door.body_bytes, metavar="BYTES", help="0: no limit")
    add("--max-connections", type=whole(1), default=door.connections, metavar="N", help="a thread (%(default)s)")
    add(
        "--max-idle",
        type=whole(0),
        default=door.idle_connections,
        metavar="N",
        help="a backend, a thread (%(default)s)",
    )
    add("--attempts", type=whole(1, 100), default=door.attempts, metavar="N", help="backends a request (%(default)s)")


def settings(args: argparse.Namespace) -> ProxySettings:
    """Ends the process with one line and status 2 where flags do not fit."""
    if (args.tls_cert is None) != (args.tls_key is None):
        args.refuse("--tls-cert and --tls-key go together")
    health = HealthSettings(
        every_s=args.health_s,
        path=args.health_path,
        codes=args.health_codes,
        rise=args.health_rise,
        fall=args.health_fall,
    )
    return ProxySettings(
        policy=args.policy,
        roster=args.roster,
        stages=stages.chosen(args, ProxySettings().stages),
        door=args.door or ("native" if native.AVAILABLE else "aio"),
        access_log=args.access_log,
        drain_s=args.drain_s,
        requests=_door(args),
        health=health,
    )


def _door(args: argparse.Namespace) -> DoorSettings:
    return DoorSettings(
        threads=args.threads,
        connect_s=args.connect_s,
        head_s=args.head_s,
        idle_s=args.idle_s,
        request_s=args.request_s,
        head_bytes=args.max_head,
        target_bytes=args.max_target,
        fields=args.max_fields,
        body_bytes=args.max_body,
        connections=args.max_connections,
        idle_connections=args.max_idle,
        attempts=args.attempts,
        key=args.key or "",
        trusted=tuple(args.trust or ()),
        certificate=args.tls_cert or "",
        certificate_key=args.tls_key or "",
    )
