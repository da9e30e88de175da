"""The command line: `python -m lbsuite COMMAND`. One module a command, each with `add_flags(parser)` and `run(args)`.

Exit status: 0 fine, 1 tasks lost or something failed, 2 usage, 3 unreachable. Bad input is one line on stderr, before
anything is started. A command's module is imported when it is the one asked for, so a backend starts lean.
"""

import importlib
import os
import signal
import sys
from collections.abc import Sequence

from lbsuite.cli.arguments import Parser
from lbsuite.errors import LbsuiteError, Unreachable

COMMANDS = {
    "servers": "start a balancer and backends here, with etcd, and show them live",
    "lb": "run one balancer",
    "backend": "run one backend",
    "proxy": "run an HTTP/1.1 reverse proxy",
    "dummy": "run HTTP backends that answer at once and say who they are",
    "client": "send tasks to a fleet and measure",
    "status": "show what a balancer knows of its endpoints",
    "explain": "say whom a balancer would pick now, or has picked, and why",
    "drain": "have a balancer stop picking an endpoint; its tasks finish",
    "undrain": "let a balancer pick a drained endpoint again",
    "stress": "load an HTTP server, and show how it is spread over the servers behind",
    "bootstrap": "print what gRPC clients or Envoy need to follow a balancer over xDS",
    "place": "show which server owns which object, and what a failure moves",
}

INTERRUPTED = 128 + signal.SIGINT
"""Ctrl-C, where the command had nothing to bring to an end first: what shells call that end too."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = Parser(prog="lbsuite", description="Balance work over a fleet. Commands:", commands=COMMANDS)
    if not words or words[0].startswith("-"):
        parser.read(words or ["--help"])
        return 0
    if words[0] not in COMMANDS:
        parser.error(f"no command {words[0]!r}; there are: {', '.join(COMMANDS)}")
    # gRPC's core reads these when it is imported: it would add lines of its own to those that tell what fails, and
    # its event engine hands each call through several threads, a quarter of a call's CPU on a busy machine.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_client,-event_engine_listener")
    try:
        return _run(words[0], words[1:])
    except LbsuiteError as error:
        print(f"lbsuite {words[0]}: {error}", file=sys.stderr)
        return 3 if isinstance(error, Unreachable) else 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(name: str, flags: Sequence[str]) -> int:
    command = importlib.import_module(f"lbsuite.cli.{'drain' if name == 'undrain' else name}")
    parser = Parser(prog=f"lbsuite {name}", description=COMMANDS[name], epilog=command.EXAMPLE)
    command.add_flags(parser)
    status: int = command.run(parser.read(flags))
    return status
