"""What `lbsuite proxy` may be told."""

import argparse
import re
from collections.abc import Callable
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
from lbsuite.proxy.settings import DoorSettings, HealthSettings, ProxySettings
from lbsuite.registry.dns import resolve

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


_LIMITS: tuple[tuple[str, Callable[[str], float], str, str, str], ...] = (
    ("--threads", whole(1, 256), "threads", "N", "of the native door (%(default)s)"),
    ("--connect-s", positive(3600), "connect_s", "S", "to a backend (%(default)g)"),
    ("--head-s", positive(3600), "head_s", "S", "for a request's head (%(default)g)"),
    ("--idle-s", positive(86400), "idle_s", "S", "without a byte (%(default)g)"),
    ("--request-s", positive(86400, zero=True), "request_s", "S", "for request and answer; 0: no limit (%(default)g)"),
    ("--max-head", whole(256, 2**24), "head_bytes", "BYTES", "of a request's head (%(default)s)"),
    ("--max-target", whole(16, 2**24), "target_bytes", "BYTES", "of its target (%(default)s)"),
    ("--max-fields", whole(1, 10000), "fields", "N", "of its fields (%(default)s)"),
    ("--max-body", whole(0, 2**62), "body_bytes", "BYTES", "of its body; 0: no limit (%(default)s)"),
    ("--max-connections", whole(1), "connections", "N", "of clients, a thread (%(default)s)"),
    ("--max-idle", whole(0), "idle_connections", "N", "kept open to a backend, a thread (%(default)s)"),
    ("--attempts", whole(1, 100), "attempts", "N", "backends that one request may be sent to (%(default)s)"),
)
"""Flag, kind, the name in DoorSettings, and what the help says."""


def add_flags(parser: Parser) -> None:
    add = parser.add_argument
    everywhere = "(%(default)s; :P: everywhere)"
    add("--listen", type=listen_anywhere, default="127.0.0.1:8080", metavar="H:P", help=everywhere)
    add("--backends", type=address_list, metavar="H:P,...", help="who serves")
    add("--backends-file", type=Path, metavar="FILE", help="who serves, one a line; SIGHUP: read it again")
    etcd.add_flags(parser)
    etcd.add_layout(parser)
    add_service(parser)
    _add_picking(parser)
    _add_health(parser)
    door = DoorSettings()
    for flag, kind, name, metavar, words in _LIMITS:
        add(flag, type=kind, dest=name, default=getattr(door, name), metavar=metavar, help=words)
    cidr = checked(addresses.network)
    add("--trust", type=cidr, action="append", metavar="CIDR", help="whose word on whom they forward for is passed on")
    add("--tls-cert", metavar="PEM", help="speak TLS to clients, with this certificate")
    add("--tls-key", metavar="PEM", help="the certificate's key")
    add("--access-log", metavar="FILE", help="a line of JSON a request; -: on stdout")
    add("--admin", type=listen_address, metavar="H:P", help="health, metrics, state, PUT /backends (off)")
    drain_s, words = ProxySettings().drain_s, "for requests under way at the end (%(default)g)"
    add("--drain-s", type=positive(zero=True), default=drain_s, metavar="S", help=words)
    add("--door", choices=("native", "aio"), default=None, help="how to listen (native, where it is)")
    daemon.add_flags(parser)


def _add_picking(parser: Parser) -> None:
    defaults, add = ProxySettings(), parser.add_argument
    spec = "NAME or NAME:KEY=VALUE,... (%(default)s)"
    add("--policy", type=policy, default=defaults.policy, metavar="P", help=spec)
    shared = "how picks and changes share the backends (%(default)s)"
    add("--roster", choices=_core.rosters(), default=defaults.roster, help=shared)
    stages.add_flag(parser, defaults.stages, _core.stages(), _core.parse_stage)
    add("--key", type=key, metavar="K", help="path, header:NAME or cookie:NAME, for policies that go by a key")


def _add_health(parser: Parser) -> None:
    health, add = HealthSettings(), parser.add_argument
    every_s = "between two checks of a backend; 0: only of those that refused (%(default)g)"
    add("--health-s", type=positive(86400, zero=True), default=health.every_s, metavar="S", help=every_s)
    add("--health-path", type=health_path, metavar="P", help="what is asked for (a connection is enough)")
    add("--health-codes", type=codes, default="200-399", metavar="C", help="right answers (%(default)s)")
    rise = "right answers in a row that bring it back (%(default)s)"
    fall = "wrong answers in a row that take it out (%(default)s)"
    add("--health-rise", type=whole(1, 100), default=health.rise, metavar="N", help=rise)
    add("--health-fall", type=whole(1, 100), default=health.fall, metavar="N", help=fall)


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
        **{name: getattr(args, name) for _, _, name, _, _ in _LIMITS},
        key=args.key or "",
        trusted=tuple(args.trust or ()),
        certificate=args.tls_cert or "",
        certificate_key=args.tls_key or "",
    )
