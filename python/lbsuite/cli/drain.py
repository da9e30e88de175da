"""`lbsuite drain` and `lbsuite undrain`: stop picking an endpoint, or let it be picked again."""

import argparse
import asyncio

from lbsuite.cli import operator, status
from lbsuite.cli.arguments import Parser, address
from lbsuite.wire import messages

EXAMPLE = """example:
  lbsuite drain 127.0.0.1:4001 --lb 127.0.0.1:50050
"""


def add_flags(parser: Parser) -> None:
    parser.add_argument("address", type=address, metavar="ADDR", help="HOST:PORT of the endpoint")
    operator.add_flags(parser)
    parser.set_defaults(undo=parser.prog.endswith("undrain"))


def run(args: argparse.Namespace) -> int:
    request = messages.DrainRequest(address=args.address, service=args.service or "", undo=args.undo)
    print(status.table(asyncio.run(operator.ask(args.lb, "Drain", request))))
    return 0
