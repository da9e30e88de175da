"""The placer by a log: the seed's cases, balance and minimum on random walks, replicas, and its plain twin."""

import os
import random
import subprocess
import sys
import threading
from collections import Counter

import numpy
import pytest

from lbsuite import Placer
from oracle.placement import Placement as Twin


def ip(n: int) -> str:
    return f"10.{1 + n // 65536}.{n // 256 % 256}.{n % 256}"


def loads(placer: Placer) -> list[int]:
    return sorted(len(placer.owned(server)) for server in placer.weights)


def started(servers: int, objects: int = 4096) -> Placer:
    placer = Placer(objects)
    placer.apply(1, {ip(i): 1 for i in range(servers)})
    return placer


def test_five_servers_own_819_each_of_4095() -> None:
    assert loads(started(5, objects=4095)) == [819] * 5
    assert loads(started(5)) == [819, 819, 819, 819, 820]


def test_one_goes_down_and_comes_up_again() -> None:
    placer = started(5, objects=4095)
    down = placer.apply(2, {ip(0): 0})
    assert loads(placer) == [1023, 1024, 1024, 1024]
    assert {from_ for _, from_, _ in down.moves} == {ip(0)}
    assert len(down.moves) == down.minimum == 819
    up = placer.apply(3, {ip(0): 1})
    assert loads(placer) == [819] * 5
    assert {to for _, _, to in up.moves} == {ip(0)}
    assert len(up.moves) == up.minimum == 819


def test_ten_go_down_and_ten_come_up_at_once() -> None:
    placer = started(20)
    theirs = sum(len(placer.owned(ip(i))) for i in range(10))
    delta = placer.apply(2, {ip(i): 0 for i in range(10)} | {ip(i): 1 for i in range(20, 30)})
    assert loads(placer) == [204] * 4 + [205] * 16
    assert len(delta.moves) == delta.minimum == theirs


@pytest.mark.parametrize("servers", [1, 2, 4095])
def test_as_few_as_one_server_and_as_many_as_4095(servers: int) -> None:
    placer = started(servers)
    assert max(loads(placer)) - min(loads(placer)) <= 1
    assert placer.live == servers


