"""A user's own server after `lbsuite.join`: one contract for servers of both kinds, and all four kinds of calls."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from fake_balancer import FakeBalancer
from joined import (
    DEADLINE_S,
    KINDS,
    SERVERS,
    Coroutines,
    Functions,
    Joined,
    add_to_server,
    aio_server,
    answers,
    called,
    joined,
)
from xds.data.orca.v3 import orca_load_report_pb2

import lbsuite
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import prefix
from lbsuite.wire import services
from lbsuite.wire.orca_messages import OrcaLoadReport
from waiting import eventually

LIMIT = 4
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest_asyncio.fixture(params=SERVERS)
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Joined]:
    async with joined(request.param, limit=LIMIT) as serving:
        yield serving


def figures(server: Joined) -> tuple[int, int, int, int]:
    limiter = server.limiter
    return limiter.tasks, limiter.finished, limiter.failed, limiter.refused


@every_kind
@pytest.mark.parametrize("first", ["join", "add"])
@pytest.mark.parametrize("side", SERVERS)
async def test_a_plain_caller_is_answered_and_counted_whatever_was_added_first(
    side: str, first: str, kind: str
) -> None:
    async with joined(side, first=first) as server:
        assert set(await server.answer(kind)) == {b"word"}
        await eventually(lambda: figures(server) == (0, 1, 0, 0))


@every_kind
async def test_above_the_limit_a_call_is_refused_and_told_why(server: Joined, kind: str) -> None:
    running = [server.call(kind, b"hold") for _ in range(LIMIT)]
    waiting = [asyncio.ensure_future(answers(call)) for call in running]
    await eventually(lambda: server.limiter.tasks == LIMIT)
    refused = server.call(kind)
    await asyncio.gather(answers(refused), return_exceptions=True)
    assert await refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(LIMIT) in await refused.details()
    assert dict(await refused.trailing_metadata())[services.REFUSED_METADATA] == "full"
    server.servicer.release()
    assert all(answer[-1] == b"hold" for answer in await asyncio.gather(*waiting))
    await eventually(lambda: figures(server) == (0, LIMIT, 0, 1))


async def test_the_limit_holds_under_fifty_calls_at_once(server: Joined) -> None:
    calls = [asyncio.ensure_future(server.code(KINDS[i % 4], b"hold")) for i in range(50)]
    await eventually(lambda: server.limiter.refused == 50 - LIMIT)
    server.servicer.release()
    codes = Counter(await asyncio.gather(*calls))
    assert codes == {grpc.StatusCode.OK: LIMIT, grpc.StatusCode.RESOURCE_EXHAUSTED: 50 - LIMIT}
    assert server.limiter.most == LIMIT


@every_kind
@pytest.mark.parametrize(("word", "code"), [(b"raise", grpc.StatusCode.UNKNOWN), (b"abort", grpc.StatusCode.NOT_FOUND)])
async def test_a_call_that_fails_gives_its_slot_back(
    server: Joined, kind: str, word: bytes, code: grpc.StatusCode
) -> None:
    assert await server.code(kind, word) is code
    await eventually(lambda: figures(server) == (0, 1, 1, 0))


@every_kind
@pytest.mark.parametrize("how", ["cancelled", "expired"])
async def test_a_call_that_nobody_waits_for_gives_its_slot_back(server: Joined, kind: str, how: str) -> None:
    if (
        kind == "unary_stream"
        and isinstance(server.enrolment, lbsuite.Enrolment)
        and isinstance(server.servicer, Functions)
    ):
        pytest.skip("grpc.aio never ends the thread of a generator whose caller has gone")
    call = server.call(kind, b"hold", timeout_s=0.3 if how == "expired" else DEADLINE_S)
    waiting = asyncio.ensure_future(answers(call))
    await eventually(lambda: server.limiter.tasks == 1)
    if how == "cancelled":
        call.cancel()
    await asyncio.wait({waiting})
    if isinstance(server.servicer, Coroutines):
        await eventually(lambda: figures(server) == (0, 1, 1, 0))
    server.servicer.release()  # a function on a grpc.aio server never learns that its caller has gone
    await eventually(lambda: server.limiter.tasks == 0)


@pytest.mark.parametrize("side", ["aio", "threads"])
async def test_a_stream_whose_caller_reads_nothing_and_goes_gives_its_slot_back(side: str) -> None:
    async with joined(side) as server:
        call = server.call("unary_stream", b"flood")
        assert len(await call.read()) == 1 << 20
        assert server.limiter.tasks == 1
        call.cancel()
        await eventually(lambda: figures(server)[:2] == (0, 1))


async def test_answers_carry_the_load(server: Joined) -> None:
    server.enrolment.named_metrics["queue"] = 7.5
    running = asyncio.ensure_future(server.answer("unary_unary", b"hold"))
    await eventually(lambda: server.limiter.tasks == 1)

    async def told() -> OrcaLoadReport:
        call = server.call("unary_unary")
        await call
        return OrcaLoadReport.FromString(dict(await call.trailing_metadata())[services.LOAD_METADATA])

    async def utilized() -> bool:
        report = await told()
        return report.application_utilization >= 1 / LIMIT and report.rps_fractional > 0

    await eventually(utilized)
    report = await told()
    assert 0 < report.mem_utilization < 1
    assert report.cpu_utilization >= 0
    assert dict(report.named_metrics) == {"queue": 7.5}
    server.servicer.release()
    await running


async def test_the_load_is_read_by_the_messages_of_xds(server: Joined) -> None:
    await server.answer("unary_unary")
    by_key = dict(server.enrolment.orca.trailers(0.0))
    assert by_key[services.ORCA_METADATA] == by_key[services.LOAD_METADATA]
    theirs = orca_load_report_pb2.OrcaLoadReport.FromString(by_key[services.ORCA_METADATA])
    ours = OrcaLoadReport.FromString(by_key[services.ORCA_METADATA])
    for field in ("cpu_utilization", "mem_utilization", "rps_fractional", "eps", "application_utilization"):
        assert getattr(theirs, field) == getattr(ours, field)
    assert theirs.mem_utilization > 0


async def test_what_the_handler_says_in_its_trailers_is_kept_beside_the_load(server: Joined) -> None:
    call = server.call("unary_unary", b"set")
    await asyncio.gather(answers(call), return_exceptions=True)
    assert await call.code() is grpc.StatusCode.DATA_LOSS
    trailing = dict(await call.trailing_metadata())
    assert trailing["own"] == "mine"


async def test_a_server_that_leaves_says_so_finishes_what_runs_and_refuses_the_rest(server: Joined) -> None:
    running = [asyncio.ensure_future(server.answer(kind, b"hold")) for kind in KINDS]
    await eventually(lambda: server.limiter.tasks == LIMIT)
    stopping = asyncio.ensure_future(server.stop(DEADLINE_S))
    await eventually(lambda: server.limiter.closed)
    refused = server.call("unary_unary")
    await asyncio.gather(answers(refused), return_exceptions=True)
    assert await refused.code() is grpc.StatusCode.UNAVAILABLE
    assert dict(await refused.trailing_metadata())[services.REFUSED_METADATA] == "draining"
    server.servicer.release()
    assert all(answer[-1] == b"hold" for answer in await asyncio.gather(*running))
    await stopping


@pytest.mark.parametrize("side", SERVERS)
async def test_balancers_hear_of_it_from_its_start_to_its_end(side: str) -> None:
    async with FakeBalancer() as balancer:
        async with joined(side, lb=balancer.address, service="s", limit=7, report_s=0.05, zone="z") as server:
            (info,) = balancer.registered
            assert (info.address, info.service, info.limit, info.zone) == (server.address, "s", 7, "z")
            running = asyncio.ensure_future(server.answer("unary_unary", b"hold"))
            await balancer.until(lambda: balancer.last.load == 1)
            server.servicer.release()
            await running
            await balancer.until(lambda: balancer.last.finished == 1 and balancer.last.load == 0)
        assert balancer.deregistered == [server.address]
        assert balancer.last.draining


@pytest.mark.parametrize("side", ["aio", "threads"])
async def test_etcd_holds_its_key_until_it_leaves(side: str, etcd: str, service: str) -> None:
    client = EtcdClient(EtcdSettings((etcd,)))

    async def keys() -> list[bytes]:
        return [pair.key for pair in (await client.range(prefix(service, "endpoints"), prefix=True)).kvs]

    async with joined(side, etcd=etcd, service=service) as server:
        assert await keys() == [prefix(service, "endpoints") + server.address.encode()]
        await called(server.enrolment.leave)
        assert await keys() == []
    await client.close()


async def test_an_address_with_a_port_to_be_chosen_is_refused() -> None:
    server, _ = aio_server()
    for address in ("127.0.0.1:0", "127.0.0.1:{port}"):
        with pytest.raises(ValueError, match=address):
            lbsuite.join(server, address=address, max_concurrent=1)
    lbsuite.join(server, address="127.0.0.1:1", max_concurrent=1, lb=None, etcd=None)
    with pytest.raises(ValueError, match="joined already"):
        lbsuite.join(server, address="127.0.0.1:1", max_concurrent=1)
    add_to_server(SERVERS["aio"]()[1], server)


@pytest.mark.parametrize(
    ("option", "value"),
    [("max_concurrent", 0), ("max_concurrent", "8"), ("load", "disk"), ("weight", 0), ("weight", 1.5),
     ("address", 80), ("lb", "nowhere"), ("etcd", ""), ("drain_s", -1.0),
     ("report_s", 0.0), ("zone", "\n"), ("service", "a/b"), ("tier", -1)],
)  # fmt: skip
async def test_a_value_that_nobody_could_mean_is_refused_and_changes_nothing(option: str, value: object) -> None:
    server, _ = aio_server()
    before = dict(vars(server))
    with pytest.raises(ValueError, match="|".join((option, "HOST:PORT", "etcd", "service"))):
        lbsuite.join(server, **{"address": "127.0.0.1:1", "max_concurrent": 1, option: value})  # type: ignore[arg-type]
    assert vars(server) == before


@pytest.mark.parametrize("side", ["aio", "threads"])
async def test_only_the_main_thread_can_ask_for_signals(side: str) -> None:
    server, _ = SERVERS[side]()
    before = dict(vars(server))
    with pytest.raises(ValueError, match="main thread"):
        await asyncio.to_thread(lbsuite.join, server, address="127.0.0.1:1", max_concurrent=1, signals=True)
    assert vars(server) == before


def test_what_is_no_server_or_no_option_is_refused() -> None:
    with pytest.raises(TypeError, match="address and max_concurrent"):
        lbsuite.join(object())  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="join has no option 'colour'"):
        lbsuite.join(object(), address="127.0.0.1:1", max_concurrent=1, colour="red")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="object"):
        lbsuite.join(object(), address="127.0.0.1:1", max_concurrent=1)  # type: ignore[call-overload]
