"""`lbsuite place`: which server owns which object, and what a failure or a return moves."""

import argparse
import contextlib
import ipaddress
import json
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TextIO

from lbsuite._core import Placer, SetPlacer, set_kinds
from lbsuite.cli.arguments import Parser, checked, whole
from lbsuite.placement.weights import HEAVIEST, weights_from

EXAMPLE = """examples:
  lbsuite place --servers 5 --down 10.1.0.1
  lbsuite place --servers 5 --down 10.1.0.1 10.1.0.2 --up 10.1.0.1 --log
  lbsuite place --servers 10.1.0.7,10.1.0.9 --weights 10.1.0.9=3 --json
  echo '{"event": "down", "servers": ["10.1.0.3"]}' | lbsuite place --servers 5 --events -
"""

MAX_SERVERS = 4095
MAX_OBJECTS = 4096
_FIRST = ipaddress.IPv4Address("10.1.0.1")


class Batch(Protocol):
    """What one batch of changes did."""

    @property
    def moves(self) -> list[tuple[int, str | None, str]]: ...
    @property
    def minimum(self) -> int: ...


class Board:
    """The servers named so far, up or down, and the placement of the objects on those that are up."""

    def __init__(self, objects: int, kind: str | None) -> None:
        """kind: of the order-free placer; None: the placer by a log."""
        self._by_set = SetPlacer(objects, kind) if kind else None
        self._by_log = Placer(objects) if kind is None else None
        self._revision = 0
        self.objects = objects
        self.weights: dict[str, int] = {}
        self.down: set[str] = set()
        self.cpu: dict[str, float] = {}
        self.memory: dict[str, float] = {}
        self.batches: list[dict[str, Any]] = []

    def change(self, words: str, weights: Mapping[str, int]) -> dict[str, Any]:
        """Applies one batch, weight 0 for down; raises ValueError, changing nothing, where the placer does."""
        batch = self._apply(weights)
        self.weights = {s: w for s, w in {**self.weights, **weights}.items() if w}
        self.down = (self.down | {s for s, w in weights.items() if not w}) - self.weights.keys()
        told = {"change": words, "moved": len(batch.moves), "minimum": batch.minimum}
        self.batches.append(told)
        return told

    def take(self, event: object) -> dict[str, Any]:
        """Applies one event: "up" or "down" with "servers", or "status" with "server", "cpu", "memory"."""
        match event:
            case {"event": "down", "servers": [*servers]}:
                return self.change(f"down {' '.join(map(str, servers))}", {str(s): 0 for s in self._known(servers)})
            case {"event": "up", "servers": [*servers]}:
                return self.change(f"up {' '.join(map(str, servers))}", {str(s): self._weight(str(s)) for s in servers})
            case {"event": "status", "server": str(server), "cpu": float() | int() as cpu, **rest}:
                return self._status(server, float(cpu), rest.get("memory", 0.0))
            case _:
                raise ValueError(f"no such event: {json.dumps(event)}")

    def listing(self) -> list[dict[str, Any]]:
        """One entry a server, those that are down too, in the order of their addresses."""
        return [self._entry(server) for server in sorted(self.weights.keys() | self.down, key=ipaddress.IPv4Address)]

    def _apply(self, weights: Mapping[str, int]) -> Batch:
        if self._by_log is None:
            assert self._by_set is not None
            return self._by_set.apply(weights)
        batch = self._by_log.apply(self._revision + 1, weights)
        self._revision += 1
        return batch

    def _known(self, servers: Sequence[object]) -> Sequence[object]:
        if unknown := [s for s in servers if s not in self.weights.keys() | self.down]:
            raise ValueError(f"not one of the servers: {unknown[0]!r}")
        return servers

    def _weight(self, server: str) -> int:
        """What a server that comes up weighs: as it did, or as most do."""
        return weights_from(self.cpu, self.memory).get(server, HEAVIEST if self.cpu else 1)

    def _status(self, server: str, cpu: float, memory: object) -> dict[str, Any]:
        if server not in self.weights or not isinstance(memory, float | int):
            raise ValueError(f"status of {server!r}, which is not up, or a bad memory: {memory!r}")
        told = {s: 0.0 for s in self.weights} | self.cpu | {server: cpu}
        held = self.memory | {server: float(memory)}
        before = self.weights if self.cpu else dict.fromkeys(self.weights, HEAVIEST)
        weights = weights_from(told, held, before)
        batch = self.change(f"status {server}", {s: weights[s] for s in self.weights})
        self.cpu[server], self.memory[server] = cpu, float(memory)
        return batch

    def _entry(self, server: str) -> dict[str, Any]:
        up = server in self.weights
        return {
            "server": server,
            "id": self._ids().get(server, -1),
            "status": "up" if up else "down",
            "cpu": self.cpu.get(server),
            "memory": self.memory.get(server),
            "weight": self.weights.get(server, 0),
            "objects": self._count(server) if up else 0,
        }

    def _count(self, server: str) -> int:
        if self._by_log is not None:
            return len(self._by_log.owned(server))
        assert self._by_set is not None
        return len(self._by_set.placed[server])

    def _ids(self) -> dict[str, int]:
        if self._by_log is not None:
            ids = ((self._by_log.server(i), i) for i in range(MAX_SERVERS))
            return {server: i for server, i in ids if server}
        return {server: i for i, server in enumerate(sorted(self.weights, key=ipaddress.IPv4Address))}


