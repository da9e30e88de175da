"""How the admin door opens and closes."""

import asyncio
import logging

import aiohttp
import pytest
from admin_door import DEADLINE_S, UNFINISHED, asking, opened

from lbsuite import addresses
from lbsuite.admin.door import AdminDoor
from lbsuite.admin.routes import Routes
from lbsuite.errors import StartFailed


async def test_a_taken_port_is_one_clear_line_and_leaves_nothing_behind() -> None:
    async with opened() as (balancer, door):
        with pytest.raises(StartFailed, match=f"^cannot listen on {door.address}: [^\n]*$"):
            await AdminDoor(Routes(balancer)).open(door.address)
        async with asking(door) as asks, asks.get("/healthz") as answer:
            assert answer.status == 200


@pytest.mark.parametrize("listen", ["127.0.0.1", "127.0.0.1:x", "http://127.0.0.1:0"])
async def test_what_is_no_address_is_refused_with_its_value(listen: str) -> None:
    async with opened() as (balancer, _):
        with pytest.raises(ValueError, match=listen):
            await AdminDoor(Routes(balancer)).open(listen)


async def test_closing_ends_whoever_is_slow_and_then_nobody_answers() -> None:
    async with opened() as (_, door):
        host, _, port = door.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(UNFINISHED)
        async with asking(door) as asks:
            async with asks.get("/healthz"):
                pass
            async with asyncio.timeout(DEADLINE_S):
                await door.close()
                await reader.read()
            with pytest.raises(aiohttp.ClientConnectionError):
                await asks.get("/healthz")
        writer.close()


async def test_listening_where_others_reach_it_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with opened():
            assert not caplog.records
        monkeypatch.setattr(addresses, "LOOPBACK", (addresses.network("127.9.0.0/16"),))
        async with opened() as (_, door):
            (warning,) = caplog.records
            assert door.address in warning.getMessage()
