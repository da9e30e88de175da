"""What placers are given that is no placement: numbers of any size, names of other types, snapshots made up."""

import struct
from collections.abc import Callable

import numpy
import pytest

from lbsuite import KeyRouter, Placer, SetPlacer, place
from oracle.numbers import xxh64

A, B = "10.0.0.1", "10.0.0.2"
HUGE = [-1, -(2**63) - 1, 2**64, 2**70]


def started() -> Placer:
    placer = Placer(100)
    placer.apply(1, {A: 1, B: 1})
    return placer


NUMBERS: dict[str, Callable[[int], object]] = {
    "a revision": lambda n: started().apply(n, {A: 0}),
    "a preview's revision": lambda n: started().preview(n, {A: 0}),
    "a weight": lambda n: started().apply(2, {A: n}),
    "objects": lambda n: Placer(n),
    "max_servers": lambda n: Placer(10, n),
    "an object": lambda n: started().owner(n),
    "an object of many": lambda n: started().owners(numpy.array([1, n])) if -1 <= n < 2**64 else started().owner(n),
    "an object's copies": lambda n: started().owners_n(n, 1),
    "an id": lambda n: started().server(n),
    "a set's weight": lambda n: SetPlacer().apply({A: n}),
    "a number of objects to place": lambda n: place(n, [A]),
    "an object to place": lambda n: place([n], [A]),
    "a weight to place by": lambda n: place(5, [A], {A: n}),
    "a router's revision": lambda n: KeyRouter("ring", ["a", "b"]).apply(n, {"a": 0}),
    "a router's weight": lambda n: KeyRouter("ring", ["a"], {"a": n}),
    "a weight that comes": lambda n: KeyRouter("ring", ["a"]).add("b", n),
    "a capacity": lambda n: KeyRouter("anchor", ["a"], capacity=n),
}


@pytest.mark.parametrize("number", HUGE)
@pytest.mark.parametrize("what", NUMBERS)
def test_a_number_of_any_size_is_refused_with_its_value(what: str, number: int) -> None:
    with pytest.raises(ValueError, match=f"(out of|is not newer).*: {number}$"):
        NUMBERS[what](number)
    for strange in (1.0, "1", None):
        if what in ("a capacity", "an object of many") and strange is None:
            continue
        with pytest.raises(TypeError):
            NUMBERS[what](strange)  # type: ignore[arg-type]


def test_an_unsigned_object_is_named_as_it_is() -> None:
    with pytest.raises(ValueError, match="18446744073709551615"):
        started().owners(numpy.array([2**64 - 1], dtype="u8"))


def test_the_last_revision_there_is() -> None:
    placer = started()
    placer.apply(2**64 - 1, {A: 0})
    again = Placer.restore(placer.snapshot())
    assert (again.revision, again.digest()) == (2**64 - 1, placer.digest())
    with pytest.raises(ValueError, match="is not newer than 18446744073709551615"):
        again.apply(2**64 - 1, {A: 1})


