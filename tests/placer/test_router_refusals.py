"""What a key router refuses, in which words, and that nothing changes by it."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from lbsuite import KeyRouter
from router_cases import KINDS, NAMES, WEIGHTED, routes

Act = Callable[[KeyRouter], object]


def refused(words: str, act: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        act()


@pytest.mark.parametrize("kind", KINDS)
def test_bad_members_are_refused_with_the_bad_value(kind: str) -> None:
    cases: list[tuple[list[str], dict[str, int], str]] = [
        ([], {}, "members out of 1..65535: 0"),
        (["a", "b", "a"], {}, "named twice: 'a'"),
        (["a", ""], {}, "a member without a name: ''"),
        (["a"], {"a": 65}, "weight of 'a' out of 0..64: 65"),
        (["a"], {"a": -1}, "weight of 'a' out of 0..64: -1"),
        (["a"], {"a": 0}, "weight of 'a' out of 1..64: 0"),
        (["a"], {"b": 1}, "a weight for 'b', which is no member"),
    ]
    for members, weights, words in cases:
        refused(words, lambda members=members, weights=weights: KeyRouter(kind, members, weights))
    not_names: list[Any] = ["abc", [1], [b"a"]]
    for members in not_names:
        with pytest.raises(TypeError, match=r"a member is a str|not one str"):
            KeyRouter(kind, members)


def test_members_that_are_counted_come_in_an_order() -> None:
    with pytest.raises(TypeError, match="jump counts members as they come, and a set has no order"):
        KeyRouter("jump", {"a", "b"})
    assert KeyRouter("ring", {"a", "b"}).members == ["a", "b"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_change_changes_nothing(kind: str) -> None:
    names = sorted(NAMES)[:10]
    last = names[-1]
    router = KeyRouter(kind, names, capacity=10 if kind == "anchor" else None)
    router.apply(5, {})
    before = routes(router)
    cases: dict[str, dict[str, int]] = {
        "a member without a name: ''": {last: 0, "": 1},
        f"the last member cannot go: '{names[0]}'": dict.fromkeys(names, 0),
        f"weight of '{last}' out of 0..64: 65": {names[0]: 0, last: 65},
    }
    if kind not in WEIGHTED:
        cases[f"{kind} takes no weights: '{last}' has 2"] = {last: 2}
    for words, changes in cases.items():
        refused(words, lambda changes=changes: router.apply(6, changes))
    refused("revision 5 is not newer than 5", lambda: router.apply(5, {last: 0}))
    assert (router.members, router.revision, routes(router)) == (names, 5, before)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "anchor"])
def test_a_member_comes_once_and_goes_once(kind: str) -> None:
    router = KeyRouter(kind, ["a", "b"])
    refused("already a member: 'b'", lambda: router.add("b"))
    refused("not a member: 'c'", lambda: router.remove("c"))
    refused("weight of 'c' out of 1..64: 0", lambda: router.add("c", 0))
    assert router.members == ["a", "b"]


BY_LOG = "anchor goes by the order of changes: use apply(revision, changes), from one log for all"
CANNOT: list[tuple[str, Act, str]] = [
    ("jump", lambda r: r.remove("a"), "jump can only lose its last member 'c', not 'a'"),
    ("jump", lambda r: r.add("d", 2), "jump takes no weights: 'd' has 2"),
    ("dx", lambda r: r.add("d"), "dx takes back the names it was made with, and 'd' is none of them"),
    ("anchor", lambda r: r.add("d"), BY_LOG),
    ("anchor", lambda r: r.remove("a"), BY_LOG),
    ("anchor", lambda r: r.apply(0, {"a": 0}), "revision 0 is not newer than 0"),
    ("slots", lambda r: r.take("a"), "take is for a router with a bound"),
    ("slots", lambda r: r.done("a"), "done is for a router with a bound"),
    ("ring", lambda r: [r.remove(name) for name in "abc"], "the last member cannot go: 'c'"),
]


@pytest.mark.parametrize(("kind", "act", "words"), CANNOT, ids=[f"{kind}-{words[:20]}" for kind, _, words in CANNOT])
def test_what_a_kind_cannot_do_is_refused_by_name(kind: str, act: Act, words: str) -> None:
    router = KeyRouter(kind, ["a", "b", "c"])
    refused(words, lambda: act(router))


def test_an_anchor_has_a_capacity() -> None:
    router = KeyRouter("anchor", ["a", "b", "c"], capacity=4)
    router.apply(1, {"d": 1})
    refused("anchor is full at its capacity of 4: no place for 'e'", lambda: router.apply(2, {"a": 0, "e": 1}))
    router.apply(2, {"a": 0})
    router.apply(3, {"e": 1})
    assert router.members == ["b", "c", "d", "e"]


BAD_SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "no kind of router 'hrw'; there are: " + ", ".join(KINDS): ("hrw", {}),
    "bound out of 1..1000: 0.990000": ("ring", {"bound": 0.99}),
    "bound out of 1..1000: nan": ("ring", {"bound": float("nan")}),
    "bound finer than thousandths: 1.000500": ("ring", {"bound": 1.0005}),
    "ring has no capacity": ("ring", {"capacity": 9}),
    "capacity out of 2..65535: -1": ("anchor", {"capacity": -1}),
}


@pytest.mark.parametrize("words", BAD_SETTINGS)
def test_bad_settings_are_refused_with_the_bad_value(words: str) -> None:
    kind, settings = BAD_SETTINGS[words]
    refused(words, lambda: KeyRouter(kind, ["a", "b"], **settings))


def test_what_a_key_raises_itself_reaches_who_asked() -> None:
    class Odd(int):
        def __str__(self) -> str:
            raise ZeroDivisionError("it cannot be told")

    with pytest.raises(ZeroDivisionError, match="it cannot be told"):
        KeyRouter("ring", ["a"]).route(Odd(2**70))
