"""One log, fed to each host, gives the same picks; the C++-alone hosts replay the same files in tests/cpp."""

import json
import resource
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lbsuite
from golden import through_python, write
from lbsuite import _core

A, B = "127.0.0.1:4001", "127.0.0.1:4002"
GOLDEN = sorted(write.FOLDER.glob("*.jsonl"))
ACCOUNTINGS = ("done", "reported")
HEADING = '{"lbsuite_log":1,"policy":"round_robin","roster":"snapshot","seed":1,"load":"tasks","accounting":"done"}'
JOIN = f'{{"event":"join","now":0.0,"address":"{A}"}}'
PICK = '{"event":"pick","now":1.0,"sequence":1,"answer":"127.0.0.1:4001"}'
DONE = '{"event":"done","now":2.0,"sequence":1}'


def walked(spec: str, accounting: str, seed: int) -> lbsuite.Log:
    """The log of an engine after one of the walks that the golden logs come from."""
    engine = _core.Engine(spec, seed=seed, accounting=accounting)
    with lbsuite.record(engine) as log:
        write.Workload(engine, write.Case(spec, accounting), seed).run()
    return log


def busy(policy: str = "pick_first", picks: int = 12, limit: int = 0) -> lbsuite.Log:
    """Two endpoints, and one task after the other."""
    engine = _core.Engine(policy)
    with lbsuite.record(engine) as log:
        for address in (A, B):
            engine.join(address, 0.0, limit=limit)
        for step in range(picks):
            engine.done(engine.pick(1.0 + step), 1.5 + step, latency_s=0.5)
    return log


@pytest.mark.parametrize("case", list(write.cases()), ids=lambda case: case.path.stem)
def test_every_policy_and_every_roster_has_golden_logs(case: write.Case) -> None:
    assert case.path in GOLDEN, "run tests/golden/write.py"


def test_every_golden_log_is_one_that_its_program_writes() -> None:
    assert set(GOLDEN) <= {case.path for case in write.cases()}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_log_gives_the_same_picks_again(path: Path) -> None:
    log = lbsuite.Log.load(path)
    replay = lbsuite.replay(log)
    assert replay.picks == replay.recorded
    assert replay.differing == 0
    assert len(set(replay.picks)) > (1 if replay.policy == "pick_first" else 3)
    assert through_python.answers(log) == replay.recorded


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_log_is_recorded_again_byte_for_byte(path: Path, tmp_path: Path) -> None:
    heading, *events = lbsuite.Log.load(path)
    driver = through_python.Driver(heading)
    with lbsuite.record(driver.engine, tmp_path / "again.jsonl"):
        for line in events:
            driver.feed(line)
    assert (tmp_path / "again.jsonl").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("accounting", ACCOUNTINGS)
@pytest.mark.parametrize("policy", _core.policies())
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_whatever_happens_a_replay_picks_as_was_recorded(policy: str, accounting: str, seed: int) -> None:
    log = walked(policy, accounting, seed)
    replay = lbsuite.replay(log)
    assert replay.picks == replay.recorded
    assert through_python.answers(log) == replay.recorded


