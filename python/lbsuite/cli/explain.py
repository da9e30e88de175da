"""`lbsuite explain`: whom a balancer would pick now, or has picked, and why."""

import argparse
import asyncio
import json
from typing import Any

from lbsuite.cli import operator
from lbsuite.cli.arguments import Parser, policy, whole
from lbsuite.wire import messages

MOST_KEPT = 256
"""Sampled picks that an engine keeps."""

EXAMPLE = """examples:
  lbsuite explain --lb 127.0.0.1:50050 --key user-7
  lbsuite explain --lb 127.0.0.1:50050 --last 3      what was picked, where the balancer runs with --sample
"""


def add_flags(parser: Parser) -> None:
    operator.add_flags(parser)
    parser.add_argument("--policy", type=policy, metavar="P", help="as a request that wishes it (the balancer's own)")
    parser.add_argument("--key", default="", metavar="K", help="as a request with this key (none)")
    parser.add_argument(
        "--last", type=whole(1, MOST_KEPT), metavar="N", help="the last N of the picks that were sampled, newest last"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of words")


def run(args: argparse.Namespace) -> int:
    if args.last and (args.policy or args.key):
        args.refuse("--last shows picks as they were: it takes no --policy and no --key")
    asked = messages.BalanceRequest(service=args.service or "", policy=args.policy or "")
    asked.key = args.key.encode(errors="surrogateescape")
    request = messages.ExplainRequest(request=asked, last=args.last or 0)
    reply: messages.ExplainReply = asyncio.run(operator.ask(args.lb, "Explain", request))
    print(json.dumps(document(reply)) if args.json else words(reply))
    return 0


def document(reply: messages.ExplainReply) -> dict[str, Any]:
    """The reply as a JSON document; what is not there is None, and bytes of a key that are no text are escaped."""
    return {"picks": [_pick(told) for told in reply.picks]}


def words(reply: messages.ExplainReply) -> str:
    """The reply for a reader."""
    if not reply.picks:
        return "no pick has been sampled yet"
    return "\n".join(
        "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in told.words) for told in reply.picks
    )


def _pick(told: messages.Explanation) -> dict[str, Any]:
    return {
        "policy": told.policy,
        "goes_by": told.goes_by,
        "picked": told.picked or None,
        "refused": told.refused or None,
        "ready": sum(not one.out_by for one in told.endpoints),
        "looked_at": sum(one.looked_at for one in told.endpoints),
        "sequence": told.sequence,
        "key": told.key.decode(errors="backslashreplace"),
        "cost": told.cost,
        "priority": told.priority,
        "attempt": told.attempt,
        "view": told.view,
        "age_s": told.age_ms / 1000,
        "endpoints": [_endpoint(one) for one in told.endpoints],
    }


def _endpoint(one: messages.Considered) -> dict[str, Any]:
    return {
        "address": one.address,
        "state": one.state,
        "out_by": one.out_by or None,
        "looked_at": one.looked_at,
        "weighed": one.weighed if one.HasField("weighed") else None,
        "score": one.score,
        "tasks": one.tasks,
        "limit": one.limit,
        "weight": one.weight,
        "level": one.level,
        "report_age_s": one.report_age_s if one.HasField("report_age_s") else None,
    }
