"""`lbsuite place`: which server owns which object, and what a failure or a return moves."""

import argparse
import contextlib
import importlib.util
import io
import ipaddress
import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from lbsuite._core import set_kinds
from lbsuite.cli.arguments import Parser, checked, whole
from lbsuite.cli.board import MAX_SERVERS, Board, repeated, valid
from lbsuite.placement.weights import HEAVIEST

EXAMPLE = """examples:
  lbsuite place --servers 5 --down 10.1.0.1
  lbsuite place --servers 5 --down 10.1.0.1 10.1.0.2 --up 10.1.0.1 --log
  lbsuite place --servers 10.1.0.7,10.1.0.9 --weights 10.1.0.9=3 --json
  echo '{"event": "down", "servers": ["10.1.0.3"]}' | lbsuite place --servers 5 --events -
"""

MAX_OBJECTS = 4096
_FIRST = ipaddress.IPv4Address("10.1.0.1")


def add_flags(parser: Parser) -> None:
    add = parser.add_argument
    add("--servers", type=servers, required=True, metavar="N|IP,...", help="how many, from 10.1.0.1 on, or which")
    add("--objects", type=whole(1, MAX_OBJECTS), default=MAX_OBJECTS, metavar="N", help="(%(default)s)")
    add("--down", type=ipv4, nargs="+", default=[], metavar="IP", help="then these fail, all at once")
    add("--up", type=ipv4, nargs="+", default=[], metavar="IP", help="then these come back, or new, all at once")
    add("--weights", type=weight, nargs="+", default=[], metavar="IP=W", help="1..64 for some, 1 for the others")
    add("--kind", choices=set_kinds(), default=set_kinds()[0], help="of placing by the set alone (%(default)s)")
    add("--log", action="store_true", help="place by the log of these batches instead: no needless move")
    add(
        "--events",
        type=events,
        metavar="-|SOCKET",
        help="then JSON lines from stdin, or from who connects to a unix socket",
    )
    add(
        "--plot",
        type=picture,
        metavar="FILE.png",
        help="a picture of who owns how many, and of the moves; by matplotlib",
    )
    add("--json", action="store_true", help="JSON instead of text: a line for each event, and the whole at the end")


def run(args: argparse.Namespace) -> int:
    board = Board(args.objects, None if args.log else args.kind)
    told = dict(args.weights)
    for flag, named in {"down": args.down, "up": args.up, "weights": [s for s, _ in args.weights]}.items():
        if again := repeated(named):
            args.refuse(f"--{flag}: a server twice: {again}")
    if strangers := told.keys() - set(args.servers) - set(args.up):
        args.refuse(f"--weights: not one of the servers: {min(strangers)}")
    try:
        board.change("start", {server: told.get(server, 1) for server in args.servers})
        if args.down:
            board.take({"event": "down", "servers": args.down})
        if args.up:
            board.change(f"up {' '.join(args.up)}", {server: told.get(server, 1) for server in args.up})
    except ValueError as error:
        args.refuse(str(error))
    try:
        refused = follow(board, args.events, args.json) if args.events else 0
        print(json.dumps(document(board)) if args.json else text(board))
        if args.plot:
            plot(board, args.plot)
    except OSError as error:
        print(f"lbsuite place: {error}", file=sys.stderr)
        return 1
    return 1 if refused else 0