@pytest.mark.parametrize("policy", ["round_robin", "two_choices"])
def test_what_many_threads_did_is_replayed_in_the_order_in_which_it_took_place(policy: str) -> None:
    engine = _core.Engine(policy, seed=3)
    log = lbsuite.record(engine)
    for port in range(4001, 4006):
        engine.join(f"127.0.0.1:{port}", 0.0, limit=8)
    lanes = [0, engine.lane(), engine.lane()]
    start = threading.Barrier(len(lanes))

    def work(lane: int) -> None:
        start.wait()
        for step in range(200):
            pick = engine.pick(step / 100, lane=lane)
            engine.report(A, step / 100, tasks=step % 5, available=step % 7 != 0)
            if pick:
                engine.done(pick, step / 100, latency_s=0.01)

    threads = [threading.Thread(target=work, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    log.close()
    replay = lbsuite.replay(log)
    assert (len(replay.picks), replay.differing) == (600, 0)


class TestWhatIf:
    def test_another_policy_is_given_the_same_requests(self) -> None:
        replay = lbsuite.replay(busy(picks=12), policy="round_robin")
        assert Counter(replay.recorded) == {A: 12}
        assert Counter(replay.picks) == {A: 6, B: 6}
        assert (replay.differing, replay.share) == (6, 0.5)
        assert repr(replay) == "<Replay by round_robin: 6 of 12 picks differ (50.0%)>"

    def test_a_settings_object_is_a_policy(self) -> None:
        assert lbsuite.replay(busy(), policy=lbsuite.LeastLoad(choices=1)).policy == "least_load:choices=1"

    def test_a_recorded_end_frees_the_slot_wherever_the_task_went(self) -> None:
        replay = lbsuite.replay(busy(picks=40, limit=1), policy="random")
        assert set(replay.picks) == {A, B}

    def test_who_got_nobody_takes_no_slot_for_good(self) -> None:
        engine = _core.Engine("pick_first")
        with lbsuite.record(engine) as log:
            engine.join(A, 0.0)
            for step in range(5):
                assert engine.pick(1.0 + step, exclude=[A]) is None
            engine.join(A, 9.0, limit=1)
            assert engine.pick(10.0) is not None
        assert lbsuite.replay(log, policy="round_robin").picks == ["all_full"] * 5 + [A]

    def test_a_policy_that_a_request_named_stays(self) -> None:
        engine = _core.Engine("round_robin")
        with lbsuite.record(engine) as log:
            for address in (A, B):
                engine.join(address, 0.0)
            for _ in range(4):
                engine.pick(1.0, policy="pick_first")
        assert lbsuite.replay(log, policy="random").picks == [A] * 4

    def test_it_stays_in_force_where_the_log_switches(self) -> None:
        engine = _core.Engine("pick_first")
        with lbsuite.record(engine) as log:
            for address in (A, B):
                engine.join(address, 0.0)
            engine.switch("round_robin", 0.5)
            recorded = [engine.pick(1.0).endpoint for _ in range(4)]
        assert lbsuite.replay(log).picks == recorded == [A, B, A, B]
        assert lbsuite.replay(log, policy="pick_first").picks == [A] * 4

    def test_frames_show_picks_and_endpoints(self) -> None:
        log = busy(picks=3)
        replay = lbsuite.replay(log, policy="round_robin")
        assert replay.frame().iloc[1].to_dict() == {
            "now": 2.0,
            "lane": 0,
            "recorded": A,
            "picked": B,
            "differs": True,
        }
        assert replay.summary().to_dict() == {"recorded": {A: 3, B: 0}, "picked": {A: 2, B: 1}}
        assert Counter(log.frame()["event"]) == {"join": 2, "pick": 3, "done": 3}


class TestRecording:
    def test_every_line_is_in_the_file_when_its_call_is_over(self, tmp_path: Path) -> None:
        engine = _core.Engine("round_robin")
        path = tmp_path / "picks.jsonl"
        with lbsuite.record(engine, path) as log:
            for count, call in enumerate([lambda: engine.join(A, 0.0), lambda: engine.pick(1.0)], start=2):
                call()
                assert len(path.read_text().splitlines()) == len(log.lines) == count
        assert lbsuite.replay(path).picks == [A]
        assert repr(log) == "<Recording of round_robin, 2 events>"

    def test_it_ends_with_its_block_and_the_engine_goes_on(self) -> None:
        engine = _core.Engine()
        with lbsuite.record(engine) as log:
            engine.join(A, 0.0)
        engine.pick(1.0)
        log.close()
        assert [json.loads(line).get("event") for line in log] == [None, "join"]

    @pytest.mark.parametrize(
        "told",
        [
            lambda engine: engine.join(A, 0.0),
            lambda engine: engine.leave(A, 0.0),
            lambda engine: engine.expire(0.0),
            lambda engine: engine.pick(0.0),
            lambda engine: engine.pick_address(0.0),
            lbsuite.record,
        ],
    )
    def test_an_engine_that_was_told_anything_is_refused_and_the_file_left_alone(
        self, told: Callable[[_core.Engine], object], tmp_path: Path
    ) -> None:
        engine = _core.Engine()
        told(engine)
        (tmp_path / "log").write_text("as it was")
        with pytest.raises(ValueError, match="from its start"):
            lbsuite.record(engine, tmp_path / "log")
        assert (tmp_path / "log").read_text() == "as it was"

    def test_a_file_that_cannot_be_opened_is_an_os_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="nowhere"):
            lbsuite.record(_core.Engine(), tmp_path / "nowhere" / "log")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
    def test_a_full_disk_ends_the_log_and_not_the_engine(self) -> None:
        with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
            lbsuite.record(_core.Engine(), "/dev/full")

    def test_a_file_that_takes_no_more_ends_the_log_with_a_whole_line_and_not_the_engine(self, tmp_path: Path) -> None:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        engine = _core.Engine("pick_first")
        log = lbsuite.record(engine, tmp_path / "log")
        resource.setrlimit(resource.RLIMIT_FSIZE, (400, limits[1]))
        try:
            engine.join(A, 0.0)
            assert {engine.pick(float(step)).endpoint for step in range(20)} == {A}
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        with pytest.raises(OSError, match=r"File too large: '.*log'"):
            log.close()
        log.close()
        assert 1 < len(log) < 10
        assert set(lbsuite.replay(tmp_path / "log").picks) == {A}

    def test_a_log_is_saved_and_loaded_as_it_is(self, tmp_path: Path) -> None:
        log = walked("random", "done", seed=4)
        log.save(tmp_path / "log")
        assert lbsuite.Log.load(tmp_path / "log").lines == log.lines
        assert lbsuite.Log(log).settings == {
            "policy": "random",
            "roster": "snapshot",
            "seed": 4,
            "load": "tasks",
            "accounting": "done",
            "outcomes": True,
            "probes": True,
            "stages": [],
        }


@pytest.mark.parametrize(
    ("lines", "blamed"),
    [
        ([], "line 1: an empty log"),
        (["# a log"], 'line 1: not JSON: "# a log"'),
        (["[1]"], r"line 1: not a JSON object: \[1\]"),
        ([JOIN], "line 1: no lbsuite_log"),
        ([HEADING.replace('"lbsuite_log":1', '"lbsuite_log":2')], "line 1: a log of another format than 1: 2"),
        ([HEADING.replace("tasks", "disk")], 'line 1: bad load: "disk"'),
        ([HEADING.replace("round_robin", "nearest")], "no policy 'nearest'"),
        ([HEADING.replace("round_robin", "python:Mine")], "python:Mine.* policy="),
        ([HEADING, JOIN, JOIN[:-1]], "line 3: not JSON"),
        ([HEADING, JOIN, "\x00\x1b[2J"], r'line 3: not JSON: "\\u0000\\u001b\[2J"'),
        ([HEADING, JOIN.replace("join", "joined")], 'line 2: no such event: "joined"'),
        ([HEADING, JOIN.replace('"event":"join",', "")], "line 2: no event"),
        ([HEADING, JOIN.replace('"now":0.0,', "")], "line 2: no now"),
        ([HEADING, JOIN.replace(":0.0", ':"soon"')], 'line 2: bad now: "soon"'),
        ([HEADING, JOIN.replace(":0.0", ':"nan"')], "line 2: not a time"),
        ([HEADING, JOIN.replace("}", ',"wieght":2}')], 'line 2: no such field: "wieght"'),
        ([HEADING, JOIN.replace("}", ',"weight":0}')], "line 2: weight out of 1..1000000: 0"),
        ([HEADING, JOIN.replace("}", ',"weight":-1}')], "line 2: bad weight: -1"),
        ([HEADING, JOIN.replace("}", ',"weight":4294967296}')], "line 2: bad weight: 4294967296"),
        ([HEADING, JOIN.replace("}", ',"zone":' + "[" * 300_000 + "]" * 300_000 + "}")], "line 2: nested too deep"),
        ([HEADING, JOIN.replace("}", ',"zone_base64":"?"}')], 'line 2: bad zone_base64: "\\?"'),
        ([HEADING, '{"event":"pick","now":1,"lane":256,"answer":"none"}'], "line 2: an engine has 256 lanes"),
        ([HEADING, '{"event":"pick","now":1,"policy":"nearest"}'], "line 2: no policy 'nearest'"),
        ([HEADING, JOIN, '{"event":"done","now":1,"sequence":7}'], "line 3: no pick of lane 0 had sequence 7"),
        ([HEADING, JOIN, PICK, DONE, DONE], "line 5: no pick of lane 0 had sequence 1 that has not ended"),
        ([HEADING, JOIN, PICK, DONE.replace("1}", '1,"latency_s":1e9}')], "line 4: latency_s out of 0..1e9"),
    ],
)
def test_a_bad_log_is_one_line_with_the_lines_number_and_the_bad_part(lines: list[str], blamed: str) -> None:
    with pytest.raises(ValueError, match=blamed) as raised:
        lbsuite.replay(lines)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300
