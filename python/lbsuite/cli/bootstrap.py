"""`lbsuite bootstrap`: what xDS clients are to be told of balancers, as JSON."""

import argparse
import json

from lbsuite.cli.arguments import Parser, address_list, listen_address
from lbsuite.xds import bootstrap

EXAMPLE = """examples:
  export GRPC_XDS_BOOTSTRAP_CONFIG="$(lbsuite bootstrap --xds 127.0.0.1:50051)"    then dial xds:///SERVICE
  lbsuite bootstrap --xds 127.0.0.1:50051 --envoy 127.0.0.1:8080 > envoy.json      then envoy -c envoy.json
"""


def add_flags(parser: Parser) -> None:
    parser.add_argument(
        "--xds", type=address_list, required=True, metavar="H:P,...", help="what balancers run with --xds-port"
    )
    parser.add_argument("--envoy", type=listen_address, metavar="H:P", help="for an Envoy that is to listen there")
    parser.add_argument("--node", metavar="ID", help="what the client calls itself, for `status`")


def run(args: argparse.Namespace) -> int:
    node = {"node": args.node} if args.node else {}
    told = bootstrap.for_envoy(args.xds, args.envoy, **node) if args.envoy else bootstrap.for_grpc(args.xds, **node)
    print(json.dumps(told))
    return 0
