"""A place in a fleet: registering, reporting, leaving; against balancers that remember what they were told."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from fake_balancer import DEADLINE_S, FakeBalancer

from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import Member, prefix
from lbsuite.registry.registration import Registration
from lbsuite.wire.joining.enrolment import Enrolment, EnrolmentSettings

ADDRESS = "127.0.0.1:4001"
SELDOM_S = 3600.0


@asynccontextmanager
async def joined(settings: EnrolmentSettings) -> AsyncIterator[Enrolment]:
    enrolment = Enrolment(ADDRESS, settings)
    await enrolment.start()
    try:
        yield enrolment
    finally:
        await enrolment.leave()


async def test_start_registers_and_reports_what_it_is() -> None:
    async with FakeBalancer() as balancer:
        settings = EnrolmentSettings(limit=7, balancers=(balancer.address,), service="s", weight=3, zone="z", tier=2)
        async with joined(settings):
            await balancer.until(lambda: balancer.reports)
        (info,) = balancer.registered
        assert (info.address, info.service, info.weight, info.zone, info.limit, info.tier) == (
            ADDRESS,
            "s",
            3,
            "z",
            7,
            2,
        )
        first = balancer.reports[0]
        assert (first.address, first.service, first.limit, first.interval_ms) == (ADDRESS, "s", 7, 500)
        assert (first.load, first.available, first.draining) == (0, True, False)
        assert first.memory_bytes > 1 << 20


async def test_reports_come_without_any_change() -> None:
    async with FakeBalancer() as balancer, joined(EnrolmentSettings(balancers=(balancer.address,), report_s=0.05)):
        await balancer.reported(5)
        assert {report.interval_ms for report in balancer.reports} == {50}


async def test_a_change_is_reported_though_the_interval_is_long() -> None:
    async with FakeBalancer() as balancer:
        async with joined(EnrolmentSettings(balancers=(balancer.address,), report_s=SELDOM_S)) as enrolment:
            slot = enrolment.limiter.begin(0, time.monotonic())
            assert slot is not None
            await balancer.until(lambda: balancer.last.load == 1)
            enrolment.limiter.end(slot, time.monotonic())
            await balancer.until(lambda: balancer.last.finished == 1)
        assert balancer.last.draining


async def test_that_a_pick_has_begun_is_news_to_all_but_the_only_balancer() -> None:
    settings = EnrolmentSettings(report_s=SELDOM_S)
    async with FakeBalancer() as one, FakeBalancer() as two:
        async with joined(replace(settings, balancers=(one.address,))) as enrolment:
            await one.until(lambda: one.reports)
            assert enrolment.limiter.begin(9 << 32 | 1, time.monotonic()) is not None
            slot = enrolment.limiter.begin(9 << 32 | 2, time.monotonic())
            assert slot is not None
            enrolment.limiter.withdraw(slot, time.monotonic())
            await one.until(lambda: one.last.begun == 2)
            assert [report.begun for report in one.reports] == [0, 2]
        async with joined(replace(settings, balancers=(one.address, two.address))) as enrolment:
            await two.until(lambda: two.reports)
            assert enrolment.limiter.begin(9 << 32 | 1, time.monotonic()) is not None
            await two.until(lambda: two.last.begun == 1)


async def test_a_burst_of_changes_is_told_at_most_every_50_ms() -> None:
    async with (
        FakeBalancer() as balancer,
        joined(EnrolmentSettings(balancers=(balancer.address,), report_s=SELDOM_S)) as enrolment,
    ):
        await balancer.until(lambda: balancer.reports)
        begun_at, told = time.monotonic(), len(balancer.reports)
        for count in range(1, 301):
            slot = enrolment.limiter.begin(0, time.monotonic())
            assert slot is not None
            enrolment.limiter.end(slot, time.monotonic())
            if count % 100 == 0:
                await balancer.reported(1)
        await balancer.until(lambda: balancer.last.finished == 300)
        passed_s = time.monotonic() - begun_at
        assert len(balancer.reports) - told <= passed_s / 0.05 + 1


async def test_a_balancer_that_forgot_us_is_registered_with_again() -> None:
    async with (
        FakeBalancer() as balancer,
        joined(EnrolmentSettings(balancers=(balancer.address,), report_s=0.05)),
    ):
        await balancer.until(lambda: balancer.reports)
        balancer.known.clear()
        await balancer.until(lambda: len(balancer.registered) == 2)
        await balancer.reported(1)
        assert balancer.known == {ADDRESS}


async def test_balancers_that_are_away_or_hung_hold_up_nobody() -> None:
    async with FakeBalancer() as gone:
        away = gone.address
    async with FakeBalancer() as hung, FakeBalancer() as well:
        hung.hung = True
        settings = EnrolmentSettings(balancers=(away, hung.address, well.address), report_s=0.05)
        async with joined(settings), asyncio.timeout(DEADLINE_S):
            await well.reported(5)
            async with FakeBalancer(away) as back:
                await back.until(lambda: back.reports)
            hung.hung = False
            await hung.until(lambda: hung.reports)
        assert well.deregistered == hung.deregistered == [ADDRESS]


async def test_leaving_says_draining_then_good_bye_then_nothing() -> None:
    async with FakeBalancer() as balancer:
        async with joined(EnrolmentSettings(balancers=(balancer.address,), report_s=0.05)) as enrolment:
            await balancer.until(lambda: balancer.reports)
        assert balancer.deregistered == [ADDRESS]
        last = balancer.last
        assert (last.draining, last.available) == (True, False)
        assert enrolment.limiter.begin(0, time.monotonic()) is None
        assert balancer.known == set()


async def test_etcd_tells_of_us_and_tells_us_of_balancers(etcd: str, service: str) -> None:
    client = EtcdClient(EtcdSettings((etcd,)))
    key = prefix(service, "endpoints") + ADDRESS.encode()

    async def record() -> Member | None:
        pairs = (await client.range(key)).kvs
        return Member.from_json(pairs[0].value) if pairs else None

    settings = EnrolmentSettings(etcd=client.settings, service=service, limit=4, report_s=0.05)
    async with FakeBalancer() as balancer:
        async with joined(settings) as enrolment:
            assert await record() == Member(ADDRESS, limit=4)
            balancer.known.add(ADDRESS)
            balancing = Registration(client, Member(balancer.address), service=service, role="balancers")
            await balancer.reported(3)
            assert balancer.registered == []
            slot = enrolment.limiter.begin(0, time.monotonic())
            assert slot is not None
            async with asyncio.timeout(DEADLINE_S):
                while await record() != Member(ADDRESS, limit=4, load=1):
                    await balancer.reported(1)
            await balancing.close()
            enrolment.limiter.end(slot, time.monotonic())
        assert await record() is None
        await client.close()


async def test_a_balancer_found_in_etcd_that_never_hears_of_us_is_registered_with(etcd: str, service: str) -> None:
    client = EtcdClient(EtcdSettings((etcd,)))
    async with FakeBalancer() as balancer:
        balancing = Registration(client, Member(balancer.address), service=service, role="balancers")
        async with joined(EnrolmentSettings(etcd=client.settings, service=service)):
            await balancer.until(lambda: balancer.registered)
        assert len(balancer.reports) >= 2
        await balancing.close()
        await client.close()


def test_an_address_that_nobody_could_dial_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.0\.0\.0"):
        Enrolment("0.0.0.0:1", replace(EnrolmentSettings(), limit=1))
