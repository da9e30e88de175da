"""Policies that go by the request's key."""

from collections import Counter
from collections.abc import Sequence

import pytest

from contracts import ADDRESSES
from lbsuite import _core
from oracle import xxh64

KEYS = [f"user-{number}" for number in range(3000)]
KINDS = ["hashed:kind=rendezvous", "hashed:kind=maglev"]
KEYED = [*KINDS, "affinity_x_load"]


def joined(policy: str, weights: Sequence[int] = (1,) * 10, addresses: Sequence[str] = ADDRESSES) -> _core.Engine:
    engine = _core.Engine(policy)
    for address, weight in zip(addresses, weights, strict=False):
        engine.join(address, 0.0, weight=weight)
    return engine


def home(engine: _core.Engine, key: str) -> str:
    """Where a key goes; nothing stays in flight."""
    pick = engine.pick(1.0, key=key)
    engine.done(pick, 1.0)
    return pick.endpoint


def homes(engine: _core.Engine) -> list[str]:
    return [home(engine, key) for key in KEYS]


@pytest.mark.parametrize("policy", KEYED)
def test_a_key_has_one_home_whoever_asks(policy: str) -> None:
    reversed_engine = joined(policy, addresses=ADDRESSES[::-1])
    assert homes(joined(policy)) == homes(reversed_engine)


@pytest.mark.parametrize("policy", KEYED)
def test_keys_are_shared_by_weight(policy: str) -> None:
    weights = (1, 2, 3, 4)
    counts = Counter(homes(joined(policy, weights)))
    expected = {address: 300 * weight for address, weight in zip(ADDRESSES, weights, strict=False)}
    assert sum((counts[a] - e) ** 2 / e for a, e in expected.items()) < 16.3  # chi squared, 3 degrees, p = 0.001


@pytest.mark.parametrize("policy", ["hashed", "affinity_x_load"])
def test_only_the_keys_of_one_that_leaves_move_and_they_spread_over_all(policy: str) -> None:
    engine = joined(policy)
    before = homes(engine)
    engine.leave(ADDRESSES[3], 1.0)
    after = homes(engine)
    moved = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert {a for a, _ in moved} == {ADDRESSES[3]}
    assert len({b for _, b in moved}) == 9
    engine.join(ADDRESSES[3], 2.0)
    assert homes(engine) == before


def test_only_the_keys_that_a_heavier_one_wins_move() -> None:
    engine = joined("hashed")
    before = homes(engine)
    engine.join(ADDRESSES[3], 1.0, weight=2)
    moved = [b for a, b in zip(before, homes(engine), strict=True) if a != b]
    assert set(moved) == {ADDRESSES[3]}
    assert len(moved) == pytest.approx(3000 * (2 / 11 - 1 / 10), rel=0.25)


def test_few_other_keys_move_with_maglev() -> None:
    engine = joined("hashed:kind=maglev")
    before = homes(engine)
    engine.leave(ADDRESSES[3], 1.0)
    others = [(a, b) for a, b in zip(before, homes(engine), strict=True) if a != ADDRESSES[3]]
    assert sum(a != b for a, b in others) < 0.04 * len(others)


def key_for(entry: int, size: int) -> bytes:
    """A key that maglev looks up at this place of its table."""
    return next(key for key in (b"%d" % n for n in range(100 * size)) if xxh64(key, 0) % size == entry)


# The tables of Envoy's tests (test/extensions/load_balancing_policies/maglev/maglev_lb_test.cc: Basic, Weighted).
@pytest.mark.parametrize(
    ("weights", "table"),
    [
        ([1] * 6, [2, 4, 0, 1, 5, 0, 3]),
        ([1, 2], [1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1]),
    ],
)
def test_the_table_of_maglev_is_envoys(weights: list[int], table: list[int]) -> None:
    size, addresses = len(table), [f"127.0.0.1:{90 + i}" for i in range(6)]
    engine = joined(f"hashed:kind=maglev,table={size}", weights, addresses)
    found = [engine.pick(1.0, key=key_for(entry, size)).endpoint for entry in range(size)]
    assert found == [addresses[i] for i in table]


