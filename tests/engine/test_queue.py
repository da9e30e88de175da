"""Waiting as an option: who finds all full gets a ticket, and a pick as soon as a slot is free."""

import threading
import time

import pytest

import lbsuite
from lbsuite import _core

A, B = "127.0.0.1:4001", "127.0.0.1:4002"


def engine(limit: int = 1, **settings: object) -> _core.Engine:
    made = _core.Engine(**{"queue_s": 10.0, **settings})  # type: ignore[arg-type]
    made.join(A, 0.0, limit=limit)
    return made


def pick(of: _core.Engine, now: float, **request: object) -> _core.Pick:
    picked = of.pick(now, **request)  # type: ignore[arg-type]
    assert isinstance(picked, _core.Pick)
    return picked


def ticket(of: _core.Engine, now: float, **request: object) -> _core.Ticket:
    given = of.pick(now, **request)  # type: ignore[arg-type]
    assert isinstance(given, _core.Ticket)
    return given


def test_without_it_nobody_waits() -> None:
    plain = engine(queue_s=0)
    pick(plain, 0.0)
    assert plain.pick(0.0) is None
    assert plain.why(0.0) == "all_full"


def test_a_ticket_is_answered_by_an_effect_with_its_pick() -> None:
    one = engine()
    first, waits = pick(one, 0.0), ticket(one, 1.0)
    assert one.effects() == []
    one.done(first, 2.0)
    (effect,) = one.effects()
    assert (effect.kind, effect.ticket, effect.address, effect.now) == ("answered", waits, A, 2.0)
    assert effect.pick is not None
    assert effect.pick.endpoint == A
    assert [endpoint.tasks for endpoint in one.endpoints(2.0)] == [1], "it has its slot before it is fetched"
    one.done(effect.pick, 3.0)
    one.done(effect.pick, 3.0)  # a second end is ignored
    assert [endpoint.tasks for endpoint in one.endpoints(3.0)] == [0]


def test_other_effects_have_no_ticket() -> None:
    one = engine()
    one.lost(A, 1.0)
    assert [(effect.kind, effect.ticket, effect.pick) for effect in one.effects()] == [("lost", None, None)]


def test_tickets_of_one_engine_are_equal_by_number_and_can_be_keys() -> None:
    one = engine()
    first, waits = pick(one, 0.0), ticket(one, 0.0)
    other = ticket(one, 0.0)
    one.done(first, 1.0)
    (effect,) = one.effects()
    assert {waits: "mine", other: "another's"}[effect.ticket] == "mine"
    assert repr(waits) == "Ticket(number=1)"


def test_a_ticket_of_another_engine_is_refused_and_equal_to_none_here() -> None:
    one, other = engine(), engine()
    pick(one, 0.0)
    pick(other, 0.0)
    waits, stranger = ticket(one, 0.0), ticket(other, 0.0)
    assert waits != stranger
    with pytest.raises(ValueError, match="ticket 1 is another engine's"):
        one.cancel(stranger, 1.0)
    assert one.cancel(waits, 1.0)


def test_who_excludes_all_that_serve_does_not_wait() -> None:
    one = engine()
    assert one.pick(0.0, exclude=[A]) is None
    assert one.why(0.0) == "ready"
    one.join(B, 0.0, limit=1)
    full = [pick(one, 0.0), pick(one, 0.0)]
    assert one.pick(0.0, exclude=[B, A]) is None
    waits = ticket(one, 0.0, exclude=[full[0].endpoint])
    one.report(full[1].endpoint, 1.0, tasks=1, available=False)
    other = ticket(one, 1.0, exclude=[full[0].endpoint])  # one that is unavailable now will have a slot
    assert one.cancel(other, 1.0)
    one.done(full[0], 2.0)
    assert one.effects() == []
    one.report(full[1].endpoint, 3.0, tasks=0)
    one.done(full[1], 3.0)
    assert [effect.ticket for effect in one.effects()] == [waits]


def test_a_deadline_is_a_time() -> None:
    with pytest.raises(ValueError, match="deadline is not a time: nan"):
        engine().pick(0.0, deadline=float("nan"))


def test_who_has_gone_takes_no_slot() -> None:
    one = engine()
    first, gone, waits = pick(one, 0.0), ticket(one, 0.0), ticket(one, 0.0)
    assert one.cancel(gone, 1.0)
    assert not one.cancel(gone, 1.0)
    one.done(first, 2.0)
    assert [effect.ticket for effect in one.effects()] == [waits]
    assert not one.cancel(waits, 3.0)


