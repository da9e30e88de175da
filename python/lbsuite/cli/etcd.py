"""The flags that say which etcd to use, for every command that may use one."""

import argparse
import os
from typing import get_args

from lbsuite.cli.arguments import Parser, address_list
from lbsuite.registry.etcd_settings import EtcdSettings, Layout

PASSWORD = "LBSUITE_ETCD_PASSWORD"


def add_flags(parser: Parser, default: str = "no etcd") -> None:
    """default: what happens where none is named, in words."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--etcd", type=address_list, metavar="H:P,...", help=f"etcd endpoints ({default})")
    which.add_argument("--no-etcd", action="store_true", help="no etcd")
    parser.add_argument("--etcd-user", metavar="NAME", help=f"etcd user; the password is in ${PASSWORD}")
    parser.add_argument("--etcd-ca", metavar="PEM", help="speak TLS to etcd, trusting this certificate")
    parser.add_argument("--etcd-cert", metavar="PEM", help="show etcd this certificate")
    parser.add_argument("--etcd-key", metavar="PEM", help="the certificate's key")


def add_layout(parser: Parser) -> None:
    """For who writes or reads endpoints."""
    parser.add_argument(
        "--etcd-layout",
        choices=get_args(Layout),
        help="keys that name the endpoints: lbsuite's (default), those of grpc-go's resolver, or both",
    )


def settings(args: argparse.Namespace) -> EtcdSettings | None:
    """How to reach etcd, None for no etcd; ends the process with one line and status 2 where flags do not fit."""
    names = {"user": args.etcd_user, "ca": args.etcd_ca, "cert": args.etcd_cert, "key": args.etcd_key}
    names["layout"] = getattr(args, "etcd_layout", None)
    if args.etcd is None:
        for name, value in names.items():
            if value is not None:
                args.refuse(f"--etcd-{name} without --etcd")
        return None
    password = os.environ.get(PASSWORD) if args.etcd_user is not None else None
    if args.etcd_user is not None and password is None:
        args.refuse(f"--etcd-user {args.etcd_user!r} without a password in ${PASSWORD}")
    try:
        given = {name: value for name, value in names.items() if value is not None}
        chosen = EtcdSettings(args.etcd, password=password, **given)
        chosen.credentials()
    except ValueError as error:
        args.refuse(str(error))
    return chosen
