import contextlib
from collections.abc import AsyncIterator

import pytest

from lbsuite.errors import Unreachable
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import Member, prefix
from lbsuite.wire import messages
from lbsuite.wire.client import ClientSettings, run
from lbsuite.wire.pick_source import PickSource
from scripted import Balancer, fleet, refuse


@contextlib.asynccontextmanager
async def registered(etcd: str, service: str, *balancers: Balancer) -> AsyncIterator[None]:
    client = EtcdClient(EtcdSettings((etcd,)))
    for balancer in balancers:
        await client.put(prefix(service, "balancers") + balancer.address.encode(), Member(balancer.address).to_json())
    yield
    await client.delete(prefix(service), prefix=True)
    await client.close()


def settings(etcd: str, service: str, timeout_s: float = 5) -> ClientSettings:
    return ClientSettings(
        etcd=EtcdSettings((etcd,)), service=service, task="fib:10", clients=2, duration_s=0.2, timeout_s=timeout_s
    )


async def test_a_balancer_is_found_through_etcd(etcd: str, service: str) -> None:
    async with fleet(1) as balancer, registered(etcd, service, balancer):
        result = await run(settings(etcd, service))
        assert result.lost == 0
        assert len(balancer.requests) == result.requests > 0
        assert {request.service for request in balancer.requests} == {service}


async def test_a_balancer_whose_key_is_all_that_is_left_is_passed_over(etcd: str, service: str) -> None:
    async with fleet(1) as gone, fleet(1) as there, registered(etcd, service, gone, there):
        await gone.stop()
        result = await run(settings(etcd, service))
        assert result.lost == 0
        assert len(there.requests) == result.requests > 0


async def test_no_balancer_in_etcd_is_unreachable(etcd: str, service: str) -> None:
    with pytest.raises(Unreachable, match="none is registered"):
        await run(settings(etcd, service, timeout_s=0.5))


async def test_an_etcd_that_is_not_there_is_unreachable(service: str) -> None:
    with pytest.raises(Unreachable, match=r"no balancer answered within 0.5 s"):
        await run(settings("127.0.0.1:1", service, timeout_s=0.5))


async def test_when_no_known_balancer_answers_it_is_looked_up_who_is_there_now() -> None:
    async with fleet(1) as first, fleet(1) as second:
        there = [first.address]

        async def find() -> list[str]:
            return there

        source = PickSource(find=find)
        source.look_every_s = 0.0
        await source.reach(5)
        request = messages.BalanceRequest()
        assert (await source.ask(request, 5)).address == first.backends[0].address
        there[:] = [second.address]
        first.script = refuse("UNAVAILABLE")
        with pytest.raises(Exception, match="as the script says"):
            await source.ask(request, 5)
        assert (await source.ask(request, 5)).address == second.backends[0].address
        await source.close()


async def test_the_balancers_that_one_knows_are_asked_when_it_is_gone() -> None:
    async with fleet(1) as known, fleet(1) as other:
        known.balancers = ["no address", known.address, other.address]
        source = PickSource([known.address])
        await source.reach(5)
        await source.endpoints("", 5)
        request = messages.BalanceRequest()
        assert (await source.ask(request, 5)).address == known.backends[0].address
        await known.stop()
        assert (await source.ask(request, 5)).address == other.backends[0].address
        await source.close()


async def test_each_balancer_is_asked_once_when_none_has_an_endpoint() -> None:
    async with fleet(1) as first, fleet(1) as second, fleet(1) as third:
        balancers = [first, second, third]
        for balancer in balancers:
            balancer.script = refuse("UNAVAILABLE")
        source = PickSource([balancer.address for balancer in balancers])
        await source.reach(5)
        with pytest.raises(Exception, match="as the script says"):
            await source.ask(messages.BalanceRequest(), 5)
        assert [len(balancer.requests) for balancer in balancers] == [1, 1, 1]
        await source.close()


async def test_a_full_fleet_is_the_answer_of_one_balancer_and_not_asked_of_the_next() -> None:
    async with fleet(1) as first, fleet(1) as second:
        first.script = refuse("RESOURCE_EXHAUSTED")
        source = PickSource([first.address, second.address])
        await source.reach(5)
        with pytest.raises(Exception, match="as the script says"):
            await source.ask(messages.BalanceRequest(), 5)
        assert not second.requests
        await source.close()
