"""`lbsuite client`: sends tasks to a fleet and measures."""

import argparse
import asyncio
import csv
import os
import sys
from pathlib import Path

from lbsuite import arrivals
from lbsuite.cli import daemon, etcd, readout
from lbsuite.cli.arguments import DEFAULT_LB, Parser, add_service, address_list, checked, policy, positive, whole
from lbsuite.errors import LbsuiteError
from lbsuite.results import RunResult
from lbsuite.wire import client, compute_calls, tasks

EXAMPLE = """a closed loop, unless --rate is given: each caller asks, connects, runs one task and asks again
examples:
  lbsuite client --clients 100 --duration 30 --strategy least_load --lb 127.0.0.1:50050
  lbsuite client --rate 200 --task mix:pareto:0.05 --cost auto --lb 127.0.0.1:50050
  lbsuite client --rate 200 --task sleep:0.05 --etcd 127.0.0.1:2379 --csv runs.csv
"""


def add_flags(parser: Parser) -> None:
    add = parser.add_argument
    add("--lb", type=address_list, metavar="H:P,...", help=f"balancers ({DEFAULT_LB}, or found by --etcd)")
    etcd.add_flags(parser)
    add_service(parser)
    _add_load(parser)
    add("--json", action="store_true", help="the result as one JSON document on stdout")
    add("--csv", type=writable, metavar="FILE", help="add the result to this file, as a row")
    add("--progress", action="store_true", help="show it even where stderr is no terminal")


def _add_load(parser: Parser) -> None:
    add = parser.add_argument
    add("--clients", type=whole(1, 100_000), default=10, metavar="N", help="callers of the closed loop (%(default)s)")
    add("--duration", type=positive(), default="30", metavar="S", help="seconds in which tasks begin (%(default)s)")
    add("--strategy", type=policy, metavar="P", help="a policy, as least_load:choices=3 (the balancer's)")
    add("--task", type=_task, default="fib:32", metavar="T", help="about 10 ms of CPU: %(default)s")
    add("--cost", type=_cost, default="1", metavar="C", help="said of each task; auto: its milliseconds (%(default)s)")
    add("--rate", type=positive(1e6), metavar="R", help="open loop: tasks a second, timed from when due")
    add("--arrivals", choices=arrivals.KINDS, default="poisson", help="of the open loop (%(default)s)")
    add("--connections", choices=compute_calls.KINDS, default="keep", help="to the backends (%(default)s)")
    add("--priority", type=whole(0, client.MOST_PRIORITY), default=0, metavar="P", help="above 0: shed earlier (0)")
    add("--timeout-s", type=positive(), default="60", metavar="S", help="of a task, asking included (%(default)s)")


def run(args: argparse.Namespace) -> int:
    registry = etcd.settings(args)
    settings = client.ClientSettings(
        balancers=args.lb or (() if registry else (DEFAULT_LB,)),
        etcd=registry,
        service=args.service,
        strategy=args.strategy,
        task=args.task,
        cost=args.cost,
        clients=args.clients,
        rate=args.rate,
        arrivals=args.arrivals,
        duration_s=args.duration,
        connections=args.connections,
        timeout_s=args.timeout_s,
        priority=args.priority,
    )
    result = asyncio.run(_measure(settings, args.progress))
    print(result.to_json() if args.json else readout.text(result))
    if args.csv:
        try:
            _append(args.csv, settings, result)
        except OSError as error:
            raise LbsuiteError(f"cannot write to {str(args.csv)!r}: {error.strerror}") from None
    return 1 if result.lost else 0


async def _measure(settings: client.ClientSettings, progress: bool) -> RunResult:
    terminal = sys.stderr.isatty()
    line = readout.Progress(sys.stderr, overwrite=terminal) if progress or terminal else None
    try:
        return await client.run(settings, progress=line, stop=daemon.stop_event())
    finally:
        if line:
            line.end()


def _append(path: Path, settings: client.ClientSettings, result: RunResult) -> None:
    chosen = ("strategy", "task", "cost", "clients", "rate", "arrivals", "connections")
    row = {name: getattr(settings, name) for name in chosen} | result.csv_row()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow(row)


@checked
def _task(text: str) -> str:
    client.check_task(text)
    return text


def _cost(text: str) -> int | None:
    return None if text == "auto" else whole(1, tasks.MAX_COST)(text)


@checked
def writable(text: str) -> Path:
    path = Path(text)
    try:
        there = path.exists()
    except OSError as error:
        raise ValueError(f"cannot write to {text!r}: {error.strerror}") from None
    if path.is_dir() or not path.parent.is_dir() or not os.access(path if there else path.parent, os.W_OK):
        raise ValueError(f"cannot write to {text!r}")
    return path
