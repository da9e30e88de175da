"""What channels of both kinds promise alike."""

import asyncio
import time
from collections import Counter

import grpc
import pytest
from kinds import KINDS, Aio, Kind, Sync, opened
from servers import DEADLINE_S, GONE, REFUSED, SERVICE, all_ready, serving, static

from lbsuite import Hedge, Policy, Request, Retry, Rng, View
from lbsuite.channels.hedge import LEAST
from lbsuite.events import Joined
from lbsuite.registry.memory import Memory
from waiting import eventually

pytestmark = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)

IDEMPOTENT = Retry(idempotent=(f"/{SERVICE}/Echo",))


async def failure(door: Aio | Sync, **call: float) -> grpc.RpcError:
    with pytest.raises(door.error) as caught:
        await door.echo(**call)
    error: grpc.RpcError = caught.value
    return error


async def test_each_of_several_endpoints_gets_its_share(kind: Kind) -> None:
    async with serving(3) as servers, opened(kind, static(servers), 3, policy="round_robin") as door:
        answers = Counter([await door.echo() for _ in range(30)])
        assert answers == {server.address.encode(): 10 for server in servers}


async def test_an_endpoint_that_stopped_costs_nobody_a_call_and_serves_again_once_it_is_back(kind: Kind) -> None:
    async with serving(3) as servers, opened(kind, static(servers), 3, policy="round_robin") as door:
        await servers[0].stop()
        answers = {await door.echo() for _ in range(30)}
        assert answers == {server.address.encode() for server in servers[1:]}
        await servers[0].start()
        await all_ready(door.channel, 3)
        assert servers[0].address.encode() in {await door.echo() for _ in range(3)}


async def test_a_call_that_was_turned_away_is_tried_elsewhere_whatever_its_method(kind: Kind) -> None:
    async with serving(3) as servers, opened(kind, static(servers), 3, policy="pick_first") as door:
        servers[0].refusal = REFUSED
        assert await door.echo() == servers[1].address.encode()
        assert door.channel.status().retries == 1


async def test_a_call_whose_handler_may_have_begun_is_not_tried_again_unasked(kind: Kind) -> None:
    async with serving(2) as servers, opened(kind, static(servers), 2, policy="pick_first") as door:
        servers[0].refusal = GONE
        error = await failure(door)
        assert (error.code(), error.details()) == GONE[:2]
        assert [server.calls for server in servers] == [1, 0]


async def test_an_idempotent_method_is_tried_again_at_most_so_often(kind: Kind) -> None:
    async with serving(4) as servers, opened(kind, static(servers), 4, policy="pick_first", retry=IDEMPOTENT) as door:
        for server in servers[:3]:
            server.refusal = GONE
        assert (await failure(door)).code() is grpc.StatusCode.UNAVAILABLE
        assert [server.calls for server in servers] == [1, 1, 1, 0]


async def test_a_server_that_stops_in_the_midst_of_an_idempotent_call_costs_none(kind: Kind) -> None:
    async with serving(2) as servers, opened(kind, static(servers), 2, policy="pick_first", retry=IDEMPOTENT) as door:
        servers[0].refusal = (grpc.StatusCode.CANCELLED, "CANCELLED", ())
        assert await door.echo() == servers[1].address.encode()


async def test_the_only_endpoint_is_asked_again_after_a_while(kind: Kind) -> None:
    async with serving(1) as servers, opened(kind, static(servers), 1, retry=IDEMPOTENT) as door:
        servers[0].refusal = GONE
        call = asyncio.create_task(door.echo())
        await eventually(lambda: servers[0].calls == 1)
        servers[0].refusal = None
        assert await call == servers[0].address.encode()


async def test_a_deadline_is_kept_over_retries(kind: Kind) -> None:
    async with serving(2) as servers, opened(kind, static(servers), 2, policy="pick_first") as door:
        servers[0].refusal = REFUSED
        servers[1].gate.clear()
        begun = time.monotonic()
        assert (await failure(door, timeout_s=0.3)).code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert 0.3 <= time.monotonic() - begun < DEADLINE_S
        assert [server.calls for server in servers] == [1, 1]


async def test_calls_of_one_key_go_to_one_endpoint(kind: Kind) -> None:
    async with serving(4) as servers, opened(kind, static(servers), 4, policy="hashed", key=bytes) as door:
        for number in range(10):
            metadata = (("lbsuite-key", f"user {number}"),)
            by_metadata = {await door.echo(metadata=metadata) for _ in range(3)}
            assert by_metadata == {await door.echo(f"user {number}".encode())}
        assert sum(server.calls > 0 for server in servers) > 1


async def test_where_nobody_is_registered_that_is_said_unless_the_call_waits(kind: Kind) -> None:
    source = Memory()
    async with serving(1) as servers, opened(kind, source) as door:
        error = await failure(door)
        assert (error.code(), error.details()) == (grpc.StatusCode.UNAVAILABLE, "nobody is registered for Memory")
        patient = asyncio.create_task(door.echo(wait_for_ready=True))
        await eventually(lambda: door.channel.status().waiting == 1)
        door.tell(source.join, Joined(servers[0].address))
        assert await patient == servers[0].address.encode()


