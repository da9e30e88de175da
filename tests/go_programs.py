"""Builds a program in Go, once for each version of its sources."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

BUILD = Path(__file__).resolve().parents[1] / "build" / "go"
DOWNLOAD_AND_BUILD_S = 400


def go_program(folder: Path) -> Path:
    """The program of the module in `folder`; skips the test where Go, or what the module needs, cannot be had."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        pytest.skip("no Go to build a program with")
    sources = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    program = BUILD / f"{folder.name}-{hashlib.sha256(sources).hexdigest()[:16]}"
    if not program.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        fresh = program.with_suffix(f".{os.getpid()}")
        words = [go, "build", "-o", str(fresh), "."]
        try:
            subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=DOWNLOAD_AND_BUILD_S, check=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            if isinstance(error, subprocess.CalledProcessError) and "proxy.golang.org" not in error.stderr:
                raise AssertionError(error.stderr) from None
            pytest.skip(f"what {folder.name} needs cannot be fetched: {error}")
        fresh.rename(program)
    return program
