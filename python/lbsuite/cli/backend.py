"""`lbsuite backend`: one process that computes tasks, until a signal."""

import argparse
import asyncio

from lbsuite import names
from lbsuite.cli import daemon, etcd
from lbsuite.cli.arguments import (
    Parser,
    add_service,
    address,
    address_list,
    check_advertised,
    checked,
    listen_address,
    positive,
    whole,
)
from lbsuite.events import MAX_TIER
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.wire import quantities, tasks
from lbsuite.wire.backend import BackendSettings, serve
from lbsuite.wire.joining.enrolment import EnrolmentSettings

MAX_THREADS = 1024

EXAMPLE = """tasks: 35 or fib:35, fib_fast:90, fib_big:1000000, fib_big:1000:text, sleep:0.05, memory:64MiB:0.2,
       mix:exp|lognormal|pareto:MEAN_S[:shape=S][:cpu=SHARE][:memory=MEAN][:seed=N]
examples:
  lbsuite backend --listen 127.0.0.1:0 --lb 127.0.0.1:50050
  lbsuite backend --listen 0.0.0.0:4001 --advertise 10.0.0.7:4001 --etcd 10.0.0.2:2379 --max-concurrent 4
"""


def add_flags(parser: Parser) -> None:
    _add_addresses(parser)
    add_load_flags(parser)
    _add_place(parser)
    numbers = (
        ("--max-n", whole(0, tasks.LARGEST_N), 45, "largest n of the recursive Fibonacci"),
        ("--max-big-n", whole(0, tasks.LARGEST_BIG_N), 10_000_000, "largest n of fib_big"),
        ("--max-task-s", positive(), "60", "longest sleep, hold of memory, or task of a mix"),
        ("--max-memory", checked(quantities.size), "4GiB", "most memory of one task, such as 64MiB"),
        ("--ttl-s", whole(1, 86400), 5, "how long the key in etcd outlives the process"),
        ("--slowdown", positive(1e6), "1", "makes sleeps take N times longer, for experiments"),
        ("--drain-s", positive(zero=True), "10", "time for running tasks when told to stop"),
    )
    for flag, kind, default, meaning in numbers:
        parser.add_argument(flag, type=kind, default=default, metavar="N", help=f"{meaning} (%(default)s)")
    daemon.add_flags(parser)


def add_load_flags(parser: Parser) -> None:
    """What a backend is told of its load, whoever starts it."""
    add = parser.add_argument
    add("--max-concurrent", type=whole(1, MAX_THREADS), default=10, metavar="N", help="tasks at once (%(default)s)")
    add("--report-ms", type=whole(50, 3_600_000), default=500, metavar="N", help="between reports (%(default)s)")


def _add_addresses(parser: Parser) -> None:
    parser.add_argument(
        "--listen", type=listen_address, required=True, metavar="H:P", help="required; port 0: a free one"
    )
    parser.add_argument("--advertise", type=address, metavar="H:P", help="what callers are told, where it differs")
    parser.add_argument("--lb", type=address_list, default=(), metavar="H:P,...", help="balancers to register with")
    etcd.add_flags(parser)
    etcd.add_layout(parser)
    add_service(parser)


def _add_place(parser: Parser) -> None:
    """What places it beside others, with the stages of a balancer that go by it."""
    add = parser.add_argument
    add("--weight", type=whole(1, 1_000_000), default=1, metavar="N", help="its share beside others (%(default)s)")
    add("--zone", type=checked(names.zone), default="", metavar="Z", help="where it is, for those who prefer a zone")
    add("--tier", type=whole(0, MAX_TIER), default=0, metavar="N", help="lower ones go before (%(default)s)")


def run(args: argparse.Namespace) -> int:
    registry = etcd.settings(args)
    check_advertised(args)
    daemon.set_up(args)
    asyncio.run(_serve(_settings(args, registry)))
    return 0


def _settings(args: argparse.Namespace, registry: EtcdSettings | None) -> BackendSettings:
    return BackendSettings(
        listen=args.listen,
        advertise=args.advertise,
        drain_s=args.drain_s,
        bounds=tasks.Bounds(args.max_n, args.max_task_s, args.max_memory, args.slowdown, args.max_big_n),
        enrolment=EnrolmentSettings(
            limit=args.max_concurrent,
            balancers=args.lb,
            etcd=registry,
            service=args.service,
            weight=args.weight,
            zone=args.zone,
            tier=args.tier,
            report_s=args.report_ms / 1000,
            ttl_s=args.ttl_s,
        ),
    )


async def _serve(settings: BackendSettings) -> None:
    await serve(settings, lambda address: daemon.ready("backend", address), daemon.stop_event())
