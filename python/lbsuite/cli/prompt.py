"""Asks on a terminal which policy to run, where `--policy` was not given."""

import sys
from typing import TextIO

from lbsuite import _core
from lbsuite.wire.balancer import DEFAULT_POLICY
from lbsuite.wire.hosting import check_policy, hosted_policies


def choose(policy: str | None, fixed: bool) -> tuple[str, bool]:
    """The policy to run, and whether requests may not choose another.

    What is asked for at a terminal is fixed for the run. Where there is none, nobody is asked and the default runs.
    End of input or Ctrl-C ends the process with status 0: nothing has been started.
    """
    screen = next((stream for stream in (sys.stderr, sys.stdout) if stream.isatty()), None)
    if policy is not None or not sys.stdin.isatty() or screen is None:
        return policy or DEFAULT_POLICY, fixed
    try:
        return _ask(screen, DEFAULT_POLICY), True
    except (EOFError, KeyboardInterrupt):
        print(file=screen)
        raise SystemExit(0) from None


def _ask(screen: TextIO, default: str) -> str:
    names = hosted_policies()
    usual = names.index(default.partition(":")[0]) + 1
    print("Which policy should run? It stays for the whole run.", file=screen)
    for number, name in enumerate(names, 1):
        print(f"  {number}  {name}", file=screen)
    while True:
        print(f"Policy [{usual}]: ", end="", file=screen, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        answer = line.strip()
        if not answer or answer == str(usual):
            return default
        if answer.isascii() and answer.isdecimal() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        try:
            check_policy(answer)
            return str(_core.parse_policy(answer))
        except ValueError as error:
            print(error, file=screen)
