"""The codebase is a test: what it promises about itself is checked like any other promise."""

import ast
import importlib
import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import lbsuite
from lbsuite import _core

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "lbsuite"
GENERATED = {
    PACKAGE / "wire" / "messages.pyi",
    PACKAGE / "wire" / "orca_messages.pyi",
    PACKAGE / "registry" / "etcd_messages.pyi",
}

# A module imports from the floors below its own, and from its own room.
FLOORS = [
    {"__main__"},
    {"cli"},
    {"demo", "experiment", "admin", "round_robins", "channels", "xds"},
    {"wire", "proxy", "sim", "fleet", "placement"},
    {"registry"},
    {"events", "effects", "event_log", "settings", "results", "descriptors"},
    {"addresses", "arrivals", "background", "backoff", "errors", "names", "retry_budget"},
    {"_core"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# What the headers and sources of a C++ room may include, beside its own.
DOORS: dict[str, set[str]] = {
    "bits": set(),
    "compute": {"bits"},
    "roster": {"bits"},
    "placer": {"bits"},
    "policy": {"bits"},
    "stage": {"roster", "policy", "bits"},
    "engine": {"stage", "roster", "policy", "bits"},
    "sim": {"engine", "stage", "roster", "policy", "bits"},
    "net": {"engine", "stage", "roster", "policy", "bits", "compute"},
    "bind": {"bits", "compute", "roster", "placer", "policy", "stage", "engine", "sim", "net"},
}
PURE = ("cpp/bits", "cpp/roster", "cpp/policy", "cpp/placer", "cpp/stage", "cpp/engine", "cpp/sim")
CLOCK_SOCKET_ENTROPY = re.compile(
    r"<chrono>|std::chrono|<ctime>|clock_gettime|gettimeofday|absl::Now|absl::Time|<sys/socket|<netinet|<random>"
    r"|random_device|getrandom|absl/random|BitGen|\brand\("
)
VAGUE = {"utils", "util", "misc", "common", "manager", "base", "helpers", "helper", "stuff", "lib"}


def sources(
    *patterns: str, under: tuple[str, ...] = ("python", "cpp", "tests", "tools", "cmake", "examples")
) -> list[Path]:
    found = [path for folder in under for pattern in patterns for path in sorted((ROOT / folder).rglob(pattern))]
    return [path for path in found if path.is_file() and path not in GENERATED]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def room(path: Path) -> str:
    """The part of the package that a module belongs to: `wire`, `events`, ...; `` for the package itself."""
    first = path.relative_to(PACKAGE).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def imported_rooms(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}:{node.lineno}: a relative import"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "lbsuite" else [module]
        yield from (words[1] for words in (full.split(".") for full in names) if words[0] == "lbsuite" and words[1:])


def ends_well(*words: str) -> None:
    ended = subprocess.run(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240, check=False
    )
    if ended.returncode != 0:
        pytest.fail(f"{' '.join(words)} ended with {ended.returncode}\n{ended.stdout}", pytrace=False)


def modules() -> list[str]:
    found = pkgutil.walk_packages(lbsuite.__path__, "lbsuite.")
    return ["lbsuite", *(each.name for each in found if each.name != "lbsuite.__main__")]


# One-way doors


@pytest.mark.parametrize("path", sources("*.py", under=("python",)), ids=name)
def test_python_imports_go_one_way(path: Path) -> None:
    own = room(path)
    for other in imported_rooms(path):
        assert own == "" or own in FLOOR, f"{own} has no floor yet"
        assert other in FLOOR, f"{name(path)} imports {other}, which has no floor; inside the package name the room"
        assert other != "cli" or own in ("cli", "__main__"), f"{name(path)} imports the command line"
        assert own in ("", other) or FLOOR[own] < FLOOR[other], f"{name(path)} imports {other}, which is not below it"


@pytest.mark.parametrize("path", sources("*.hpp", "*.cpp", under=("cpp",)), ids=name)
def test_cpp_includes_go_one_way(path: Path) -> None:
    own = path.relative_to(ROOT / "cpp").parts[0]
    for line in path.read_text().splitlines():
        if quoted := re.match(r'\s*#\s*include\s+"([^"]+)"', line):
            other = quoted[1].split("/")[0]
            assert other in DOORS[own] | {own, "absl"}, f"{own} includes {quoted[1]}"
        assert own == "bind" or not re.search(r"pybind11|Python\.h", line), "only bind knows Python"


@pytest.mark.parametrize("path", sources("*.hpp", "*.cpp", under=PURE), ids=name)
def test_the_core_reads_no_clock_opens_no_socket_and_draws_no_entropy(path: Path) -> None:
    code = re.sub(r"//.*", "", path.read_text())
    assert not (found := CLOCK_SOCKET_ENTROPY.search(code)), found


# Shape


def test_files_stay_under_300_lines() -> None:
    # A stub is a list of what one binary has: as long as that.
    paths = sources("*.py", "*.cpp", "*.hpp", "*.proto", "*.cmake", "*.sh")
    assert len(paths) > 20
    assert not {name(path): lines for path in paths if (lines := len(path.read_text().splitlines())) > 300}


def test_function_bodies_stay_within_30_lines() -> None:
    functions = [
        (f"{name(path)}:{node.name}", (node.body[-1].end_lineno or 0) - node.body[0].lineno + 1)
        for path in sources("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert functions
    assert not [each for each in functions if each[1] > 30]


# As clang-format leaves them: the brace that opens a body ends a line, and the one that closes it begins one.
CPP_BODY = re.compile(
    r"^( *)(?!if|for|while|switch|do|else|return|:|\}|class|struct|enum|namespace)\S[^\n]*\)[^\n;]* \{\n(.*?)^\1\}",
    re.M | re.S,
)


def test_cpp_function_bodies_stay_within_30_lines() -> None:
    functions = [
        (f"{name(path)}: {body[0].splitlines()[0].strip()}", body[2].count("\n"))
        for path in sources("*.cpp", "*.hpp")
        for body in CPP_BODY.finditer(path.read_text())
    ]
    assert len(functions) > 300
    assert not [each for each in functions if each[1] > 30]


def test_no_file_has_a_vague_name() -> None:
    assert not [name(path) for path in sources("*") if VAGUE & {part.lower() for part in (*path.parts, path.stem)}]


def test_the_package_says_what_is_public() -> None:
    assert lbsuite.__all__


@pytest.mark.parametrize("module", modules())
def test_what_a_module_exports_exists(module: str) -> None:
    exported = getattr(importlib.import_module(module), "__all__", [])
    assert len(set(exported)) == len(exported)
    assert not [each for each in exported if not hasattr(importlib.import_module(module), each)]


HEAVY = {"numpy", "pandas", "rich", "matplotlib", "aiohttp", "prometheus_client", "envoy", "kubernetes_asyncio"}


@pytest.mark.parametrize("command", ["backend", "lb"])
def test_a_process_that_serves_starts_lean(command: str) -> None:
    program = (
        "import sys, lbsuite.cli, lbsuite.wire.backend, lbsuite.wire.door\n"
        f"try: lbsuite.cli.main(['{command}', '--help'])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"import json; print(json.dumps(sorted({HEAVY} & set(sys.modules))))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(shown.stdout.splitlines()[-1]) == []


# Types, style, generated files, versions


def test_the_stub_of_the_core_matches_the_binary() -> None:
    allowed = str(ROOT / "tests" / "stubtest_allowed.txt")
    ends_well(sys.executable, "-m", "mypy.stubtest", "lbsuite._core", "--allowlist", allowed)


def test_the_stub_has_every_bound_name_and_no_other() -> None:
    top = ast.parse((PACKAGE / "_core.pyi").read_text()).body
    typed = {each.name for each in top if isinstance(each, ast.ClassDef | ast.FunctionDef)}
    assert typed == {each for each in vars(_core) if not each.startswith("_")}


def test_types_are_strict() -> None:
    ends_well(sys.executable, "-m", "mypy", "-p", "lbsuite")


def test_python_is_linted_and_formatted() -> None:
    ends_well(sys.executable, "-m", "ruff", "check", "python", "tests", "tools", "notebooks", "examples")
    ends_well(sys.executable, "-m", "ruff", "format", "--check", "python", "tests", "tools", "notebooks", "examples")


def test_cpp_is_formatted() -> None:
    paths = sources("*.cpp", "*.hpp")
    assert paths
    ends_well(str(Path(sys.executable).parent / "clang-format"), "--dry-run", "--Werror", *map(str, paths))


def test_generated_files_are_fresh() -> None:
    ends_well(sys.executable, "tools/schema.py", "--check")


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (newest, *_) = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert project["version"] == _core.__version__ == newest


def test_run_time_requirements_are_ranges() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {"schema", "dev"}
    extras = [each for name, extra in project["optional-dependencies"].items() if name not in pinned for each in extra]
    assert not [each for each in project["dependencies"] + extras if "==" in each or ">=" not in each]
