"""What the commands that run until a signal share: logs on stderr, the ready line, and how they end."""

import argparse
import asyncio
import gc
import logging
import signal

from lbsuite.cli.arguments import Parser

LEVELS = ("debug", "info", "warning", "error")


def add_flags(parser: Parser) -> None:
    parser.add_argument("--log-level", choices=LEVELS, default="info", help="what is logged on stderr (%(default)s)")


def set_up(args: argparse.Namespace) -> None:
    """Logs to stderr from `--log-level` on."""
    logging.basicConfig(level=args.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def ready(kind: str, address: str) -> None:
    """The line on stdout that scripts wait for."""
    # What there is by now stays: the collector, which would walk all of it in the middle of the work, leaves it alone.
    gc.collect()
    gc.freeze()
    print(f"ready {kind} {address}", flush=True)


def stop_event() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT; the second of the same kind kills the process.

    A Ctrl-C reaches every process of a terminal, and a parent sends its children SIGTERM on top: that is one order.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, number)
    return stop
