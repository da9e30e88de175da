"""Key routers give the same answer everywhere: as their plain twins, as others have published, in any order."""

import random

import pytest

from lbsuite import KeyRouter
from oracle import routers as oracle
from oracle.numbers import xxh64
from router_cases import KEYS, KINDS, NAMES, NUMBERS, OF_THE_SET, WEIGHTED, routes, some_keys, twin_of


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("members", [1, 2, 5, 33])
def test_a_router_agrees_with_its_twin(kind: str, members: int) -> None:
    rng = random.Random(members)
    known = rng.sample(NAMES, members)
    weights = {name: rng.randrange(1, 9) if kind in WEIGHTED else 1 for name in known}
    for given in (weights, dict.fromkeys(known, 1)):
        router = KeyRouter(kind, known, given)
        twin = twin_of(kind, given, known)
        for key in some_keys(rng, 60):
            assert router.route(key) == twin.route(oracle.hash_of(kind, key)), key


# xxh64 of the answers for KEYS and, as little-endian words, for NUMBERS: what is stored by them outlives a release.
DIGESTS = {
    "slots": 0xD787A4D9698A21E3,
    "jump": 0x90C3820274012FE6,
    "rendezvous": 0x67A7F5B9BB90E741,
    "ring": 0x0D9CBE7BDC0164C7,
    "maglev": 0x868F80CC6D8E9F7C,
    "dx": 0xE5E4A412F1B99293,
    "anchor": 0x48B332B03DCCB8FA,
}


@pytest.mark.parametrize("kind", KINDS)
def test_answers_never_change_between_releases(kind: str) -> None:
    router = KeyRouter(kind, NAMES)
    answers = "\n".join(router.route(key) for key in KEYS).encode() + router.route_many(NUMBERS).astype("<u4").tobytes()
    assert xxh64(answers, 0) == DIGESTS[kind]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "jump"])
def test_the_order_of_members_says_nothing(kind: str) -> None:
    first = KeyRouter(kind, NAMES)
    other = KeyRouter(kind, reversed(NAMES))
    assert first.members == other.members == sorted(NAMES)
    assert routes(first) == routes(other)


@pytest.mark.parametrize("kind", OF_THE_SET)
def test_the_order_of_changes_says_nothing(kind: str) -> None:
    rng = random.Random(7)
    router = KeyRouter(kind, NAMES[:10])
    weights = dict.fromkeys(NAMES[:10], 1)
    for step in range(1, 30):
        name = rng.choice(NAMES[:20])
        weight = rng.choice([0, 1, 1, 5])
        if name not in weights and weight:
            router.add(name, weight)
        elif weight == 0 and name in weights and len(weights) > 1:
            router.remove(name)
        else:
            router.apply(step, {name: weight})
        weights = {each: w for each, w in (weights | {name: weight}).items() if w}
        assert router.weights == weights
    fresh = KeyRouter(kind, weights, weights)
    assert routes(router) == routes(fresh)
    assert (router.route_many(NUMBERS) == fresh.route_many(NUMBERS)).all()


def test_members_of_dx_go_and_come_back_in_any_order() -> None:
    one, other = KeyRouter("dx", NAMES), KeyRouter("dx", NAMES)
    gone = random.Random(3).sample(NAMES, 30)
    for name in gone:
        one.remove(name)
    for name in reversed(gone):
        other.remove(name)
    up = dict.fromkeys(set(NAMES) - set(gone), 1)
    twin = oracle.Dx(up, NAMES)
    assert routes(one) == routes(other) == {key: twin.route(oracle.hash_of("dx", key)) for key in KEYS}
    for name in gone:
        one.add(name)
    assert routes(one) == routes(KeyRouter("dx", NAMES))


def test_anchors_that_follow_one_log_agree_and_the_order_of_changes_counts() -> None:
    log = [{NAMES[3]: 0}, {NAMES[7]: 0}, {"new": 1}, {NAMES[1]: 0, NAMES[2]: 0, "newer": 1}]
    one, other, swapped = (KeyRouter("anchor", NAMES[:10]) for _ in range(3))
    twin = oracle.Anchor(NAMES[:10], 20)
    for revision, changes in enumerate(log, 1):
        one.apply(revision, changes)
        other.apply(revision, changes)
        for name in sorted(name for name in changes if changes[name]):
            twin.add(name)
        for name in sorted((name for name in changes if not changes[name]), reverse=True):
            twin.remove(name)
    assert routes(one) == routes(other) == {key: twin.route(oracle.hash_of("anchor", key)) for key in KEYS}
    for revision, i in enumerate((1, 0, 2, 3), 1):
        swapped.apply(revision, log[i])
    assert routes(swapped) != routes(one)


# Golden vectors from outside


def test_jump_is_as_published() -> None:
    # dgryski/go-jump, jump_test.go ("generated from the reference C++ code"), by number of buckets from 1.
    vectors = {
        0: [0] * 20,
        1: [0, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 17, 17],
        0xDEADBEEF: [0, 1, 2, 3, 3, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 16, 16, 16],
        0x0DDC0FFEEBADF00D: [0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 15, 15, 15, 15],
    }
    for key, buckets in vectors.items():
        for members, bucket in enumerate(buckets, 1):
            assert KeyRouter("jump", NAMES[:members]).route(key) == NAMES[bucket]
    # lithammer/python-jump-consistent-hash, tests/test_jump.py: (key, buckets, bucket).
    for key, members, bucket in [(42, 57, 43), (0xDEAD10CC, 666, 361), (256, 1024, 520)]:
        assert KeyRouter("jump", map(str, range(members))).route(key) == str(bucket)


def test_the_ring_is_that_of_ketama() -> None:
    # spymemcached, KetamaNodeLocatorTest.java: testLookups, testContinuumWrapping, testClusterResizing,
    # testLibKetamaCompat. Servers are 127.0.0.1:10000 and on.
    servers = [f"127.0.0.1:{port}" for port in range(10000, 10005)]
    four = {"dustin": 0, "noelani": 2, "some other key": 0, "V5XS8C8N": 3, "8KR2DKR2": 3, "L9KH6X4X": 3}
    five = {"dustin": 0, "noelani": 2, "some other key": 4, "36": 2, "10037": 3, "22051": 1, "49044": 4}
    router = KeyRouter("ring", servers[:4])
    assert routes(router, four) == {key: servers[i] for key, i in four.items()}
    router.add(servers[4])
    assert routes(router, five) == {key: servers[i] for key, i in five.items()}


def test_maglev_fills_its_table_as_envoy_does() -> None:
    # Envoy, test/common/upstream/maglev_lb_test.cc: Basic, BasicWithHostName, Weighted.
    servers = [f"127.0.0.1:{port}" for port in range(90, 96)]
    assert oracle.Maglev(dict.fromkeys(servers, 1), 7).owners == [servers[i] for i in (2, 4, 0, 1, 5, 0, 3)]
    ports = [server.split(":")[1] for server in servers]
    assert oracle.Maglev(dict.fromkeys(ports, 1), 7).owners == [ports[i] for i in (2, 5, 0, 3, 4, 1, 0)]
    weighted = oracle.Maglev({servers[0]: 1, servers[1]: 2}, 17).owners
    assert weighted == [servers[i] for i in (1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1)]