def follow(board: Board, source: str, as_json: bool) -> int:
    """Applies each event as it comes; one that makes no sense is refused in one line. Returns how many were."""
    refused = 0
    with opened(source) as lines:
        for line in lines:
            try:
                told = board.take(json.loads(line))
            except (ValueError, OverflowError, RecursionError) as error:
                refused += 1
                print(f"lbsuite place: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
            else:
                print(json.dumps(told) if as_json else moved(told), flush=True)
    return refused


@contextlib.contextmanager
def opened(source: str) -> Iterator[TextIO]:
    """Lines of stdin, or of the first that connects to a unix socket, which is at `source` for that long."""
    if source == "-":
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        yield sys.stdin
        return
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as after:
        listener.bind(source)
        after.callback(os.unlink, source)
        listener.listen(1)
        print(f"ready place {source}", flush=True)
        connection, _ = listener.accept()
        with connection, connection.makefile("r", encoding="utf-8", errors="replace") as lines:
            yield lines


def moved(batch: Mapping[str, Any]) -> str:
    return f"{batch['change']}: moved {batch['moved']}, minimum {batch['minimum']}"


def text(board: Board) -> str:
    """The listing for a reader."""
    lines = [
        f"total servers {len(board.weights) + len(board.down)}, active {len(board.weights)}, objects {board.objects}",
        f"{'server':15} {'id':>4} {'status':6} {'cpu':>5} {'memory':>6} {'objects':>7}",
    ]
    for entry in board.listing():
        cpu, memory = ("-" if entry[what] is None else f"{entry[what]:.2f}" for what in ("cpu", "memory"))
        lines.append(
            f"{entry['server']:15} {entry['id']:4} {entry['status']:6} {cpu:>5} {memory:>6} {entry['objects']:7}"
        )
    changes = board.batches[1:] or board.batches
    lines += [moved(batch) for batch in changes]
    if len(changes) > 1:
        lines.append(f"in all: moved {sum(b['moved'] for b in changes)}, minimum {sum(b['minimum'] for b in changes)}")
    return "\n".join(lines)


def document(board: Board) -> dict[str, Any]:
    return {
        "objects": board.objects,
        "total": len(board.weights) + len(board.down),
        "active": len(board.weights),
        "servers": board.listing(),
        "batches": board.batches,
    }


def plot(board: Board, path: str) -> None:
    """Draws the listing."""
    import matplotlib.figure

    figure = matplotlib.figure.Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    entries = board.listing()
    left.bar([entry["server"] for entry in entries], [entry["objects"] for entry in entries])
    left.set(ylabel="objects owned", title=f"{board.objects} objects on {len(board.weights)} servers")
    left.tick_params(axis="x", rotation=90)
    changes = board.batches[1:] or board.batches
    right.barh([f"{b['change']:.30}" for b in changes], [b["moved"] for b in changes], label="moved")
    right.barh([f"{b['change']:.30}" for b in changes], [b["minimum"] for b in changes], height=0.3, label="minimum")
    right.set(title="objects moved")
    right.legend()
    figure.savefig(path)


@checked
def servers(value: str) -> list[str]:
    """A number of servers from 10.1.0.1 on, or their addresses."""
    if value.isdecimal() and value.isascii():
        if not 1 <= int(value) <= MAX_SERVERS:
            raise ValueError(f"servers out of 1..{MAX_SERVERS}: {value}")
        return [str(_FIRST + i) for i in range(int(value))]
    named = [valid(part) for part in value.split(",")]
    if again := repeated(named):
        raise ValueError(f"a server twice: {again}")
    return named


@checked
def events(value: str) -> str:
    folder = os.path.dirname(os.path.abspath(value))
    fits = len(os.fsencode(value)) < 108  # sun_path of unix(7)
    if value != "-" and not (value and fits and os.path.isdir(folder) and not os.path.lexists(value)):
        raise ValueError(f"not -, and no unix socket can be made there: {value!r}")
    return value


@checked
def picture(value: str) -> str:
    """The name of a PNG file that can be written, with matplotlib there to draw it."""
    if not value.endswith(".png") or not os.path.isdir(os.path.dirname(os.path.abspath(value))):
        raise ValueError(f"no name of a .png file in a directory that there is: {value!r}")
    if importlib.util.find_spec("matplotlib") is None:
        raise ValueError(f"{value!r} is drawn by matplotlib: pip install lbsuite[notebooks]")
    return value


@checked
def ipv4(value: str) -> str:
    return valid(value)


@checked
def weight(value: str) -> tuple[str, int]:
    server, _, number = value.partition("=")
    if not number.isdecimal() or not number.isascii() or not 1 <= int(number) <= HEAVIEST:
        raise ValueError(f"not IP=WEIGHT with a weight in 1..{HEAVIEST}: {value!r}")
    return valid(server), int(number)
