"""`lbsuite servers`: etcd if none is given, a balancer unless one is named, backends; shown live until a signal."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence

from lbsuite.addresses import unspecified
from lbsuite.cli import daemon, etcd, operator, prompt, stages, xds
from lbsuite.cli.arguments import DEFAULT_LB, Parser, address_list, listen_address, whole
from lbsuite.cli.backend import add_load_flags
from lbsuite.cli.lb import add_service_flags
from lbsuite.cli.live import Live
from lbsuite.errors import LbsuiteError, StartFailed, Unreachable
from lbsuite.fleet import Fleet, Process, etcd_binary
from lbsuite.wire import messages
from lbsuite.wire.balancer import DEFAULT_STAGES

_log = logging.getLogger(__name__)

DRAIN_S = 12.0
"""Backends drain for up to 10 s of their own; what has not ended then is killed."""

EXAMPLE = """examples:
  lbsuite servers -n 3 --policy least_load
  lbsuite servers -n 3 --lb 127.0.0.1:50050      more backends for a balancer that runs
"""


def add_flags(parser: Parser) -> None:
    parser.add_argument("-n", type=whole(1, 1000), default=3, metavar="N", help="backends (%(default)s)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--listen",
        type=listen_address,
        default=DEFAULT_LB,
        metavar="H:P",
        help="balancer's address (%(default)s)",
    )
    where.add_argument("--lb", type=address_list, default=(), metavar="H:P,...", help="balancers that run already")
    add_service_flags(parser, "one is started, but not with --lb")
    add_load_flags(parser)
    daemon.add_flags(parser)


def run(args: argparse.Namespace) -> int:
    etcd.settings(args)
    if unspecified(args.listen):
        args.refuse(f"--listen {args.listen} is no address that backends could dial; run lb with --advertise for that")
    stages.chosen(args, DEFAULT_STAGES)
    followed = xds.settings(args)
    if args.lb and (args.policy or args.fixed or args.stages or args.queue_s or args.admin or followed):
        args.refuse(
            "--policy, --fixed, --stage, --queue-s, --admin, --xds-port are for a balancer started here, "
            "not one that --lb names"
        )
    if not args.lb:
        args.policy, args.fixed = prompt.choose(args.policy, args.fixed)
    daemon.set_up(args)
    return asyncio.run(_serve(args))


def _pass_on(line: str) -> None:
    """What a child logs is logged here."""
    print(line, file=sys.stderr)


async def _serve(args: argparse.Namespace) -> int:
    stop = daemon.stop_event()
    fleet = Fleet(args.service, etcd=args.etcd or (), drain_s=DRAIN_S, said=_pass_on)
    async with fleet:
        starting = asyncio.create_task(_start(fleet, args))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                return 0
            balancer = starting.result()
            daemon.ready("servers", balancer)
            for started in fleet.balancers:
                for kind, address in (("admin", started.admin), ("xds", started.xds)):
                    if address:
                        daemon.ready(kind, address)
            return await _watch(fleet, balancer, args.service, stopping)
        finally:
            for task in (starting, stopping):
                task.cancel()
            await asyncio.gather(starting, stopping, return_exceptions=True)


async def _start(fleet: Fleet, args: argparse.Namespace) -> str:
    """Starts what is to run here; returns the balancer's address."""
    secured = [
        f"--etcd-{name}={value}" for name in ("user", "ca", "cert", "key") if (value := getattr(args, f"etcd_{name}"))
    ]
    shared = [*secured, f"--ttl-s={args.ttl_s}", f"--log-level={args.log_level}"]
    if not (args.etcd or args.no_etcd or args.lb):
        binary = etcd_binary()
        _log.info("starting %s", binary)
        await fleet.start_etcd(binary)
    if args.lb:
        balancer = await _answering(args.lb)
    else:
        fixed = ["--fixed"] if args.fixed else []
        staged = [*(f"--stage={spec}" for spec in args.stages or ()), f"--queue-s={args.queue_s}"]
        chosen = [
            f"--policy={args.policy}",
            *fixed,
            *staged,
            f"--load={args.load}",
            f"--door={args.door}",
            *xds.chosen(args),
        ]
        followed = told.listen if (told := xds.settings(args)) else None
        started = await fleet.start_lb(*chosen, *shared, listen=args.listen, admin=args.admin, xds=followed)
        balancer = started.address
    limits = [f"--max-concurrent={args.max_concurrent}", f"--report-ms={args.report_ms}"]
    await fleet.start_backends(args.n, *limits, *shared, lb=args.lb or None)
    return balancer


async def _answering(balancers: Sequence[str]) -> str:
    """The first that answers, whatever it says; raises Unreachable when none does."""
    for balancer in balancers:
        try:
            await operator.ask(balancer, "Status", messages.StatusRequest())
        except Unreachable:
            continue
        except LbsuiteError:
            pass
        return balancer
    raise Unreachable(f"no balancer answers at {', '.join(balancers)}")


async def _watch(fleet: Fleet, balancer: str, service: str, stopping: asyncio.Task[bool]) -> int:
    """Shows the fleet until a signal; raises StartFailed if the balancer or etcd ends, says so if a backend does."""
    vital: list[Process] = [*fleet.balancers, *([fleet.etcd] if fleet.etcd else [])]
    gone: set[Process] = set()
    async with Live(balancer, service, [backend.address for backend in fleet.backends]):
        while not stopping.done():
            await asyncio.wait({stopping}, timeout=0.5)
            for process in [*vital, *fleet.backends]:
                if process.running or process in gone:
                    continue
                gone.add(process)
                words = f"{process.kind} {process.address} ended with status {process.exit_status}"
                if process in vital:
                    raise StartFailed(f"{words}: {' | '.join(process.stderr_tail.splitlines()[-5:])}")
                _log.warning("%s", words)
    return 0
