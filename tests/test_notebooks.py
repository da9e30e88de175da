"""Every notebook runs from top to bottom, on the Python that runs the tests and on no other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ipykernel.kernelspec import write_kernel_spec

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))
CELL_S, RUN_S = 100, 150

# What a user has set for their own sessions is not for ours.
FOREIGN = ("JUPYTER", "IPYTHON", "PYTEST", "MPLBACKEND")


def run(notebook: Path, jupyter: Path) -> subprocess.CompletedProcess[str]:
    """Runs a notebook with nbmake, in a process of its own: what warns in Jupyter is no error here.

    jupyter: an empty directory, where Jupyter finds the one kernel that is ours before any that the machine has.
    """
    write_kernel_spec(str(jupyter / "kernels" / "python3"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    # TMPDIR: a kernel whose notebook failed is killed, and leaves there what it had no time to remove.
    environment |= dict.fromkeys(("JUPYTER_PATH", "JUPYTER_CONFIG_DIR", "IPYTHONDIR", "TMPDIR"), str(jupyter))
    nbmake = (sys.executable, "-m", "pytest", "--nbmake", f"--nbmake-timeout={CELL_S}", "--color=no")
    nowhere = ("-c", os.devnull, "--rootdir", str(jupyter), "-p", "no:cacheprovider")
    return subprocess.run(
        [*nbmake, *nowhere, str(notebook)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_S,
        check=False,
    )


def write(path: Path, *cells: str) -> Path:
    code: dict[str, object] = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    content = [{**code, "source": cell} for cell in cells]
    path.write_text(json.dumps({"cells": content, "metadata": kernel, "nbformat": 4, "nbformat_minor": 4}))
    return path


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(notebook: Path, tmp_path: Path) -> None:
    ended = run(notebook, tmp_path)
    if ended.returncode != 0:
        pytest.fail(f"{notebook.name} ended with {ended.returncode}\n{ended.stdout}", pytrace=False)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(notebook: Path) -> None:
    cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    assert cells
    assert not [cell["source"] for cell in cells if cell["outputs"] or cell["execution_count"] is not None]


def test_a_notebook_gets_the_python_of_the_tests(tmp_path: Path) -> None:
    same = f"import sys; assert sys.prefix == {sys.prefix!r}, sys.prefix"
    ended = run(write(tmp_path / "which.ipynb", same), tmp_path)
    assert ended.returncode == 0, ended.stdout


def test_a_notebook_whose_cell_fails_is_said_to_fail(tmp_path: Path) -> None:
    ended = run(write(tmp_path / "fails.ipynb", "fine = 1", "1 / 0"), tmp_path)
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stdout