async def test_a_deadline_passes_while_a_call_waits_for_somebody(kind: Kind) -> None:
    async with opened(kind, Memory()) as door:
        error = await failure(door, timeout_s=0.05, wait_for_ready=True)
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_where_every_endpoint_refuses_connections_that_is_said_with_their_addresses(kind: Kind) -> None:
    async with serving(1) as servers:
        await servers[0].stop()
        async with opened(kind, static(servers)) as door:
            error = await failure(door)
            assert error.code() is grpc.StatusCode.UNAVAILABLE
            assert f"{servers[0].address} is lost" in str(error.details())


async def test_calls_of_all_kinds_are_picked_and_end(kind: Kind) -> None:
    async with serving(2) as servers, opened(kind, static(servers), 2, policy="pick_first") as door:
        name = servers[0].address.encode()
        assert await door.count(3) == [name + f" {number}".encode() for number in range(3)]
        assert await door.join([b"a", b"b"]) == name + b" a b"
        assert await door.chat([b"a", b"b"]) == [name + b" a", name + b" b"]
        servers[0].refusal = REFUSED
        name = servers[1].address.encode()
        assert await door.count(2) == [name + b" 0", name + b" 1"]
        await eventually(lambda: [each.tasks for each in door.channel.status().endpoints] == [0, 0])


async def test_a_stream_that_has_grown_old_ends_and_says_why(kind: Kind) -> None:
    stages = ("max_age:age_s=0.2,jitter=0",)
    async with serving(1) as servers, opened(kind, static(servers), 1, stages=stages) as door:
        servers[0].gate.clear()
        with pytest.raises(door.error, match="the age at which this channel has it begun anew"):
            await door.count(1)
        await eventually(lambda: servers[0].running == 0)


async def test_who_finds_all_full_waits_for_a_slot(kind: Kind) -> None:
    source = Memory()
    async with serving(1) as servers, opened(kind, source, queue_s=DEADLINE_S) as door:
        await asyncio.gather(asyncio.to_thread(door.channel.status))
        door.tell(source.join, Joined(servers[0].address, limit=1))
        await eventually(lambda: [each.state for each in door.channel.status().endpoints] == ["ready"])
        servers[0].gate.clear()
        calls = [asyncio.create_task(door.echo()) for _ in range(2)]
        await eventually(lambda: servers[0].running == 1 and door.channel.status().waiting == 1)
        servers[0].gate.set()
        assert await asyncio.gather(*calls) == [servers[0].address.encode()] * 2


async def test_a_policy_that_probes_goes_by_what_endpoints_answer(kind: Kind) -> None:
    async with serving(3) as servers, opened(kind, static(servers), 3, policy="prequal") as door:
        for _ in range(20):
            await door.echo()
        await eventually(lambda: all(server.probes for server in servers))


async def test_a_closed_channel_takes_no_calls(kind: Kind) -> None:
    async with serving(1) as servers:
        async with opened(kind, static(servers), 1) as door:
            await door.echo()
        with pytest.raises((ValueError, grpc.aio.UsageError)):
            await door.echo()


async def test_closing_ends_calls_that_wait_and_calls_that_run(kind: Kind) -> None:
    async with serving(1) as servers:
        servers[0].gate.clear()
        async with opened(kind, static(servers), 1) as door:
            runs = asyncio.create_task(door.echo())
            await eventually(lambda: servers[0].running == 1)
        with pytest.raises((door.error, asyncio.CancelledError, grpc.FutureCancelledError)):
            await runs
        async with opened(kind, Memory()) as door:
            waits = asyncio.create_task(door.echo(wait_for_ready=True))
            await eventually(lambda: door.channel.status().waiting == 1)
        with pytest.raises((door.error, asyncio.CancelledError, grpc.FutureCancelledError)):
            await waits


async def test_a_call_that_takes_longer_than_most_is_answered_by_another_endpoint(kind: Kind) -> None:
    hedge = Hedge(methods=(f"/{SERVICE}/Echo",))
    async with serving(3) as servers, opened(kind, static(servers), 3, policy="pick_first", hedge=hedge) as door:
        for _ in range(LEAST):
            await door.echo()
        servers[0].gate.clear()
        assert await door.echo(timeout_s=10 * DEADLINE_S) == servers[1].address.encode()
        await eventually(lambda: servers[0].running == 0)
        await eventually(lambda: [each.tasks for each in door.channel.status().endpoints] == [0, 0, 0])
        assert (door.channel.status().hedges, door.channel.status().failed_first) == (1, 0)


async def test_a_call_that_is_given_nobody_is_not_told_that_none_serves_where_some_are_ready(kind: Kind) -> None:
    """As happens where a slot becomes free between a pick and the question why it found nobody."""

    class WantsNobody(Policy):
        def pick(self, view: View, request: Request, rng: Rng) -> None:
            return None

    async with serving(1) as servers, opened(kind, static(servers), 1, policy=WantsNobody()) as door:
        error = await failure(door)
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "nobody was picked" in error.details()
