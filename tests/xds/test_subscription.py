"""What a client is told when, by the protocol, without a network."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsuite.wire.refusal import Refused
from lbsuite.xds import messages
from lbsuite.xds.catalog import CLUSTER, ENDPOINTS, LISTENER, ROUTE, TYPES, WHOLE, Resource, resource
from lbsuite.xds.delta import Delta
from lbsuite.xds.subscription import MAX_CHARACTERS, MAX_NAMES, Subscription
from lbsuite.xds.whole import Whole

Resources = Mapping[str, Resource]


def there(**contents: int) -> Resources:
    """Resources by name; the number is all that is in them."""
    return {name: resource(messages.Locality(zone=name, sub_zone=str(number))) for name, number in contents.items()}


def ask(client: Whole, *names: str, answering: Any = None, error: str = "") -> None:
    request = messages.DiscoveryRequest(type_url=client.type_url, resource_names=names)
    if answering is not None:
        request.response_nonce, request.version_info = answering.nonce, answering.version_info
    if error:
        request.error_detail.message = error
    client.ask(request)


def told(answer: Any) -> list[str]:
    """The names in a response."""
    assert answer is not None
    return [messages.Locality.FromString(packed.value).zone for packed in answer.resources]


# State of the world


@pytest.mark.parametrize("type_url", WHOLE)
def test_an_empty_first_request_for_a_listener_or_a_cluster_means_everything(type_url: str) -> None:
    client = Whole(type_url)
    ask(client)
    answer = client.answer(there(a=1, b=1))
    assert told(answer) == ["a", "b"]
    assert answer.type_url == type_url


@pytest.mark.parametrize("type_url", [ENDPOINTS, ROUTE])
def test_endpoints_and_routes_are_told_to_those_who_name_them(type_url: str) -> None:
    client = Whole(type_url)
    ask(client)
    assert client.answer(there(a=1)) is None
    ask(client, "a")
    assert told(client.answer(there(a=1, b=1))) == ["a"]


@pytest.mark.parametrize("type_url", TYPES)
def test_nothing_is_told_that_changes_nothing(type_url: str) -> None:
    client = Whole(type_url)
    ask(client, "a")
    first = client.answer(there(a=1))
    ask(client, "a", answering=first)
    assert client.answer(there(a=1)) is None
    assert client.answer(there(a=1, b=1)) is None
    second = client.answer(there(a=2))
    assert told(second) == ["a"]
    assert first.nonce != second.nonce
    assert first.version_info != second.version_info


def test_endpoints_that_do_not_exist_yet_are_waited_for() -> None:
    client = Whole(ENDPOINTS)
    ask(client, "a", "b")
    first = client.answer(there(a=1))
    assert told(first) == ["a"]
    ask(client, "a", "b", answering=first)
    assert told(client.answer(there(a=1, b=1))) == ["b"]


def test_a_cluster_that_does_not_exist_is_left_out_and_one_that_ends_too() -> None:
    client = Whole(CLUSTER)
    ask(client, "a", "b")
    assert told(client.answer(there(a=1))) == ["a"]
    assert told(client.answer(there(a=1, b=1))) == ["a", "b"]
    assert told(client.answer(there(b=1))) == ["b"]
    assert told(client.answer({})) == []


def test_whoever_asks_for_more_is_answered_though_nothing_changed() -> None:
    client = Whole(CLUSTER)
    ask(client, "a")
    first = client.answer(there(a=1, b=1))
    ask(client, "a", "b", answering=first)
    assert told(client.answer(there(a=1, b=1))) == ["a", "b"]


@pytest.mark.parametrize("type_url", TYPES)
def test_whoever_asks_for_less_is_not_answered_and_told_again_if_it_asks_again(type_url: str) -> None:
    client = Whole(type_url)
    ask(client, "a", "b")
    first = client.answer(there(a=1, b=1))
    ask(client, "a", answering=first)
    assert (client.answer(there(a=1)) if type_url in WHOLE else client.answer(there(a=1, b=1))) is None
    ask(client, "a", "b", answering=first)
    assert "b" in told(client.answer(there(a=1, b=1)))


def test_an_empty_request_after_names_means_nothing_any_more() -> None:
    client = Whole(LISTENER)
    ask(client, "a")
    first = client.answer(there(a=1, b=1))
    ask(client, answering=first)
    assert not client.follows("a")
    assert not client.everything


def test_a_star_means_everything_beside_names() -> None:
    client = Whole(CLUSTER)
    ask(client, "*", "a")
    assert told(client.answer(there(a=1, b=1))) == ["a", "b"]


def test_a_request_that_answers_an_older_response_is_passed_over() -> None:
    client = Whole(ENDPOINTS)
    ask(client, "a")
    first = client.answer(there(a=1))
    second = client.answer(there(a=2))
    ask(client, "a", "b", answering=first, error="too late")
    assert (client.error, client.accepted, client.follows("b")) == ("", "", False)
    ask(client, "a", "b", answering=second)
    assert client.accepted == second.version_info
    assert client.follows("b")


def test_what_was_refused_is_not_sent_again_and_the_words_are_kept_until_a_change_is_taken() -> None:
    client = Whole(CLUSTER)
    ask(client)
    first = client.answer(there(a=1))
    ask(client, answering=first)
    second = client.answer(there(a=2))
    ask(client, answering=second, error="no such\npolicy\x1b[31m" + "!" * 1000)
    assert client.accepted == first.version_info
    assert client.error.startswith("no such\\npolicy\\x1b[31m!")
    assert len(client.error) <= 2 * MAX_CHARACTERS
    assert client.answer(there(a=2)) is None
    third = client.answer(there(a=3))
    ask(client, answering=third)
    assert (client.accepted, client.error) == (third.version_info, "")


def test_too_many_names_are_refused() -> None:
    with pytest.raises(Refused, match=str(MAX_NAMES)):
        ask(Whole(ENDPOINTS), *(str(number) for number in range(MAX_NAMES + 1)))


# Incremental


def ask_delta(
    client: Delta, *more: str, less: tuple[str, ...] = (), answering: Any = None, error: str = "", has: Any = None
) -> None:
    request = messages.DeltaDiscoveryRequest(
        type_url=client.type_url,
        resource_names_subscribe=more,
        resource_names_unsubscribe=less,
        initial_resource_versions=has,
    )
    if answering is not None:
        request.response_nonce = answering.nonce
    if error:
        request.error_detail.message = error
    client.ask(request)


def named(answer: Any) -> tuple[list[str], list[str]]:
    """What is there and what is gone, by an incremental response."""
    assert answer is not None
    return [each.name for each in answer.resources], list(answer.removed_resources)


def test_an_incremental_client_is_told_what_differs() -> None:
    client = Delta(CLUSTER)
    ask_delta(client)
    first = client.answer(there(a=1, b=1))
    assert named(first) == (["a", "b"], [])
    ask_delta(client, answering=first)
    assert client.accepted == first.system_version_info
    assert client.answer(there(a=1, b=1)) is None
    assert named(client.answer(there(a=2, c=1))) == (["a", "c"], ["b"])


def test_an_incremental_client_is_told_at_once_of_what_is_not_there() -> None:
    client = Delta(ENDPOINTS)
    ask_delta(client, "a", "b")
    assert named(client.answer(there(a=1))) == (["a"], ["b"])
    assert named(client.answer(there(a=1, b=1))) == (["b"], [])


def test_an_incremental_client_with_no_cluster_to_hear_of_is_told_so() -> None:
    client = Delta(CLUSTER)
    ask_delta(client)
    assert named(client.answer({})) == ([], [])
    assert client.answer({}) is None


def test_an_incremental_client_that_comes_back_is_told_what_it_missed() -> None:
    before, now = there(a=1, b=1, c=1), there(a=1, b=2)
    client = Delta(ENDPOINTS)
    ask_delta(client, "a", "b", "c", has={name: each.version for name, each in before.items()})
    assert named(client.answer(now)) == (["b"], ["c"])


def test_an_incremental_client_that_has_let_go_is_not_told() -> None:
    client = Delta(ENDPOINTS)
    ask_delta(client, "a", "b")
    first = client.answer(there(a=1, b=1))
    ask_delta(client, less=("b",), answering=first)
    assert client.answer(there(a=1, b=2)) is None
    ask_delta(client, "b")
    assert named(client.answer(there(a=1, b=2))) == (["b"], [])


def test_an_incremental_refusal_is_kept() -> None:
    client = Delta(CLUSTER)
    ask_delta(client)
    first = client.answer(there(a=1))
    ask_delta(client, answering=first, error="no")
    assert (client.accepted, client.error) == ("", "no")
    assert client.answer(there(a=1)) is None


# Both


NAMES = st.frozensets(st.sampled_from("abcd"))
STEPS = st.lists(st.tuples(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2)), NAMES), min_size=1, max_size=12)


def settle(client: Subscription, exists: Resources, known: dict[str, bytes]) -> Any:
    """Takes in what is due as a client does."""
    answer = client.answer(exists)
    if answer is None:
        return None
    if isinstance(client, Delta):
        known |= {each.name: each.resource.value for each in answer.resources}
        for name in answer.removed_resources:
            known.pop(name, None)
    else:
        if client.type_url in WHOLE:
            known.clear()
        known |= {messages.Locality.FromString(each.value).zone: each.value for each in answer.resources}
    assert client.answer(exists) is None
    return answer


@pytest.mark.parametrize("type_url", TYPES)
@pytest.mark.parametrize("kind", [Whole, Delta])
@given(steps=STEPS)
def test_whatever_happens_a_client_ends_up_with_what_there_is_of_what_it_wants(
    kind: type[Whole] | type[Delta], type_url: str, steps: list[tuple[dict[str, int], frozenset[str]]]
) -> None:
    client, wants, known, last = kind(type_url), frozenset(), dict[str, bytes](), None
    for contents, names in steps:
        exists = there(**contents)
        if isinstance(client, Delta):
            # An empty first request would mean everything.
            more = sorted(names - wants) or ["z"] * (not wants)
            ask_delta(client, *more, less=tuple(sorted(wants - names)), answering=last)
        else:
            ask(client, *(sorted(names) or ["z"]), answering=last)
        known = {name: content for name, content in known.items() if name in names}
        wants = names
        last = settle(client, exists, known) or last
        expected = {name: each.packed.value for name, each in exists.items() if name in names}
        if kind is Delta or type_url in WHOLE:
            assert known == expected
        else:
            assert expected.items() <= known.items()
