"""What calls of a channel go by: keys, limits, probes and what endpoints tell of their load."""

import asyncio
from collections import Counter

import grpc
from servers import DEADLINE_S, GONE, SERVICE, all_ready, echo, failure, serving, static

from lbsuite.channels.channel import channel
from lbsuite.channels.retry import Retry
from lbsuite.events import Contact, Joined, Left, Reported
from lbsuite.registry.memory import Memory
from lbsuite.wire import orca_messages, services
from waiting import eventually


async def test_who_finds_all_full_hears_so() -> None:
    source = Memory()
    async with serving(1) as servers, channel(source) as balanced:
        source.join(Joined(servers[0].address, limit=1))
        await balanced.channel_ready()
        servers[0].gate.clear()
        first = echo(balanced)(b"", timeout=DEADLINE_S)
        error = await failure(echo(balanced)(b"", timeout=DEADLINE_S))
        assert (error.code(), error.details()) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "every endpoint of Memory is full",
        )
        servers[0].gate.set()
        await first


async def test_calls_queue_for_a_slot_where_that_is_asked_for() -> None:
    source = Memory()
    async with serving(1) as servers, channel(source, queue_s=DEADLINE_S) as balanced:
        source.join(Joined(servers[0].address, limit=1))
        await balanced.channel_ready()
        servers[0].gate.clear()
        calls = [echo(balanced)(b"", timeout=DEADLINE_S) for _ in range(5)]
        assert balanced.status().waiting == 4
        calls[1].cancel()
        late = await failure(echo(balanced)(b"", timeout=0.05))
        assert late.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert balanced.status().waiting == 3
        servers[0].gate.set()
        for call in (calls[0], *calls[2:]):
            assert await call == servers[0].address.encode()
        assert balanced.status().endpoints[0].tasks == 0


async def test_a_place_in_the_queue_is_good_for_so_long_only() -> None:
    source = Memory()
    async with serving(1) as servers, channel(source, queue_s=0.05) as balanced:
        source.join(Joined(servers[0].address, limit=1))
        await balanced.channel_ready()
        servers[0].gate.clear()
        first = echo(balanced)(b"", timeout=DEADLINE_S)
        error = await failure(echo(balanced)(b"", timeout=DEADLINE_S))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        servers[0].gate.set()
        await first


async def test_prequal_probes_and_goes_by_the_answers() -> None:
    async with serving(3) as servers, channel(static(servers), policy="prequal") as balanced:
        await all_ready(balanced, 3)
        servers[0].tasks = 50
        await echo(balanced)(b"", timeout=DEADLINE_S)
        await eventually(lambda: all(server.probes for server in servers))
        answers = Counter()
        for _ in range(60):
            answers[await echo(balanced)(b"", timeout=DEADLINE_S)] += 1
            await asyncio.sleep(0)
        assert answers[servers[0].address.encode()] < 20


async def test_weights_are_learnt_from_trailers() -> None:
    policy = "weighted_round_robin:weights=reports,blackout_s=0.1,update_s=0.1"
    async with serving(2) as servers, channel(static(servers), policy=policy) as balanced:
        await all_ready(balanced, 2)
        for server, busy in zip(servers, (0.2, 0.8), strict=True):
            report = orca_messages.OrcaLoadReport(application_utilization=busy, rps_fractional=100)
            server.trailers = ((services.LOAD_METADATA, report.SerializeToString()),)

        async def shares_are_four_to_one() -> bool:
            answers = Counter([await echo(balanced)(b"", timeout=DEADLINE_S) for _ in range(100)])
            return 70 <= answers[servers[0].address.encode()] <= 90

        await eventually(shares_are_four_to_one)


async def test_the_tasks_of_others_that_the_list_tells_of_count_until_it_is_heard_no_more() -> None:
    source = Memory()
    async with serving(2) as servers, channel(source, policy="least_load:choices=all") as balanced:
        for server in servers:
            source.join(Joined(server.address))
        await all_ready(balanced, 2)
        while not all(server.calls for server in servers):
            await echo(balanced)(b"", timeout=DEADLINE_S)
        source._tell(Reported(servers[0].address, tasks=5))
        await eventually(lambda: balanced.status().endpoints[0].tasks == 5)
        assert {await echo(balanced)(b"", timeout=DEADLINE_S) for _ in range(5)} == {servers[1].address.encode()}
        source._tell(Contact(up=False, why="nobody answers"))
        await eventually(lambda: balanced.status().endpoints[0].tasks == 0)


async def test_an_endpoint_that_fails_is_ejected() -> None:
    retry = Retry(idempotent=(f"/{SERVICE}/Echo",))
    async with serving(5) as servers, channel(static(servers), policy="round_robin", retry=retry) as balanced:
        await all_ready(balanced, 5)
        servers[0].refusal = GONE
        for _ in range(50):
            await echo(balanced)(b"", timeout=DEADLINE_S)
        assert balanced.status().endpoints[0].state == "ejected"
        assert servers[0].calls <= 6


async def test_an_endpoint_that_leaves_the_list_though_it_is_well_may_come_back_and_one_that_drained_goes() -> None:
    source = Memory()
    async with serving(2) as servers, channel(source) as balanced:
        for server in servers:
            source.join(Joined(server.address))
        await all_ready(balanced, 2)
        source.leave(servers[0].address)
        source.join(Joined(servers[1].address, draining=True))
        source.leave(servers[1].address)
        await eventually(lambda: [each.address for each in balanced.status().endpoints] == [servers[0].address])
        assert await echo(balanced)(b"", timeout=DEADLINE_S) == servers[0].address.encode()


async def test_an_endpoint_that_was_taken_off_the_list_on_purpose_goes_at_once() -> None:
    source = Memory()
    async with serving(2) as servers, channel(source) as balanced:
        for server in servers:
            source.join(Joined(server.address))
        await all_ready(balanced, 2)
        source._tell(Left(servers[0].address, meant=True))
        await eventually(lambda: [each.address for each in balanced.status().endpoints] == [servers[1].address], 2.0)
