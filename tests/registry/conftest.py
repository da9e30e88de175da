import contextlib
import json
import urllib.request
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from certificates import Certificates

from kubernetes_api import KubernetesApi
from lbsuite.fleet import EtcdServer
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.source import Source
from listener import Listener


@pytest.fixture
async def client(etcd: str) -> AsyncIterator[EtcdClient]:
    """A client of the etcd that all tests share."""
    async with EtcdClient(EtcdSettings((etcd,))) as client:
        yield client


@pytest.fixture
async def own_etcd() -> AsyncIterator[EtcdServer]:
    """An etcd to be paused, killed and wiped."""
    server = EtcdServer()
    await server.start()
    yield server
    await server.kill()
    server.clean()


@pytest.fixture
async def own_client(own_etcd: EtcdServer) -> AsyncIterator[EtcdClient]:
    """A client of an etcd of the test's own; its tries are cut short."""
    async with EtcdClient(EtcdSettings((own_etcd.address,)), try_s=1.0) as client:
        yield client


@pytest.fixture
async def listen() -> AsyncIterator[Callable[[Source], Listener]]:
    """Starts to listen to a source, until the test ends."""
    async with contextlib.AsyncExitStack() as stack:

        def start(source: Source) -> Listener:
            listener = Listener(source)
            stack.push_async_callback(listener.stop)
            return listener

        yield start


@pytest.fixture
def ask_gateway() -> Callable[..., dict[str, object]]:
    """Calls etcd's own HTTP gateway, for what the client has no need of: `ask_gateway(etcd, "kv/compaction", ...)`."""

    def ask(server: EtcdServer, method: str, token: str = "", **fields: object) -> dict[str, object]:
        headers = {"Authorization": token} if token else {}
        request = urllib.request.Request(f"http://{server.address}/v3/{method}", json.dumps(fields).encode(), headers)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return dict(json.load(answer))

    return ask


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    try:
        return Certificates.make(tmp_path)
    except FileNotFoundError:
        pytest.skip("no openssl to make a certificate with")


@pytest.fixture
async def kubernetes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KubernetesApi]:
    """An API server, and a kubeconfig that leads there."""
    async with KubernetesApi() as api:
        api.lead_here(tmp_path, monkeypatch)
        yield api
