"""A key-value store as small as can be, and what is known of it when it is told in pieces."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from lbsuite.events import Balancers, Event, Joined, Left
from lbsuite.registry import etcd_messages as messages
from lbsuite.registry.etcd_keys import EtcdKeys
from lbsuite.registry.member import Member, prefix

ADDRESSES = [f"127.0.0.1:{port}" for port in (4001, 4002, 4003)]
Step = tuple[str, str, int | None]

addresses = st.sampled_from(ADDRESSES)
roles = st.sampled_from(["endpoints", "balancers"])
steps = st.lists(st.tuples(roles, addresses, st.none() | st.integers(0, 3)), max_size=30)


def pair(role: str, address: str, load: int = 0, revision: int = 1) -> messages.KeyValue:
    key = prefix("default") + f"{role}/{address}".encode()
    return messages.KeyValue(key=key, value=Member(address, load=load).to_json(), create_revision=revision)


class Store:
    """Pairs by key; every step is a write (a load) or a deletion (None)."""

    def __init__(self) -> None:
        self.pairs: dict[bytes, messages.KeyValue] = {}
        self.revision = 1

    def step(self, step: Step) -> tuple[bytes, messages.KeyValue | None]:
        role, address, load = step
        self.revision += 1
        written = pair(role, address, load or 0, self.revision)
        if load is None:
            self.pairs.pop(written.key, None)
            return written.key, None
        if written.key in self.pairs:
            written.create_revision = self.pairs[written.key].create_revision
        self.pairs[written.key] = written
        return written.key, written

    def snapshot(self) -> list[messages.KeyValue]:
        return [self.pairs[key] for key in sorted(self.pairs)]


def fold(events: Iterable[Event], members: dict[str, Joined], balancers: set[str]) -> None:
    for event in events:
        match event:
            case Joined():
                assert members.get(event.address) != event, "told of what did not change"
                members[event.address] = event
            case Left():
                del members[event.address]
            case Balancers():
                balancers.clear()
                balancers.update(event.addresses)


def refuse(error: ValueError) -> None:
    raise AssertionError(error)


@given(steps, st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_what_is_known_is_what_is_there_however_the_story_is_cut(
    story: list[Step], snapshots: set[int], unheard: set[int]
) -> None:
    store, keys = Store(), EtcdKeys("default", refuse)
    members: dict[str, Joined] = {}
    balancers: set[str] = set()
    fold(keys.replace(store.snapshot()), members, balancers)
    missed = False
    for number, step in enumerate(story):
        key, written = store.step(step)
        if number in snapshots:
            missed = False
            fold(keys.replace(store.snapshot()), members, balancers)
        elif missed or number in unheard:
            missed = True
        else:
            fold(keys.put(written) if written else keys.delete(key), members, balancers)
    fold(keys.replace(store.snapshot()), members, balancers)
    there = [
        Member.from_json(each.value).joined(each.create_revision) for each in store.snapshot() if b"/end" in each.key
    ]
    assert members == {joined.address: joined for joined in there}
    assert balancers == {Member.from_json(each.value).address for each in store.snapshot() if b"/bal" in each.key}


def test_the_first_list_is_told_in_order_of_joining_and_ends_with_the_balancers() -> None:
    pairs = [pair("endpoints", ADDRESSES[0], revision=9), pair("endpoints", ADDRESSES[1], revision=4)]
    events = list(EtcdKeys("default", refuse).replace(pairs))
    assert [event.address for event in events if isinstance(event, Joined)] == [ADDRESSES[1], ADDRESSES[0]]
    assert events[-1] == Balancers(frozenset())


def test_junk_is_told_to_skip_and_changes_nothing() -> None:
    junk: list[ValueError] = []
    keys = EtcdKeys("default", junk.append)
    known = pair("endpoints", ADDRESSES[0])
    picking = pair("balancers", ADDRESSES[1])
    assert len(list(keys.replace([known, picking]))) == 2
    spoilt = [messages.KeyValue(key=each.key, value=b"junk", create_revision=1) for each in (known, picking)]
    stray = messages.KeyValue(key=prefix("default") + b"endpoints/nowhere", value=b"{}")
    liar = messages.KeyValue(key=pair("endpoints", ADDRESSES[2]).key, value=known.value)
    for each in [*spoilt, stray, liar]:
        assert not list(keys.put(each))
    assert not list(keys.replace([*spoilt, stray, liar]))
    assert len(junk) == 8
    assert list(keys.delete(known.key)) == [Left(ADDRESSES[0])]
    assert list(keys.delete(picking.key)) == [Balancers(frozenset())]
