"""`explain`, asked of a running balancer."""

import json
from collections.abc import Iterator

import pytest

from cli.serving import balancer_on_its_own_loop
from lbsuite import cli
from lbsuite.wire import messages
from lbsuite.wire.balancer import Balancer, BalancerSettings

ENDPOINTS = [f"127.0.0.{i}:1" for i in range(1, 6)]


@pytest.fixture
def balancer(request: pytest.FixtureRequest) -> Iterator[str]:
    """It has picked 5 times; the last endpoint drains."""

    async def prepare(balancer: Balancer) -> None:
        for address in ENDPOINTS:
            await balancer.RegisterServer(messages.ServerInfo(address=address, limit=10), None)
        await balancer.Drain(messages.DrainRequest(address=ENDPOINTS[-1]), None)
        for attempt in range(5):
            await balancer.GetBestServer(messages.BalanceRequest(key=b"\x1b\xff", attempt=attempt), None)

    settings = BalancerSettings(policy="two_choices", sample=getattr(request, "param", 1))
    with balancer_on_its_own_loop(prepare, settings) as address:
        yield address


def explained(balancer: str, *flags: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    assert cli.main(["explain", "--lb", balancer, "--json", *flags]) == 0
    picks: list[dict[str, object]] = json.loads(capsys.readouterr().out)["picks"]
    return picks


def test_a_live_pick_is_told_in_words(balancer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "--lb", balancer]) == 0
    head, columns, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("two_choices picked 127.0.0.")
    assert head.endswith(": least score of two; 2 of 4 ready looked at, 1 not ready")
    assert columns.split()[:2] == ["endpoint", "was"]
    assert [row.split()[1] for row in rows].count("picked") == 1
    assert rows[-1].split()[:2] == [ENDPOINTS[-1], "draining"]


def test_it_is_what_a_request_with_this_wish_would_get(balancer: str, capsys: pytest.CaptureFixture[str]) -> None:
    picks = [explained(balancer, "--policy", "hashed", "--key", "user-7", capsys=capsys)[0]["picked"] for _ in range(3)]
    assert picks[0] in ENDPOINTS
    assert picks == [picks[0]] * 3


def test_nobody_counts_it(balancer: str, capsys: pytest.CaptureFixture[str]) -> None:
    def tasks() -> list[object]:
        endpoints = explained(balancer, capsys=capsys)[0]["endpoints"]
        assert isinstance(endpoints, list)
        return [endpoint["tasks"] for endpoint in endpoints]

    assert tasks() == tasks()
    assert explained(balancer, capsys=capsys)[0]["sequence"] == 0
    assert [pick["sequence"] for pick in explained(balancer, "--last", "256", capsys=capsys)] == [1, 2, 3, 4, 5]


def test_the_last_picks_are_told_as_they_were(balancer: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = explained(balancer, "--last", "2", capsys=capsys)
    assert [(pick["attempt"], pick["key"], pick["ready"], pick["looked_at"]) for pick in told] == [
        (3, "\x1b\\xff", 4, 2),
        (4, "\x1b\\xff", 4, 2),
    ]
    assert cli.main(["explain", "--lb", balancer, "--last", "1"]) == 0
    shown = capsys.readouterr().out
    assert "\\x1b\\xff" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("balancer", [0], indirect=True)
def test_a_balancer_that_keeps_none_says_how_it_would(balancer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "--lb", balancer, "--last", "1"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "--sample" in line
    assert cli.main(["explain", "--lb", balancer]) == 0


@pytest.mark.parametrize("balancer", [100], indirect=True)
def test_none_sampled_yet_is_said(balancer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "--lb", balancer, "--last", "1"]) == 0
    assert capsys.readouterr().out == "no pick has been sampled yet\n"


def test_a_service_that_nobody_serves_is_one_line(balancer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "--lb", balancer, "--service", "other"]) == 1
    assert "'other'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "blamed"),
    [(["--last", "257"], "'257'"), (["--last", "2", "--key", "k"], "--key"), (["--policy", "x"], "'x'")],
)
def test_flags_that_make_no_sense_are_one_line(
    flags: list[str], blamed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["explain", *flags])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert blamed in line


def test_a_balancer_that_does_not_answer_is_status_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "--lb", "127.0.0.1:1"]) == 3
    assert capsys.readouterr().err == "lbsuite explain: no balancer answers at 127.0.0.1:1\n"
