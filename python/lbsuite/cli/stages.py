"""`--stage`: what protects a service."""

import argparse
from collections.abc import Sequence

from lbsuite import _core
from lbsuite.cli.arguments import Parser, checked

NONE = "none"


def add_flag(parser: Parser, defaults: Sequence[str]) -> None:
    parser.add_argument(
        "--stage",
        type=_stage,
        action="append",
        dest="stages",
        metavar="S",
        help=f"{NONE}, {', '.join(_core.stages())}; NAME:KEY=VALUE,..., again for each ({' and '.join(defaults)})",
    )


@checked
def _stage(text: str) -> str:
    """A stage; `none` for none at all."""
    if text != NONE:
        _core.parse_stage(text)
    return text


def chosen(args: argparse.Namespace, defaults: Sequence[str]) -> tuple[str, ...]:
    """What `--stage` asks for; ends the process where it contradicts itself."""
    told = tuple(args.stages or defaults)
    named = [spec.split(":", 1)[0] for spec in told]
    if len(set(named)) < len(named) or (NONE in told and len(told) > 1):
        args.refuse(f"--stage is told twice, or beside {NONE}: {' '.join(told)}")
    return () if told == (NONE,) else told
