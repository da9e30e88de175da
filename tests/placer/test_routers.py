"""One contract over every kind of key router: how even it is, what a change moves, what a key is, what a bound does."""

import random
import threading
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest

from lbsuite import KeyRouter
from oracle import routers as oracle
from router_cases import KEYS, KINDS, NAMES, NUMBERS, OF_THE_SET, THRIFTY, WEIGHTED, routes, twin_of


def moved(before: Mapping[str, str], after: Mapping[str, str]) -> set[tuple[str, str]]:
    """From whom to whom keys have moved."""
    return {(before[key], after[key]) for key in before if before[key] != after[key]}


def shares(router: KeyRouter) -> dict[str, float]:
    counts = np.bincount(router.route_many(NUMBERS), minlength=len(router))
    return dict(zip(router.members, counts / len(NUMBERS), strict=True))


# How even, and what moves


@pytest.mark.parametrize("kind", KINDS)
def test_members_get_equal_shares(kind: str) -> None:
    found = [share * 10 for share in shares(KeyRouter(kind, NAMES[:10])).values()]
    spread = {"ring": 0.25, "slots": 0.06}.get(kind, 0.05)
    assert max(found) < 1 + spread
    assert min(found) > 1 - spread


@pytest.mark.parametrize("kind", WEIGHTED)
def test_shares_follow_the_weights(kind: str) -> None:
    weights = dict(zip(NAMES, [1, 2, 5, 8, 24], strict=False))
    for name, share in shares(KeyRouter(kind, weights, weights)).items():
        assert share * 40 == pytest.approx(weights[name], rel=0.25 if kind == "ring" else 0.08)


@pytest.mark.parametrize("kind", sorted(set(WEIGHTED) & set(THRIFTY)))
def test_a_weight_that_grows_takes_keys_and_moves_no_others(kind: str) -> None:
    router = KeyRouter(kind, NAMES[:10], {NAMES[2]: 3})
    before = routes(router)
    router.apply(1, {NAMES[4]: 2})
    assert {to for _, to in moved(before, routes(router))} == {NAMES[4]}


@pytest.mark.parametrize("kind", THRIFTY)
def test_a_member_that_goes_or_comes_moves_its_own_keys_alone(kind: str) -> None:
    last = sorted(NAMES)[-1]
    router = KeyRouter(kind, sorted(NAMES))
    before = routes(router)
    router.apply(1, {last: 0})
    without = routes(router)
    assert {source for source, _ in moved(before, without)} == {last}
    assert len({to for _, to in moved(before, without)}) > 20
    router.apply(2, {last: 1})
    assert routes(router) == before


def test_maglev_moves_few_keys_of_others() -> None:
    router = KeyRouter("maglev", NAMES[:10])
    before = routes(router)
    router.remove(NAMES[3])
    after = routes(router)
    own = sum(owner == NAMES[3] for owner in before.values())
    assert own <= sum(before[key] != after[key] for key in KEYS) < 1.2 * own


# Keys


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_its_bytes_or_its_64_bits(kind: str) -> None:
    router = KeyRouter(kind, NAMES)
    assert routes(router) == {key: router.route(key.encode()) for key in KEYS}
    assert router.route(-1) == router.route(2**64 - 1)
    assert router.route(np.int64(-7)) == router.route(-7)
    assert router.route(True) == router.route(1)
    assert len({router.route(key) for key in range(200)}) > 20


@pytest.mark.parametrize("kind", KINDS)
def test_many_keys_are_routed_as_one_by_one(kind: str) -> None:
    router = KeyRouter(kind, NAMES)
    numbers = NUMBERS[:600]
    expected = [router.members.index(router.route(int(number))) for number in numbers]
    assert router.route_many(numbers).tolist() == expected
    assert router.route_many(numbers.view(np.int64)).tolist() == expected
    assert router.route_many(numbers.reshape(20, 30)).tolist() == np.reshape(expected, (20, 30)).tolist()
    assert router.route_many(numbers[::-2]).tolist() == expected[::-2]
    assert router.route_many(numbers.tolist()).tolist() == expected
    small = np.arange(-100, 100, dtype=np.int32)
    assert router.route_many(small).tolist() == router.route_many(range(-100, 100)).tolist()
    texts = router.route_many(KEYS)
    assert texts.dtype == np.uint32
    assert [router.members[i] for i in texts] == [router.route(key) for key in KEYS]
    assert router.route_many(iter(())).tolist() == []


