"""A real etcd for whoever asks: one for the whole run. Who must hurt etcd starts one of their own."""

import asyncio
import itertools
import os
import threading
from collections.abc import Iterator

import pytest
from hypothesis import settings

from lbsuite.fleet import EtcdServer

# How long an example takes says more of the machine than of the code.
settings.register_profile("lbsuite", deadline=None)
settings.load_profile("lbsuite")

_services = itertools.count()


@pytest.fixture(scope="session")
def etcd() -> Iterator[str]:
    """HOST:PORT of an etcd that all tests share; it lives on a loop of its own, as every test brings another."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="etcd")
    thread.start()
    server = EtcdServer()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(60)
        yield server.address
    finally:
        asyncio.run_coroutine_threadsafe(server.kill(), loop).result(10)
        server.clean()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def service() -> str:
    """The name of a service that no other test knows of."""
    return f"test-{os.getpid()}-{next(_services)}"
