"""Builds the programs in C++ and Go that the benchmarks run, optimised as the module is, and reads what they print."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "cpp-bench"
# cmake and ninja may be installed beside this Python and nowhere else.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def build(target: str) -> Path:
    """The program of `tests/bench/<target>.cpp`. Raises CalledProcessError, once what was said is shown."""
    if not (BUILD / "build.ninja").exists():
        _run(["cmake", "--preset", "bench"], ROOT)
    _run(["cmake", "--build", "--preset", "bench", "--target", target], ROOT)
    return BUILD / "tests" / "bench" / target


def build_go(name: str) -> Path | None:
    """The program of `tests/bench/peers/<name>`, or None where Go is not."""
    if shutil.which("go") is None:
        return None
    program = BUILD / name
    _run(["go", "build", "-o", str(program), "."], HERE / "peers" / name)
    return program


def build_rust(name: str) -> Path | None:
    """The program of `tests/bench/peers/<name>`, or None where cargo is not, or cannot fetch what it needs."""
    if shutil.which("cargo") is None:
        return None
    folder = BUILD / name
    words = ["cargo", "build", "--release", "--quiet", "--target-dir", str(folder)]
    if subprocess.run(words, cwd=HERE / "peers" / name, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return None
    return folder / "release" / name


def build_c(name: str) -> Path:
    """The program of `tests/bench/peers/<name>.c`."""
    program = BUILD / name
    program.parent.mkdir(parents=True, exist_ok=True)
    _run([os.environ.get("CC", "cc"), "-O2", "-Wall", "-Wextra", f"peers/{name}.c", "-o", str(program)], HERE)
    return program


def extension(name: str) -> ModuleType:
    """The Python module of `tests/bench/peers/<name>.cpp`, built for this Python."""
    built = BUILD / f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}"
    built.parent.mkdir(parents=True, exist_ok=True)
    include = sysconfig.get_path("include")
    flags = ["-O2", "-fPIC", "-shared", f"-I{include}"]
    if sys.platform == "darwin":
        flags += ["-undefined", "dynamic_lookup"]
    _run([os.environ.get("CXX", "c++"), *flags, f"peers/{name}.cpp", "-o", str(built)], HERE)
    spec = importlib.util.spec_from_file_location(name, built)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def figures(program: Path, *words: str) -> Mapping[str, float]:
    """What the program measures, from its lines of a name and a number, in their order."""
    shown = subprocess.run([program, *words], stdout=subprocess.PIPE, text=True, timeout=600, check=True).stdout
    pairs = (line.rsplit(maxsplit=1) for line in shown.splitlines())
    return {name: float(number) for name, number in pairs}


def _run(words: list[str], folder: Path) -> None:
    environment = os.environ | {"PATH": PATH}
    ended = subprocess.run(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if ended.returncode != 0:
        print(ended.stdout, file=sys.stderr)
        ended.check_returncode()