def test_who_waits_in_vain_hears_it_at_its_deadline() -> None:
    one = engine()
    pick(one, 0.0)
    hurried, waits = ticket(one, 1.0, deadline=3.0), ticket(one, 1.0)
    assert one.next_deadline() == 3.0
    one.expire(3.0)
    assert [(effect.kind, effect.ticket, effect.pick) for effect in one.effects()] == [("timed_out", hurried, None)]
    assert one.next_deadline() == 11.0
    one.expire(11.0)
    assert [effect.ticket for effect in one.effects()] == [waits]
    assert one.next_deadline() == float("inf")


def test_beyond_its_bound_all_are_full() -> None:
    one = engine(queue_tickets=2)
    pick(one, 0.0)
    ticket(one, 0.0)
    ticket(one, 0.0)
    assert one.pick(0.0) is None
    assert one.why(0.0) == "all_full"


@pytest.mark.parametrize(("order", "expected"), [("fifo", [1, 2, 3]), ("deadline", [3, 1, 2]), ("priority", [2, 1, 3])])
def test_the_order_of_service_is_chosen(order: str, expected: list[int]) -> None:
    one = engine(queue_order=order)
    pick(one, 0.0)
    for deadline, priority in ((8.0, 1), (None, 0), (5.0, 1)):
        ticket(one, 0.0, deadline=deadline, priority=priority)
    one.join(A, 1.0, limit=4)
    assert [effect.ticket.number for effect in one.effects() if effect.ticket] == expected


def test_the_policy_chooses_when_a_slot_is_free_and_not_before() -> None:
    one = engine(policy="pick_first")
    pick(one, 0.0)
    ticket(one, 0.0)
    one.switch("round_robin", 1.0)
    one.join(B, 2.0)
    assert [effect.address for effect in one.effects()] == [B]


@pytest.mark.parametrize(
    ("settings", "blamed"),
    [
        ({"queue_s": -1.0}, "queue_s out of 0..86400: -1"),
        ({"queue_s": float("nan")}, "queue_s out of 0..86400: nan"),
        ({"queue_tickets": 0}, "queue_tickets out of 1..1000000: 0"),
        ({"queue_order": "lifo"}, "no queue_order 'lifo'; there are: fifo, deadline, priority"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], blamed: str) -> None:
    with pytest.raises(ValueError, match=blamed):
        _core.Engine(**settings)  # type: ignore[arg-type]


def test_a_log_tells_who_waited_and_what_became_of_them() -> None:
    one = _core.Engine(queue_s=10.0, queue_tickets=3, queue_order="deadline")
    with lbsuite.record(one) as log:
        one.join(A, 0.0, limit=1)
        first = pick(one, 0.0)
        tickets = [ticket(one, 1.0, deadline=deadline) for deadline in (9.0, 4.0, 8.0)]
        assert one.pick(1.0) is None
        one.cancel(tickets[0], 2.0)
        one.done(first, 3.0)
        one.expire(9.0)
    assert log.settings["queue_s"] == 10.0
    assert (log.settings["queue_tickets"], log.settings["queue_order"]) == (3, "deadline")
    replay = lbsuite.replay(log)
    assert replay.picks == replay.recorded == [A, *["waiting"] * 3, "all_full", A, "timed_out"]
    assert lbsuite.replay(log, policy="random").differing == 0


class Moody(lbsuite.Policy):
    """Raises for every other task."""

    def __init__(self) -> None:
        self.asked = 0

    def pick(self, view: lbsuite.View, request: lbsuite.Request, rng: lbsuite.Rng) -> int:
        self.asked += 1
        if self.asked % 2 == 0:
            raise RuntimeError("not now")
        return 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_a_policy_in_python_raises_for_one_who_waits_reaches_nobody() -> None:
    moody = Moody()
    one = engine(policy=moody)
    first, waits = pick(one, 0.0), ticket(one, 0.0)
    one.done(first, 1.0)
    assert moody.asked == 2
    assert one.effects() == []
    one.expire(2.0)
    assert [effect.ticket for effect in one.effects()] == [waits]


def test_threads_that_wait_for_one_anothers_slots_all_get_theirs() -> None:
    one = engine(limit=2)
    told: dict[_core.Ticket, _core.Pick] = {}
    telling, deadline = threading.Lock(), time.monotonic() + 60
    done = []

    def fetch(waits: _core.Ticket) -> _core.Pick:
        while time.monotonic() < deadline:
            with telling:
                told.update({effect.ticket: effect.pick for effect in one.effects() if effect.ticket and effect.pick})
                if waits in told:
                    return told.pop(waits)
        raise TimeoutError(f"{waits} is not answered")

    def call(lane: int) -> None:
        for _ in range(300):
            answer = one.pick(0.0, lane=lane)
            assert answer is not None
            one.done(fetch(answer) if isinstance(answer, _core.Ticket) else answer, 0.0)
            done.append(lane)

    threads = [threading.Thread(target=call, args=(one.lane(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1200
    assert [endpoint.tasks for endpoint in one.endpoints(0.0)] == [0]