NO_NAMES: dict[str, Callable[[], object]] = {
    "a batch": lambda: started().apply(2, {A: 3, A.encode(): 5}),  # type: ignore[dict-item]
    "a batch of a set": lambda: SetPlacer().apply({A: 3, A.encode(): 5}),  # type: ignore[dict-item]
    "weights": lambda: place(3, [A], {A: 3, A.encode(): 5}),  # type: ignore[dict-item]
    "servers": lambda: place(3, [A, B.encode()]),  # type: ignore[list-item]
    "one server": lambda: place(3, A),
    "a router's weights": lambda: KeyRouter("ring", ["a"], {"a": 3, b"a": 5}),  # type: ignore[dict-item]
    "pairs": lambda: started().apply(2, [(A, 1), (A, 2)]),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("what", NO_NAMES)
def test_bytes_do_not_pass_for_a_name_and_hide_another(what: str) -> None:
    with pytest.raises(TypeError, match=r"is a str, not b'|not one str|are a mapping"):
        NO_NAMES[what]()


def test_a_name_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        KeyRouter("ring", ["\ud800"])


def test_objects_come_as_any_integers() -> None:
    expected = place([1, 3, 5], [A, B])
    for objects in (numpy.array([5, 1, 3], dtype="u2"), range(1, 6, 2), {3, 5, 1}, (o for o in (5, 3, 1))):
        assert place(objects, [A, B]) == expected
    assert place(numpy.int64(7), [A, B]) == place(7, [A, B])  # type: ignore[arg-type]
    for strange in ([1.0], ["1"], "12", [None]):
        with pytest.raises(TypeError, match="integer"):
            place(strange, [A, B])  # type: ignore[arg-type]


def made_up(
    owners: list[int],
    servers: list[tuple[int, int, int]],
    objects: int | None = None,
    most: int = 4095,
    count: int | None = None,
    more: bytes = b"",
) -> bytes:
    """A snapshot with a right digest, whatever it says. servers: (id, address, weight)."""
    sizes = (len(owners) if objects is None else objects, most, len(servers) if count is None else count)
    body = b"lbsplac1" + struct.pack("<QIII", 7, *sizes)
    body += b"".join(struct.pack("<HIB", *server) for server in servers)
    body += struct.pack(f"<{len(owners)}H", *owners) + more
    return body + struct.pack("<Q", xxh64(body, 0))


TWO = [(0, 1, 1), (1, 2, 1)]
MADE_UP = {
    "out of balance": (made_up([0, 0, 0, 1], TWO), "not in balance"),
    "out of balance by weight": (made_up([0, 0, 1, 1], [(0, 1, 3), (1, 2, 1)]), "not in balance"),
    "a free id owns": (made_up([0, 1, 0, 2], [(0, 1, 1), (2, 2, 1)]), "an owner that is not up"),
    "an id beyond owns": (made_up([0, 9], TWO), "an owner that is not up"),
    "nobody owns one": (made_up([0, 65535], TWO), "an owner that is not up"),
    "more than max_servers": (made_up([0, 1], TWO, most=1), "more servers than max_servers"),
    "an id out of range": (made_up([0], [(4095, 1, 1)]), "ids out of order"),
    "ids out of order": (made_up([0, 1], TWO[::-1]), "ids out of order"),
    "an id twice": (made_up([0, 0], [(0, 1, 1), (0, 2, 1)]), "ids out of order"),
    "a server twice": (made_up([0, 1], [(0, 1, 1), (1, 1, 1)]), "a server"),
    "nobody as a server": (made_up([0], [(0, 0, 1)]), "a server"),
    "a weight of 0": (made_up([0], [(0, 1, 0)]), "a weight"),
    "a weight of 65": (made_up([0], [(0, 1, 65)]), "a weight"),
    "all the servers there could be": (made_up([0], [(0, 1, 1)], count=2**32 - 1), "snapshot"),
    "all the objects there could be": (made_up([0], TWO, objects=2**32 - 1), r"1\.\.65536: 4294967295"),
    "no objects": (made_up([], TWO), r"1\.\.65536: 0"),
    "too few objects": (made_up([0, 1], TWO, objects=4), "ends too soon"),
    "something more": (made_up([0, 1], TWO, more=b"x"), "another spelling"),
    "owners of nobody's objects": (made_up([3], []), "another spelling"),
}


@pytest.mark.parametrize("case", MADE_UP)
def test_a_snapshot_of_no_placement_is_refused_though_its_digest_is_right(case: str) -> None:
    snapshot, blamed = MADE_UP[case]
    with pytest.raises(ValueError, match=blamed):
        Placer.restore(snapshot)


def test_a_made_up_snapshot_that_is_one_is_restored() -> None:
    placer = Placer.restore(made_up([0, 1, 0, 1], TWO))
    assert placer.weights == {"0.0.0.1": 1, "0.0.0.2": 1}
    assert placer.owned("0.0.0.2").tolist() == [1, 3]
