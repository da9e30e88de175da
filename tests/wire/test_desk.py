"""What a server that joined answers beside its tasks, on servers of both kinds, also while it is full."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from joined import DEADLINE_S, SERVERS, SERVICE, Functions, Joined, add_to_server, answers, called, joined

import lbsuite
from lbsuite.wire import messages, orca_messages, services
from waiting import eventually

LIMIT = 2
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest_asyncio.fixture(params=SERVERS)
async def full(request: pytest.FixtureRequest) -> AsyncIterator[Joined]:
    """A server whose every slot is taken."""
    async with joined(request.param, limit=LIMIT, orca_s=0.05) as server:
        running = [asyncio.ensure_future(answers(server.call("unary_unary", b"hold"))) for _ in range(LIMIT)]
        await eventually(lambda: server.limiter.tasks == LIMIT)
        yield server
        server.servicer.release()
        await asyncio.gather(*running)
        assert (server.limiter.finished, server.limiter.refused) == (LIMIT, 0)


async def check(channel: grpc.aio.Channel, service: str = "") -> Any:
    request = health_pb2.HealthCheckRequest(service=service)
    return (await health_pb2_grpc.HealthStub(channel).Check(request, timeout=DEADLINE_S)).status


def stream(server: Joined, request: bytes = b"") -> Any:
    call = server.channel.unary_stream(
        "/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics",
        response_deserializer=orca_messages.OrcaLoadReport.FromString,
    )
    return call(request, timeout=DEADLINE_S)


async def test_health_is_served_for_the_server_and_its_services(full: Joined) -> None:
    assert await check(full.channel) == SERVING
    assert await check(full.channel, SERVICE) == SERVING
    with pytest.raises(grpc.aio.AioRpcError, match="NOT_FOUND"):
        await check(full.channel, "other.Service")


async def test_who_leaves_serves_no_more_and_says_so(full: Joined) -> None:
    await called(full.enrolment.leave)
    assert await check(full.channel) == NOT_SERVING


@pytest.mark.parametrize("side", ["aio", "threads"])
async def test_who_serves_health_already_keeps_theirs(side: str) -> None:
    server, _ = SERVERS[side]()
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    lbsuite.join(server, address=address, max_concurrent=1)
    theirs = health.aio.HealthServicer() if side == "aio" else health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(theirs, server)
    await called(theirs.set, "", NOT_SERVING)
    await called(server.start)
    async with grpc.aio.insecure_channel(address) as channel:
        assert await check(channel) == NOT_SERVING
    await called(server.stop, 0)


async def test_a_probe_tells_of_tasks_and_of_how_long_one_more_would_take(full: Joined) -> None:
    full.limiter.latencies.add(LIMIT, 0.25)
    probe = services.stub(full.channel, "ProbeService").Probe
    reply = await probe(messages.ProbeRequest(), timeout=DEADLINE_S)
    assert (reply.tasks, reply.latency_us) == (LIMIT, 250_000)


async def test_load_is_streamed_no_more_often_than_the_server_wants(full: Joined) -> None:
    reports = stream(full)
    first, second = await reports.read(), await reports.read()
    assert first.application_utilization == second.application_utilization == 1.0
    reports.cancel()
    seldom = orca_messages.OrcaLoadReportRequest(report_interval={"seconds": 3600})
    told = stream(full, seldom.SerializeToString())
    await told.read()
    # It would be another hour until the next; leaving ends it at once.
    await called(full.enrolment.leave)
    assert await told.read() is grpc.aio.EOF
    assert await told.code() is grpc.StatusCode.OK


async def test_bytes_that_are_no_request_are_refused(full: Joined) -> None:
    reports = stream(full, b"\xff\xff")
    assert await reports.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("load", "told"),
    [("tasks", 0.0), (lambda: 0.75, 0.75), (lambda: 1 / 0, 0.0), (lambda: -1.0, 0.0), (lambda: float("nan"), 0.0)],
)
async def test_utilization_is_what_the_user_says_it_is(load: Any, told: float) -> None:
    async with joined("aio", load=load) as server:
        assert server.enrolment.orca.report(10.0).application_utilization == told
        assert await server.answer("unary_unary") == [b"word"]


@pytest.mark.parametrize(("load", "field"), [("memory", "mem_utilization"), ("cpu", "cpu_utilization")])
async def test_utilization_may_be_that_of_the_machine(load: str, field: str) -> None:
    async with joined("aio", load=load) as server:
        report = server.enrolment.orca.report(10.0)
        assert report.application_utilization == getattr(report, field)


@pytest.mark.parametrize("side", SERVERS)
async def test_a_server_that_runs_already_joins_by_hand(side: str) -> None:
    server, servicer = SERVERS[side]()
    add_to_server(servicer, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await called(server.start)
    enrolment = lbsuite.join(server, address=address, max_concurrent=1)
    await called(enrolment.start)
    async with grpc.aio.insecure_channel(address) as channel:
        assert await channel.unary_unary(f"/{SERVICE}/unary_unary")(b"word", timeout=DEADLINE_S) == b"word"
        assert await check(channel) == SERVING
    await eventually(lambda: enrolment.limiter.finished == 1)
    await called(server.stop, 0)


async def test_calls_wait_for_a_thread_where_there_are_fewer_than_the_limit() -> None:
    server, servicer = grpc.server(ThreadPoolExecutor(2)), Functions()
    add_to_server(servicer, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    enrolment = lbsuite.join(server, address=address, max_concurrent=3)
    await called(server.start)
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_unary(f"/{SERVICE}/unary_unary")
        calls = [asyncio.ensure_future(answers(call(b"hold", timeout=DEADLINE_S))) for _ in range(5)]
        await eventually(lambda: enrolment.limiter.tasks == 2)
        servicer.release()
        assert await asyncio.gather(*calls) == [[b"hold"]] * 5
    await called(server.stop, 0)
