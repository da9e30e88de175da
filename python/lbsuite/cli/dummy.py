"""`lbsuite dummy`: HTTP backends that answer at once, all in one process."""

import argparse
import asyncio
import contextlib

from lbsuite import addresses
from lbsuite.cli import daemon
from lbsuite.cli.arguments import Parser, listen_address, positive, whole
from lbsuite.proxy.dummy import Dummy, DummySettings

EXAMPLE = """examples:
  lbsuite dummy -n 10 --listen 127.0.0.1:9001        on ports 9001 to 9010
  lbsuite dummy -n 3 --delay-s 0.05 --body-bytes 10000
Each answers any request with its name, GET /health with 200, GET /requests with how many it has answered.
"""


def add_flags(parser: Parser) -> None:
    parser.add_argument("-n", type=whole(1, 1000), default=3, metavar="N", dest="count", help="backends (%(default)s)")
    parser.add_argument(
        "--listen",
        type=listen_address,
        default="127.0.0.1:0",
        metavar="H:P",
        help="the first (%(default)s: free ports)",
    )
    parser.add_argument("--delay-s", type=positive(3600, zero=True), default=0.0, metavar="S", help="of an answer")
    parser.add_argument("--body-bytes", type=whole(0, 2**30), default=0, metavar="N", help="of an answer (its name)")
    daemon.add_flags(parser)


def run(args: argparse.Namespace) -> int:
    host, port = addresses.parse(args.listen, listening=True)
    if port and port + args.count > 65536:
        args.refuse(f"--listen {args.listen} leaves no room for {args.count} ports")
    daemon.set_up(args)
    asyncio.run(_serve(host, port, args.count, DummySettings(args.delay_s, args.body_bytes)))
    return 0


async def _serve(host: str, port: int, count: int, settings: DummySettings) -> None:
    stop = daemon.stop_event()
    async with contextlib.AsyncExitStack() as ending:
        for place in range(count):
            backend = Dummy(settings)
            ending.push_async_callback(backend.close)
            daemon.ready("dummy", await backend.open(host, port + place if port else 0))
        await stop.wait()
