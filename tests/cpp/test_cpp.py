"""Builds the C++ tests in `build/cpp-tests` and runs each program; what it prints is shown where it fails."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.corpus_heads import CASES

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "cpp-tests"
PROGRAMS = sorted(source.stem for source in Path(__file__).parent.glob("*_test.cpp"))


# cmake and ninja may be installed beside this Python and nowhere else.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def run(*words: str, deadline_s: float) -> str:
    ended = subprocess.run(
        words,
        cwd=ROOT,
        env=os.environ | {"PATH": PATH},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=deadline_s,
        check=False,
    )
    if ended.returncode != 0:
        pytest.fail(f"{' '.join(words)} ended with {ended.returncode}\n{ended.stdout}", pytrace=False)
    return ended.stdout


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder with the test programs, as new as their sources."""
    run("cmake", "--preset", "tests", deadline_s=120)
    run("cmake", "--build", "--preset", "tests", deadline_s=600)
    return BUILD / "tests" / "cpp"


def test_there_are_cpp_tests() -> None:
    assert PROGRAMS


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_cpp_tests_pass(programs: Path, program: str) -> None:
    shown = run(str(programs / program), "--gtest_brief=1", deadline_s=120)
    passed = re.search(r"\[  PASSED  \] (\d+) test", shown)
    assert passed is not None, shown
    assert int(passed[1]) > 0, f"no test ran:\n{shown}"


def test_every_request_of_the_corpus_means_the_same_in_every_piece(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, case in enumerate(CASES):
        (tmp_path / str(number)).write_bytes(case.sent)
    monkeypatch.setenv("LBSUITE_HTTP1_CORPUS", str(tmp_path))
    shown = run(str(programs / "http1_test"), "--gtest_filter=Path.TheCorpusInEveryPiece", deadline_s=120)
    assert "[  PASSED  ] 1 test" in shown, shown


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_picks_without_a_lock_ask_nothing_of_the_kernel(programs: Path, tmp_path: Path) -> None:
    if subprocess.run(["strace", "-o", os.devnull, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        pytest.skip("strace may not trace here")
    trace = tmp_path / "trace"
    said = run("strace", "-f", "-o", str(trace), str(programs / "lock_free_picks"), deadline_s=120).splitlines()
    policies = [line.removeprefix("begin ") for line in said if line.startswith("begin ")]
    assert {"round_robin", "random", "two_choices"} <= set(policies)
    calls = trace.read_text()
    for policy in policies:
        between = re.search(rf'"begin {policy}\\n".*?\n(.*?)[^\n]*"end {policy}\\n"', calls, re.DOTALL)
        assert between is not None, policy
        assert between[1] == "", f"{policy}: {between[1]}"
