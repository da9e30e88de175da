"""DESIGN.md shows how a policy is added. Here somebody does what it says, in a copy, and sees the policy pick."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTION = "## A policy of your own in C++: a worked example"
PICKS, SEED = 400, 7
WEIGHTS = {f"127.0.0.1:{4000 + weight}": weight for weight in (1, 2, 5)}

# The parts of the core that an engine is made of.
SOURCES = ("bits/fields", "policy/policies", "roster/*", "engine/[!r]*")
LIBRARIES = ("absl_synchronization", "absl_flat_hash_map", "absl_strings")
HOST = """
#include <cstdio>
#include "engine/engine.hpp"
int main() {{
  lbsuite::EngineSettings settings;
  settings.policy = lbsuite::parse_policy("weighted_random");
  settings.seed = {seed};
  lbsuite::Engine<lbsuite::Plain> engine(settings);
  for (unsigned weight : {{1, 2, 5}})
    engine.apply(lbsuite::Joined{{"127.0.0.1:" + std::to_string(4000 + weight), weight}}, 0);
  for (int i = 0; i < {picks}; ++i)
    engine.choose({{}}, 1, 0, [](const auto* endpoint) {{ std::puts(endpoint->address.c_str()); }});
}}
"""
TWIN = """
from oracle.engine import Engine
engine = Engine("weighted_random", {seed}, "done")
for address, weight in {weights}.items():
    engine.join(address, 0.0, weight, 0, None, 0.0)
for _ in range({picks}):
    print(engine.pick(1.0))
"""


def example() -> dict[str, tuple[str, str]]:
    """What the section says: by file, the language of a block and the block."""
    text = (ROOT / "DESIGN.md").read_text().partition(SECTION)[2].partition("\n## ")[0]
    found = re.findall(r"`([\w/]+\.\w+)`[^`]*?:?\n\n```(\w+)\n(.*?)```\n", text, re.DOTALL)
    return {file: (language, block) for file, language, block in found}


def patched(text: str, diff: str) -> str:
    for hunk in diff.split("@@\n")[1:]:
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(before) == 1, f"THE LIST is no longer as DESIGN.md shows it: {before!r}"
        text = text.replace(before, after)
    return text


def follow(copy: Path) -> None:
    for folder in ("cpp", "tests/oracle", "python/lbsuite"):
        ignored = shutil.ignore_patterns("*.so", "__pycache__")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    for file, (language, block) in example().items():
        path = copy / file
        if language == "diff":
            path.write_text(patched(path.read_text(), block))
        elif path.exists():
            path.write_text(f"{path.read_text()}\n{block}")
        else:
            path.write_text(block)


def said_by(*words: str | Path, **settings: str) -> list[str]:
    environment = os.environ | settings
    ended = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, timeout=300, check=True)
    return ended.stdout.split()


def test_the_section_names_a_file_for_each_part() -> None:
    assert list(example()) == [
        "cpp/policy/weighted_random.hpp",
        "cpp/policy/policies.hpp",
        "python/lbsuite/_core.pyi",
        "tests/oracle/policies/weighted_random.py",
    ]


def test_the_list_is_as_the_section_shows_it() -> None:
    text = patched((ROOT / "cpp/policy/policies.hpp").read_text(), example()["cpp/policy/policies.hpp"][1])
    assert "WeightedRandom>;" in text


@pytest.mark.slow
def test_who_follows_the_worked_example_has_a_policy_that_picks_as_its_twin(tmp_path: Path) -> None:
    if (
        shutil.which("pkg-config") is None
        or subprocess.run(["pkg-config", "--exists", *LIBRARIES], check=False).returncode
    ):
        pytest.skip("the example is compiled by hand: that needs pkg-config and an abseil it knows")
    follow(tmp_path)
    files = sorted(path for each in SOURCES for path in (tmp_path / "cpp").glob(f"{each}.cpp"))
    whole = tmp_path / "whole.cpp"
    whole.write_text("".join(f'#include "{path}"\n' for path in files) + HOST.format(seed=SEED, picks=PICKS))
    compiler = os.environ.get("CXX", "c++")
    flags = ("-std=c++20", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wno-missing-field-initializers")
    libraries = said_by("pkg-config", "--cflags", "--libs", *LIBRARIES)
    said_by(compiler, *flags, f"-I{tmp_path / 'cpp'}", whole, "-o", tmp_path / "host", *libraries, "-lpthread")
    picks = said_by(tmp_path / "host")
    twin = TWIN.format(seed=SEED, picks=PICKS, weights=WEIGHTS)
    assert picks == said_by(sys.executable, "-c", twin, PYTHONPATH=str(tmp_path / "tests"))
    counts = Counter(picks)
    assert counts.keys() == WEIGHTS.keys()
    assert all(abs(counts[address] - PICKS * weight / 8) < 50 for address, weight in WEIGHTS.items())
