"""`--stage`: what protects a service."""

import argparse
from collections.abc import Callable, Sequence

from lbsuite.cli.arguments import Parser, checked

NONE = "none"


def add_flag(parser: Parser, defaults: Sequence[str], hosted: Sequence[str], check: Callable[[str], object]) -> None:
    """hosted: the names of those that the host can run. check: raises ValueError for a spec that it cannot."""

    def stage(text: str) -> str:
        if text != NONE:
            check(text)
        return text

    parser.add_argument(
        "--stage",
        type=checked(stage),
        action="append",
        dest="stages",
        metavar="S",
        help=f"{NONE}, {', '.join(hosted)}; NAME:KEY=VALUE,..., again for each ({' and '.join(defaults)})",
    )


def chosen(args: argparse.Namespace, defaults: Sequence[str]) -> tuple[str, ...]:
    """What `--stage` asks for; ends the process where it contradicts itself."""
    told = tuple(args.stages or defaults)
    named = [spec.split(":", 1)[0] for spec in told]
    if len(set(named)) < len(named) or (NONE in told and len(told) > 1):
        args.refuse(f"--stage is told twice, or beside {NONE}: {' '.join(told)}")
    return () if told == (NONE,) else told
