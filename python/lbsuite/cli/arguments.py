"""The parser all commands share, and the kinds of values that flags take.

A flag may be written as Go programs write it too (`-clients=10`). A bad value ends the command with one line and
exit status 2; nothing is started before every flag has been read.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from lbsuite import _core, addresses, names

DEFAULT_LB = "127.0.0.1:50050"


class Parser(argparse.ArgumentParser):
    """argparse with one-line errors, whole flag names only, and `-flag=value` read as `--flag=value`.

    `args.refuse(line)` ends the process as a bad flag does, for flags that do not fit together.
    """

    def __init__(self, prog: str, description: str, epilog: str = "", commands: dict[str, str] | None = None) -> None:
        table = "".join(f"\n  {name:9} {line}" for name, line in (commands or {}).items())
        super().__init__(
            prog=prog,
            usage=f"{prog} [flags]",
            description=description + table,
            epilog=epilog,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.set_defaults(refuse=self.error)

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """The flags among `words`; ends the process with one line and status 2 where they are wrong."""
        return self.parse_args([self._two_dashes(word) for word in words])

    def _two_dashes(self, word: str) -> str:
        flag = word.split("=", 1)[0]
        single = len(flag) > 2 and flag[0] == "-" and flag[1].isalpha()
        return f"-{word}" if single and f"-{flag}" in self._option_string_actions else word

    def error(self, message: str) -> NoReturn:
        line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in message.removeprefix("argument "))
        self.exit(2, f"{self.prog}: {line}\n")


def checked(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Makes a parser that raises ValueError fit for a flag: its message is what the user reads."""

    def convert(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def whole(least: int, most: int = 2**31 - 1) -> Callable[[str], int]:
    """A whole number in least..most."""

    def parse(text: str) -> int:
        if not text.removeprefix("-").isdecimal() or not text.isascii() or not least <= int(text) <= most:
            raise ValueError(f"not a whole number in {least}..{most}: {text!r}")
        return int(text)

    return checked(parse)


def positive(most: float = 1e9, *, zero: bool = False) -> Callable[[str], float]:
    """A number above zero (or zero, where `zero`), `most` at most."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (0 < value <= most or (zero and value == 0)):
            raise ValueError(f"not a number {'of at least' if zero else 'above'} 0 and at most {most:g}: {text!r}")
        return value

    return checked(parse)


@checked
def listen_address(text: str) -> str:
    """HOST:PORT to listen on; port 0 takes a free one. `0.0.0.0` and `[::]` are addresses to listen on too."""
    addresses.parse(text, listening=True)
    return text


@checked
def address(text: str) -> str:
    """HOST:PORT of a server."""
    return addresses.valid(text)


@checked
def address_list(text: str) -> tuple[str, ...]:
    """HOST:PORT,HOST:PORT,..."""
    return tuple(addresses.valid(part) for part in text.split(","))


@checked
def policy(text: str) -> str:
    """A policy's name, or `name:key=value,...`."""
    _core.parse_policy(text)
    return text


def add_service(parser: Parser, words: str = "") -> None:
    """`--service`, of those who join or ask for one."""
    words = f"{words} (%(default)s)".lstrip()
    parser.add_argument("--service", type=checked(names.service), default="default", metavar="S", help=words)


def check_advertised(args: argparse.Namespace) -> None:
    """Ends the process where callers would be told an address that nobody can dial."""
    if not args.advertise and addresses.unspecified(args.listen):
        args.refuse(f"--advertise is needed with --listen {args.listen}: what should callers dial?")
