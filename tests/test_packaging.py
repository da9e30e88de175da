"""What `pip` gets: a source archive that builds, and a wheel with the module, its types and its schemas and no C++."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "lbsuite"


def build(kind: str, source: Path, folder: Path) -> Path:
    """Calls the build back-end as pip does, with the build requirements that are installed here."""
    program = f"import sys; from scikit_build_core.build import build_{kind}; build_{kind}(sys.argv[1])"
    words = [sys.executable, "-c", program, str(folder)]
    ended = subprocess.run(words, cwd=source, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (archive,) = folder.iterdir()
    return archive


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


def test_the_source_archive_has_every_file_of_the_project(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    folders = [ROOT / each for each in ("python", "cpp", "cmake", "tests", "tools", "notebooks", "examples")]
    made = {"__pycache__", ".ipynb_checkpoints"}
    wanted = {path.relative_to(ROOT) for folder in folders for path in folder.rglob("*") if path.is_file()}
    wanted = {path for path in wanted if not made & set(path.parts) and path.suffix != ".so"}
    assert len(wanted) > 50
    assert not {str(path) for path in wanted} - packed
    assert {"pyproject.toml", "CMakeLists.txt", "CMakePresets.json", "Makefile", "README.md", ".ci/run"} <= packed


@pytest.mark.slow
def test_the_wheel_built_from_it_has_what_runs_and_no_more(sdist: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xf", str(sdist), "-C", str(tmp_path)], check=True, timeout=60)
    (source,) = tmp_path.iterdir()
    (tmp_path / "wheel").mkdir()
    packed = zipfile.ZipFile(build("wheel", source, tmp_path / "wheel")).namelist()
    kinds = {Path(name).suffix for name in packed if name.startswith("lbsuite/")}
    assert kinds == {".py", ".pyi", ".so", ".binpb", ".typed"}
    sources = {str(path.relative_to(PACKAGE.parent)) for path in PACKAGE.rglob("*.py")}
    assert not sources - set(packed)
    assert {"lbsuite/_core.pyi", "lbsuite/py.typed", "lbsuite/wire/lbsuite.binpb"} <= set(packed)
