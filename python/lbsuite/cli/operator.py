"""What `status`, `explain`, `drain` and `undrain` share: one question to one balancer."""

from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message

from lbsuite import names
from lbsuite.cli.arguments import DEFAULT_LB, Parser, address, checked
from lbsuite.errors import LbsuiteError, Unreachable
from lbsuite.wire import services
from lbsuite.wire.dial import dial

DEADLINE_S = 3.0


def add_flags(parser: Parser) -> None:
    parser.add_argument("--lb", type=address, default=DEFAULT_LB, metavar="H:P", help="the balancer (%(default)s)")
    parser.add_argument("--service", type=checked(names.service), metavar="S", help="the service (the balancer's own)")


async def ask(balancer: str, method: str, request: Message) -> Any:
    """The reply to one call of LoadBalancer.

    Raises Unreachable if the balancer does not answer within DEADLINE_S, LbsuiteError if it refuses.
    """
    async with dial(balancer) as channel:
        call = getattr(services.stub(channel, "LoadBalancer"), method)
        try:
            return await call(request, timeout=DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                raise Unreachable(f"no balancer answers at {balancer}") from None
            raise LbsuiteError(f"{balancer}: {error.details()}") from None