BAD = {
    "no server": (2, {ip(0): 0, ip(1): 0}, r"servers up out of 1\.\.4095: 0"),
    "too many": (2, {ip(i): 1 for i in range(4096)}, r"servers up out of 1\.\.4095: 4096"),
    "an old revision": (1, {ip(9): 1}, "revision 1 is not newer than 1"),
    "a name": (2, {"localhost": 1}, "'localhost'"),
    "leading zeros": (2, {"10.1.0.01": 1}, r"'10\.1\.0\.01'"),
    "five parts": (2, {"10.1.0.1.2": 1}, r"'10\.1\.0\.1\.2'"),
    "no part": (2, {"10.1..1": 1}, r"'10\.1\.\.1'"),
    "256": (2, {"10.1.0.256": 1}, r"'10\.1\.0\.256'"),
    "nobody": (2, {"0.0.0.0": 1}, r"'0\.0\.0\.0'"),
    "too heavy": (2, {ip(0): 65}, "65"),
    "negative": (2, {ip(0): -1}, "-1"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_batch_is_refused_whole(case: str) -> None:
    revision, weights, blamed = BAD[case]
    placer = started(2)
    before = placer.snapshot()
    for ask in (placer.apply, placer.preview):
        with pytest.raises(ValueError, match=blamed):
            ask(revision, weights | ({} if case == "no server" else {ip(1): 3}))
    assert placer.snapshot() == before


@pytest.mark.parametrize(("objects", "servers"), [(0, 5), (65537, 5), (10, 0), (10, 4096)])
def test_a_bad_size_is_refused(objects: int, servers: int) -> None:
    with pytest.raises(ValueError, match=r"65536|4095"):
        Placer(objects, servers)


@pytest.mark.parametrize("bad", [-1, 4096, 2**70])
def test_an_object_out_of_range_is_refused(bad: int) -> None:
    placer = started(3)
    with pytest.raises(ValueError, match=str(bad)):
        placer.owner(bad)
    if bad < 2**63:
        with pytest.raises(ValueError, match=str(bad)):
            placer.owners(numpy.array([5, bad]))


def test_reads_agree() -> None:
    placer = started(7)
    objects = numpy.arange(4096)
    ids = placer.owners(objects)
    assert (ids == placer.table).all()
    assert [placer.server(i) for i in ids] == [placer.owner(o) for o in range(4096)]
    for server in placer.weights:
        assert [placer.owner(int(o)) for o in placer.owned(server)] == [server] * len(placer.owned(server))
    for kind in ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"):
        assert (placer.owners(objects[:100].astype(kind).reshape(10, 10)) == ids[:100].reshape(10, 10)).all()
    with pytest.raises(TypeError, match="float64"):
        placer.owners(numpy.array([1.0]))


def test_the_table_is_read_only_shows_each_batch_and_outlives_the_placer() -> None:
    placer = started(3)
    table = placer.table
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 1
    placer.apply(2, {ip(0): 0})
    assert set(table) == {1, 2}
    del placer
    assert set(table) == {1, 2}


def test_before_the_first_batch_nobody_owns_anything() -> None:
    placer = Placer()
    assert (placer.owner(7), placer.live, placer.revision) == (None, 0, 0)
    assert set(placer.table) == {65535}
    assert Placer.restore(placer.snapshot()).digest() == placer.digest()


def test_a_preview_tells_what_apply_does_and_changes_nothing() -> None:
    placer = started(9)
    before = placer.digest()
    preview = placer.preview(2, {ip(3): 0, ip(4): 7})
    assert placer.digest() == before
    assert preview.moves == placer.apply(2, {ip(3): 0, ip(4): 7}).moves


def test_copies_go_to_servers_and_zones_of_their_own() -> None:
    placer = started(6)
    zones = {ip(i): "ab"[i % 2] for i in range(6)}
    for o in range(50):
        owners = placer.owners_n(o, 4)
        assert owners[0] == placer.owner(o)
        assert len(set(owners)) == 4
        assert {zones[s] for s in placer.owners_n(o, 2, zones=zones)} == {"a", "b"}
        assert sorted(placer.owners_n(o, 9, zones=zones)) == sorted(placer.weights)


def walk(steps: int, most: int, seed: int, heaviest: int):
    """Batches of a random walk: (revision, changes), never without a server, now and then nearly all of them."""
    rng = random.Random(seed)
    up: dict[str, int] = {}
    revision = 0
    for _ in range(steps):
        revision += rng.randint(1, 3)
        changes = {}
        for _ in range(rng.choice([1, 1, 1, 2, 8, 64])):
            server = ip(rng.randrange(most))
            changes[server] = 0 if rng.random() < 0.45 else rng.randint(1, heaviest)
        if not {**up, **changes}.keys() - {s for s, w in {**up, **changes}.items() if w == 0}:
            changes[ip(0)] = 1
        up = {s: w for s, w in {**up, **changes}.items() if w}
        yield revision, changes, up


def check(placer: Placer, up: dict[str, int], delta, before: numpy.ndarray) -> None:
    assert len(delta.moves) == delta.minimum
    assert placer.weights == up
    after = placer.table
    assert (before != after).sum() <= len(delta.moves)
    counts = Counter(after.tolist())
    total = sum(up.values())
    for i in range(max(counts) + 1):
        if server := placer.server(i):
            exact = placer.objects * up[server]
            assert exact // total <= counts[i] <= -(-exact // total)
        else:
            assert counts[i] == 0


@pytest.mark.parametrize(("most", "heaviest"), [(3, 1), (12, 1), (12, 64), (300, 64), (4095, 1), (4095, 64)])
def test_balance_and_minimum_hold_at_every_step_and_replicas_agree(most: int, heaviest: int) -> None:
    placer, late = Placer(), None
    for step, (revision, changes, up) in enumerate(walk(1700, most, 7, heaviest)):
        before = placer.table.copy()
        delta = placer.apply(revision, changes)
        check(placer, up, delta, before)
        if late is not None:
            assert late.apply(revision, dict(reversed(changes.items()))).moves == delta.moves
        if step % 200 == 0:
            late = Placer.restore(placer.snapshot())
        assert late.digest() == placer.digest()


@pytest.mark.parametrize(
    ("objects", "most", "heaviest"), [(4096, 9, 1), (500, 40, 64), (64, 5, 5), (1, 3, 2), (4096, 900, 9)]
)
def test_the_plain_twin_agrees_move_for_move(objects: int, most: int, heaviest: int) -> None:
    placer, twin = Placer(objects), Twin(objects)
    for revision, changes, _ in walk(60, most, 11, heaviest):
        delta = placer.apply(revision, changes)
        assert (delta.moves, delta.minimum) == twin.apply(revision, changes)
        assert [placer.owner(o) for o in range(objects)] == twin.owners
    assert placer.digest() == twin.digest(placer.revision, 4095)


def test_another_process_comes_to_the_same_digest() -> None:
    program = """
from lbsuite import Placer
placer = Placer()
servers = {f"10.1.0.{i}": i for i in range(1, 30)}
for revision in range(1, 40):
    placer.apply(revision, {s: (revision * servers[s]) % 5 + (servers[s] == 1) for s in set(servers)})
print(placer.digest())
"""
    digests = {
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(digests) == 1


@pytest.mark.parametrize("harm", [lambda b: b[:-1], lambda b: b[:20], lambda b: b"", lambda b: b[:50] + b"x" + b[51:]])
def test_a_damaged_snapshot_is_refused(harm) -> None:
    with pytest.raises(ValueError, match="snapshot"):
        Placer.restore(harm(started(4).snapshot()))


def test_threads_may_apply_and_read_at_once() -> None:
    placer = started(50)
    revision = iter(range(2, 10_000))
    turn = threading.Lock()
    live = set(range(50))

    def change(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(100):
            with turn:
                placer.apply(next(revision), {ip(rng.randrange(1, 50)): rng.randrange(2)})

    def read() -> None:
        for o in range(4096):
            assert placer.owner(o) is not None
            assert int(placer.table[o]) in live

    threads = [threading.Thread(target=change, args=(seed,)) for seed in range(4)] + [threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert placer.revision == 401
    assert sum(loads(placer)) == 4096