def test_what_is_no_key_is_refused() -> None:
    router = KeyRouter("slots", NAMES)
    for key in (1.5, None, ["a"], bytearray(b"a")):
        with pytest.raises(TypeError, match="a key is bytes, str or int"):
            router.route(key)
    for key in (2**64, -(2**63) - 1):
        for route in (router.route, lambda key: router.route_many([key])):
            with pytest.raises(ValueError, match=rf"^key out of -2\^63\.\.2\^64-1: {key}$"):
                route(key)
    for keys in (np.array([1.5]), "abc", b"abc", [1, None]):
        with pytest.raises(TypeError):
            router.route_many(keys)
    with pytest.raises(TypeError):
        router.route()


# Within a bound


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bound", [1.0, 1.25])
def test_no_member_takes_more_than_its_bound(kind: str, bound: float) -> None:
    rng = random.Random(11)
    names = NAMES[:7]
    weights = {name: i + 1 if kind in WEIGHTED else 1 for i, name in enumerate(names)}
    router = KeyRouter(kind, names, weights, bound=bound)
    twin = oracle.Bounded(
        twin_of(kind, weights, names), {name: weights[name] for name in router.members}, int(bound * 1000)
    )
    taken: list[str] = []
    for step in range(900):
        if taken and rng.random() < (0.1 if step < 500 else 0.7):
            name = taken.pop(rng.randrange(len(taken)))
            assert router.done(name)
            twin.loads[name] -= 1
            continue
        key = rng.choice(KEYS[:20])
        expected = twin.route(oracle.hash_of(kind, key))
        assert router.route(key) == expected
        assert router.members[router.route_many([key])[0]] == expected
        assert router.take(key) == expected
        taken.append(expected)
        twin.loads[expected] += 1
    assert router.loads == twin.loads == {name: Counter(taken)[name] for name in names}


def test_a_key_stays_with_its_member_while_that_has_room() -> None:
    router, free = KeyRouter("rendezvous", NAMES[:5], bound=2), KeyRouter("rendezvous", NAMES[:5])
    for _ in range(200):
        assert router.take(3) == free.route(3) or router.loads[free.route(3)] >= sum(router.loads.values()) * 0.4 - 1
    assert router.loads[free.route(3)] == 80


def test_what_is_in_flight_goes_with_its_member() -> None:
    router = KeyRouter("ring", NAMES[:3], bound=1.5)
    for key in KEYS[:30]:
        router.take(key)
    gone = router.members[1]
    router.remove(gone)
    assert not router.done(gone)
    assert sum(router.loads.values()) < 30
    router.add(gone)
    assert router.loads[gone] == 0
    assert not router.done(gone)


# Threads


@pytest.mark.parametrize("kind", OF_THE_SET)
def test_reads_and_changes_may_come_from_any_thread(kind: str) -> None:
    router = KeyRouter(kind, NAMES[:5])
    whole, apart = KeyRouter(kind, NAMES[:5]), KeyRouter(kind, NAMES[:4])
    answers = [each.route_many(NUMBERS).tobytes() for each in (whole, apart)]
    ended = threading.Event()
    wrong: list[bytes] = []

    def read() -> None:
        while not ended.is_set():
            found = router.route_many(NUMBERS).tobytes()
            if found not in answers:
                wrong.append(found)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(15):
        router.remove(NAMES[4])
        router.add(NAMES[4])
    ended.set()
    for reader in readers:
        reader.join(timeout=30)
    assert not wrong
