"""`lbsuite status`: what a balancer knows of its endpoints."""

import argparse
import asyncio
import json

from lbsuite.cli import operator
from lbsuite.cli.arguments import Parser
from lbsuite.wire import messages
from lbsuite.wire.status import document

EXAMPLE = """example:
  lbsuite status --lb 127.0.0.1:50050 --json
"""

_COLUMNS = ("address", "state", "tasks", "limit", "memory_mib", "cpu", "report_age_s", "zone", "tier")


def add_flags(parser: Parser) -> None:
    operator.add_flags(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")


def run(args: argparse.Namespace) -> int:
    reply = asyncio.run(operator.ask(args.lb, "Status", messages.StatusRequest(service=args.service or "")))
    print(json.dumps(document(reply)) if args.json else table(reply))
    return 0


def table(reply: messages.StatusReply) -> str:
    """The reply as aligned text for a reader."""
    rows = [_COLUMNS, *(tuple(_cell(endpoint[name]) for name in _COLUMNS) for endpoint in document(reply)["endpoints"])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([f"policy {reply.policy}, {len(reply.endpoints)} endpoints", *lines, *_refusals(reply)])


def _refusals(reply: messages.StatusReply) -> list[str]:
    """What xDS clients would not take."""
    return [
        f"xDS client {client.node or client.peer}{' (gone)' * client.gone} refuses a {client.type}: {client.error}"
        for client in reply.xds_clients
        if client.error
    ]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
