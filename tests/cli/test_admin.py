"""`--admin` of `lb` and `servers` as its user sees it."""

import json
import re
import subprocess
import sys
import urllib.request

import pytest

DEADLINE_S = 30.0


def started(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (sys.executable, "-m", "lbsuite", *words, "--listen", "127.0.0.1:0", "--no-etcd", "--policy", "random"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def admin_of(running: subprocess.Popen[str], kind: str) -> str:
    assert running.stdout is not None
    first, second = running.stdout.readline(), running.stdout.readline()
    assert re.fullmatch(rf"ready {kind} 127\.0\.0\.1:\d+\n", first)
    told = re.fullmatch(r"ready admin (127\.0\.0\.1:\d+)\n", second)
    assert told, second
    return told[1]


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=DEADLINE_S) as answer:
        text: str = answer.read().decode()
    return text


@pytest.mark.parametrize(("words", "endpoints"), [(("lb",), 0), (("servers", "-n", "2"), 2)])
def test_it_is_told_on_the_second_line_and_ends_with_the_rest(words: tuple[str, ...], endpoints: int) -> None:
    with started(*words, "--admin", "127.0.0.1:0") as running:
        try:
            admin = admin_of(running, words[0])
            assert read(f"http://{admin}/healthz") == "serving\n"
            assert len(json.loads(read(f"http://{admin}/api/state"))["services"]["default"]["endpoints"]) == endpoints
            assert "lbsuite_build_info" in read(f"http://{admin}/metrics")
            running.terminate()
            assert "Traceback" not in running.communicate(timeout=DEADLINE_S)[1]
            assert running.returncode == 0
        finally:
            running.kill()


def test_a_taken_port_is_one_clear_line_as_for_listen() -> None:
    with started("lb", "--admin", "127.0.0.1:0") as first:
        try:
            admin = admin_of(first, "lb")
            for words in (("lb",), ("servers", "-n", "1")):
                with started(*words, "--admin", admin) as second:
                    told, said = second.communicate(timeout=DEADLINE_S)
                assert (second.returncode, told) == (1, "")
                (own,) = [line for line in said.splitlines() if line.startswith(f"lbsuite {words[0]}: ")]
                assert f"cannot listen on {admin}" in own
                assert "Traceback" not in said
        finally:
            first.kill()
