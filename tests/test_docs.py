"""What README says can be run, runs."""

import importlib
import re
import shlex
from pathlib import Path

import pytest

from lbsuite.cli import COMMANDS
from lbsuite.cli.arguments import Parser

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
EXAMPLES = sorted(set(re.findall(r"`(python -m lbsuite [^`]+)`", README)) - {"python -m lbsuite COMMAND --help"})


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_command_line_is_one_that_its_command_takes(example: str) -> None:
    command, *flags = shlex.split(example)[3:]
    module = importlib.import_module(f"lbsuite.cli.{'drain' if command == 'undrain' else command}")
    parser = Parser(prog=command, description="")
    module.add_flags(parser)
    parser.read(flags)


def test_every_command_has_a_line() -> None:
    assert [command for command in COMMANDS if f"`{command}`" not in README] == []


def test_every_target_it_names_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?:`|^    )make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "test"} <= targets
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_every_python_block_runs(block: str) -> None:
    exec(compile(block, "README.md", "exec"), {})