@pytest.mark.parametrize("size", [65537, 1009])
def test_the_table_of_maglev_gives_each_as_many_entries(size: int) -> None:
    engine = joined(f"hashed:kind=maglev,table={size}")
    counts = Counter(engine.address_of(i) for i in engine.pick_many(100_000, 1.0)).values()  # random keys
    assert sum((count - 10_000) ** 2 / 10_000 for count in counts) < 27.9 + 100_000 * (10 / size) ** 2


@pytest.mark.parametrize("policy", KEYED)
def test_without_a_key_a_random_one_is_picked_by_weight(policy: str) -> None:
    engine = joined(policy, (1, 3))
    counts = Counter(engine.pick_address(1.0) for _ in range(4000))
    assert abs(counts[ADDRESSES[0]] - 1000) < 120


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bound", [100, 125, 200])
@pytest.mark.parametrize("weights", [(1,) * 10, (1, 1, 2, 4)])
def test_no_bound_is_passed_however_hot_a_key_is(kind: str, bound: int, weights: tuple[int, ...]) -> None:
    engine = joined(f"{kind},bound={bound}", weights)
    for task in range(1, 200):
        pick = engine.pick(1.0, key="everyone's")
        (picked,) = (e for e in engine.endpoints(1.0) if e.address == pick.endpoint)
        slots = -(-task * bound // 100)  # the ceiling
        assert picked.tasks <= max(1, -(-slots * picked.weight // sum(weights)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_bound_that_is_not_reached_moves_no_key(kind: str) -> None:
    assert homes(joined(f"{kind},bound=125")) == homes(joined(kind))


@pytest.mark.parametrize("policy", KEYED)
def test_keys_of_a_full_one_spread_over_all_the_others(policy: str) -> None:
    engine = joined(policy)
    before = homes(engine)
    engine.report(ADDRESSES[3], 1.0, tasks=1, limit=1)
    moved = [(a, b) for a, b in zip(before, homes(engine), strict=True) if a != b]
    assert {a for a, _ in moved} == {ADDRESSES[3]}
    assert len({b for _, b in moved}) == 9


def test_affinity_times_load_leaves_home_when_it_is_too_busy_and_returns() -> None:
    engine = joined("affinity_x_load")
    at = home(engine, "k")
    tasks = [engine.pick(1.0, key="k") for _ in range(50)]
    counts = Counter(pick.endpoint for pick in tasks)
    assert counts.most_common(1)[0][0] == at
    assert len(counts) > 1
    for pick in tasks:
        engine.done(pick, 2.0)
    assert home(engine, "k") == at


def test_affinity_times_load_is_affinity_alone_without_bias_and_load_alone_with_a_great_one() -> None:
    engine = joined("affinity_x_load:bias=0")
    assert len({engine.pick(1.0, key="k").endpoint for _ in range(50)}) == 1
    engine = joined("affinity_x_load:bias=10")
    counts = Counter(engine.pick(1.0, key="k").endpoint for _ in range(50))
    assert len(counts) == 10
    assert max(counts.values()) <= 10


@pytest.mark.parametrize(
    ("spec", "blamed"),
    [
        ("hashed:kind=ring", "kind is rendezvous or maglev, not 'ring'"),
        ("hashed:bound=99", "bound is 0 or at least 100 in 0..1000000, not '99'"),
        ("hashed:table=65536", "table is a prime in 2..655373, not '65536'"),
        ("hashed:table=1", "table is a prime"),
        ("affinity_x_load:bias=-1", "'-1'"),
    ],
)
def test_bad_settings_are_refused_by_name(spec: str, blamed: str) -> None:
    with pytest.raises(ValueError, match=blamed):
        _core.parse_policy(spec)
