"""Placement by the set alone: one answer whatever the order, for every kind; what each kind promises beyond."""

import itertools
import os
import random
import subprocess
import sys
import threading

import pytest

from lbsuite import SetPlacer, place, set_kinds
from oracle.placement import stable_matching

SERVERS = [f"10.1.0.{i}" for i in range(1, 31)]
EXACT = ["stable_matching", "maglev"]


def events(seed: int, count: int = 20) -> list[dict[str, int]]:
    rng = random.Random(seed)
    return [{rng.choice(SERVERS[5:]): rng.randrange(2)} for _ in range(count)]


@pytest.mark.parametrize("kind", set_kinds())
def test_the_answer_is_a_function_of_the_two_sets(kind: str) -> None:
    placer = SetPlacer(4096, kind)
    placer.apply(dict.fromkeys(SERVERS[:5], 1))
    up = set(SERVERS[:5])
    for change in events(3):
        placer.apply(change)
        for server, weight in change.items():
            (up.add if weight else up.discard)(server)
        assert placer.placed == place(range(4096), sorted(up, reverse=True), kind=kind)
        fresh = SetPlacer(4096, kind)
        fresh.apply(dict.fromkeys(random.Random(1).sample(sorted(up), len(up)), 1))
        assert placer.digest() == fresh.digest()


@pytest.mark.parametrize("kind", set_kinds())
def test_five_processes_that_see_the_same_events_in_different_orders_agree(kind: str) -> None:
    program = (
        "import random, sys; from lbsuite import SetPlacer\n"
        "servers = [f'10.1.0.{i}' for i in range(1, 31)]\n"
        "changes = [{s: 1} for s in servers[:10]] + [{s: 0} for s in servers[20:30]]\n"
        "random.Random(int(sys.argv[1])).shuffle(changes)\n"
        f"p = SetPlacer(4096, {kind!r}); p.apply(dict.fromkeys(servers[10:], 1))\n"
        "for c in changes: p.apply(c)\n"
        "print(p.digest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program, str(i)],
            env=os.environ | {"PYTHONHASHSEED": str(i)},
            check=True,
            capture_output=True,
        ).stdout
        for i in range(5)
    }
    assert len(digests) == 1


@pytest.mark.parametrize("kind", set_kinds())
def test_sixteen_threads_come_to_one_answer(kind: str) -> None:
    placer = SetPlacer(4096, kind)
    placer.apply(dict.fromkeys(SERVERS[16:], 1))
    threads = [threading.Thread(target=placer.apply, args=({server: 1},)) for server in SERVERS[:16]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert placer.placed == place(4096, SERVERS, kind=kind)


@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.parametrize("servers", [1, 2, 3, 5, 7, 30, 100, 1000, 4095])
def test_loads_differ_by_one_at_most(kind: str, servers: int) -> None:
    placed = place(4096, [f"10.{i // 250}.0.{1 + i % 250}" for i in range(servers)], kind=kind)
    counts = {len(objects) for objects in placed.values()}
    assert max(counts) - min(counts) <= 1
    assert sorted(itertools.chain(*placed.values())) == list(range(4096))


@pytest.mark.parametrize("kind", set_kinds())
def test_the_seed_s_five_servers_own_819_each_of_4095(kind: str) -> None:
    placed = place(range(4095), SERVERS[:5], kind=kind)
    assert {len(objects) for objects in placed.values()} == {819}
    left = place(range(4095), SERVERS[1:5], kind=kind)
    assert {len(objects) for objects in left.values()} == {1023, 1024}


def test_modulo_moves_four_times_what_is_needed_and_stable_matching_hardly_more() -> None:
    extra = {}
    for kind in set_kinds():
        placer = SetPlacer(4096, kind)
        placer.apply(dict.fromkeys(SERVERS[:5], 1))
        moves = minimum = 0
        for server in SERVERS[:5]:
            delta = placer.apply({server: 0})
            assert len(delta.moves) >= delta.minimum
            moves, minimum = moves + len(delta.moves), minimum + delta.minimum
            placer.apply({server: 1})
        extra[kind] = moves / minimum - 1
    assert extra["modulo"] > 2.9
    assert extra["stable_matching"] < 0.1
    assert extra["maglev"] < 0.1


@pytest.mark.parametrize("weights", [None, dict(zip(SERVERS, range(1, 31), strict=True)), {SERVERS[3]: 64}])
@pytest.mark.parametrize("servers", [1, 3, 8, 30])
def test_stable_matching_is_that_of_its_plain_twin(weights: dict[str, int] | None, servers: int) -> None:
    chosen = SERVERS[:servers]
    told = {s: w for s, w in (weights or {}).items() if s in chosen}
    objects = random.Random(5).sample(range(4096), 700)
    expected = stable_matching(sorted(objects), dict.fromkeys(chosen, 1) | told)
    assert place(objects, chosen, told) == expected
    total = sum(dict.fromkeys(chosen, 1).values()) - len(told) + sum(told.values())
    for server, owned in expected.items():
        assert abs(len(owned) - 700 * told.get(server, 1) / total) < 1


def test_a_change_of_weight_is_placed_as_if_it_had_always_been() -> None:
    placer = SetPlacer(1000)
    placer.apply(dict.fromkeys(SERVERS[:9], 1))
    for weight in (5, 2, 1):
        placer.apply({SERVERS[2]: weight})
        assert placer.placed == place(1000, SERVERS[:9], {SERVERS[2]: weight})


BAD = {
    "no servers": ((10, []), r"servers up out of 1\.\.4095: 0"),
    "4096 servers": ((10, [f"10.0.{i // 256}.{i % 256}" for i in range(1, 4097)]), r"4096"),
    "a server twice": ((10, ["10.0.0.1", "10.0.0.1"]), r"10\.0\.0\.1"),
    "no IPv4": ((10, ["::1"]), "'::1'"),
    "no objects": ((0, ["10.0.0.1"]), "objects out of"),
    "an object below 0": (([-1], ["10.0.0.1"]), "-1"),
    "an object too high": (([4096], ["10.0.0.1"]), "4096"),
    "an object twice": (([5, 5], ["10.0.0.1"]), "object twice: 5"),
    "a weight of 0": ((10, ["10.0.0.1"], {"10.0.0.1": 0}), "0"),
    "a weight of 65": ((10, ["10.0.0.1"], {"10.0.0.1": 65}), "65"),
    "a weight for nobody": ((10, ["10.0.0.1"], {"10.0.0.2": 3}), r"10\.0\.0\.2"),
    "an unknown kind": ((10, ["10.0.0.1"], None, "best"), "'best'"),
    "modulo with weights": ((10, ["10.0.0.1", "10.0.0.2"], {"10.0.0.2": 3}, "modulo"), "modulo takes no weights"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_makes_no_sense_is_refused(case: str) -> None:
    asked, blamed = BAD[case]
    with pytest.raises(ValueError, match=blamed):
        place(*asked)