def add_flags(parser: Parser) -> None:
    add = parser.add_argument
    add("--servers", type=servers, required=True, metavar="N|IP,...", help="how many, from 10.1.0.1 on, or which")
    add("--objects", type=whole(1, MAX_OBJECTS), default=MAX_OBJECTS, metavar="N", help="(%(default)s)")
    add("--down", type=ipv4, nargs="+", default=[], metavar="IP", help="then these fail, all at once")
    add("--up", type=ipv4, nargs="+", default=[], metavar="IP", help="then these come back, or new, all at once")
    add("--weights", type=weight, nargs="+", default=[], metavar="IP=W", help="1..64 for some, 1 for the others")
    add("--kind", choices=set_kinds(), default=set_kinds()[0], help="of placing by the set alone (%(default)s)")
    add("--log", action="store_true", help="place by the log of these batches instead: no needless move")
    add("--events", metavar="-|SOCKET", help="then JSON lines from stdin, or from who connects to a unix socket")
    add("--plot", metavar="FILE.png", help="a picture of who owns how many, and of the moves")
    add("--json", action="store_true", help="JSON instead of text: a line for each event, and the whole at the end")


def run(args: argparse.Namespace) -> int:
    board = Board(args.objects, None if args.log else args.kind)
    told = dict(args.weights)
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
    refused = follow(board, args.events, args.json) if args.events else 0
    print(json.dumps(document(board)) if args.json else text(board))
    if args.plot:
        plot(board, args.plot)
    return 1 if refused else 0


def follow(board: Board, source: str, as_json: bool) -> int:
    """Applies each event as it comes; one that makes no sense is refused in one line. Returns how many were."""
    refused = 0
    with opened(source) as lines:
        for line in lines:
            try:
                told = board.take(json.loads(line))
            except ValueError as error:
                refused += 1
                print(f"lbsuite place: {error}", file=sys.stderr, flush=True)
            else:
                print(json.dumps(told) if as_json else moved(told), flush=True)
    return refused


@contextlib.contextmanager
def opened(source: str) -> Iterator[TextIO]:
    """Lines of stdin, or of the first that connects to a unix socket made at `source`."""
    if source == "-":
        yield sys.stdin
        return
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(source)
        listener.listen(1)
        print(f"ready place {source}", flush=True)
        connection, _ = listener.accept()
        with connection, connection.makefile("r", encoding="utf-8") as lines:
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
    return {"objects": board.objects, "servers": board.listing(), "batches": board.batches}


def plot(board: Board, path: str) -> None:
    """Draws the listing; needs matplotlib (lbsuite[notebooks])."""
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
    named = [_valid(part) for part in value.split(",")]
    if twice := [server for server in named if named.count(server) > 1]:
        raise ValueError(f"a server twice: {twice[0]}")
    return named


@checked
def ipv4(value: str) -> str:
    return _valid(value)


@checked
def weight(value: str) -> tuple[str, int]:
    server, _, number = value.partition("=")
    if not number.isdecimal() or not number.isascii() or not 1 <= int(number) <= HEAVIEST:
        raise ValueError(f"not IP=WEIGHT with a weight in 1..{HEAVIEST}: {value!r}")
    return _valid(server), int(number)


def _valid(server: str) -> str:
    try:
        return str(ipaddress.IPv4Address(server))
    except ValueError:
        raise ValueError(f"not an IPv4 address: {server!r}") from None
