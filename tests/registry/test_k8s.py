"""A service of Kubernetes, followed through what an API server does to its watchers."""

import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from certificates import Certificates
from kubernetes_asyncio.config import incluster_config

from kubernetes_api import KubernetesApi, endpoint, slice_of
from lbsuite.events import Contact, Event, Joined, Left
from lbsuite.registry import k8s_client
from lbsuite.registry.k8s import Kubernetes
from lbsuite.registry.source import Source
from listener import Listener
from waiting import eventually

Listen = Callable[[Source], Listener]
ONE, TWO, THREE = (f"10.0.0.{host}:50051" for host in (1, 2, 3))
LIST = {"labelSelector": "kubernetes.io/service-name=web"}


@pytest.fixture
async def source(kubernetes: KubernetesApi) -> AsyncIterator[Kubernetes]:
    """The service `web` in the namespace `shop`, which has two endpoints in two slices."""
    kubernetes.put("web-a", slice_of(endpoint("10.0.0.1")))
    kubernetes.put("web-b", slice_of(endpoint("10.0.0.2")))
    kubernetes.put("other-a", slice_of(endpoint("10.0.0.9")), service="other")
    kubernetes.put("web-a", slice_of(endpoint("10.0.0.8")), namespace="elsewhere")
    source = Kubernetes("shop", "web", "grpc")
    yield source
    await source.close()


@pytest.fixture
async def listener(source: Kubernetes, kubernetes: KubernetesApi, listen: Listen) -> Listener:
    """Has heard the list, and watches."""
    listener = listen(source)
    await listener.until(lambda heard: heard.balancers is not None)
    assert sorted(listener.members) == [ONE, TWO]
    await watched(kubernetes)
    return listener


async def watched(kubernetes: KubernetesApi, times: int = 1) -> None:
    await eventually(lambda: sum("watch" in query for query in kubernetes.asked) >= times)


def lists(kubernetes: KubernetesApi) -> int:
    return sum("watch" not in query for query in kubernetes.asked)


def of_members(listener: Listener) -> list[Event]:
    return [event for event in listener.heard if isinstance(event, Joined | Left)]


async def test_changes_are_told_from_one_list_and_one_watch(
    kubernetes: KubernetesApi, source: Kubernetes, listener: Listener
) -> None:
    kubernetes.put("web-b", slice_of(endpoint("10.0.0.2"), endpoint("10.0.0.3", zone="eu-1b")))
    await listener.until(lambda heard: len(heard.members) == 3)
    assert listener.members[THREE].zone == "eu-1b"
    kubernetes.put("web-a", slice_of(endpoint("10.0.0.1", ready=False, terminating=True)))
    await listener.until(lambda heard: heard.members[ONE].draining)
    kubernetes.delete("web-a")
    await listener.until(lambda heard: sorted(heard.members) == [TWO, THREE])
    assert kubernetes.asked[0] == LIST
    assert kubernetes.asked[1].items() >= (LIST | {"watch": "True", "resourceVersion": "1004"}).items()
    assert len(kubernetes.asked) == 2
    assert not [event for event in listener.heard if isinstance(event, Contact)]
    assert source.skipped == 0


async def test_a_watch_that_ends_is_taken_up_from_the_last_bookmark(
    kubernetes: KubernetesApi, listener: Listener
) -> None:
    version = kubernetes.bookmark()
    kubernetes.end_watches()
    await watched(kubernetes, 2)
    assert kubernetes.asked[-1]["resourceVersion"] == str(version)
    kubernetes.put("web-c", slice_of(endpoint("10.0.0.3")))
    await listener.until(lambda heard: THREE in heard.members)
    assert lists(kubernetes) == 1
    assert not [event for event in listener.heard if isinstance(event, Contact)]


async def test_a_watch_that_is_cut_is_taken_up_where_it_was(kubernetes: KubernetesApi, listener: Listener) -> None:
    kubernetes.hang_up()
    kubernetes.put("web-c", slice_of(endpoint("10.0.0.3")))
    await listener.until(lambda heard: THREE in heard.members)
    assert [event.up for event in listener.heard if isinstance(event, Contact)] == [False, True]
    assert lists(kubernetes) == 1


@pytest.mark.parametrize("in_stream", [False, True], ids=["as a status", "as an event"])
async def test_what_the_api_server_has_forgotten_is_listed_anew_and_nobody_leaves_who_is_there(
    in_stream: bool, kubernetes: KubernetesApi, listener: Listener
) -> None:
    kubernetes.gone_in_stream = in_stream
    before = len(of_members(listener))
    await kubernetes.stop()
    kubernetes.put("web-b", slice_of(endpoint("10.0.0.3")))
    kubernetes.forget()
    await kubernetes.start()
    await listener.until(lambda heard: sorted(heard.members) == [ONE, THREE])
    assert of_members(listener)[before:] == [Joined(THREE), Left(TWO, meant=True)]
    assert lists(kubernetes) == 2
    kubernetes.put("web-b", slice_of(endpoint("10.0.0.2")))
    await listener.until(lambda heard: sorted(heard.members) == [ONE, TWO])


async def test_a_version_that_is_gone_in_the_middle_of_a_watch_is_no_loss_of_contact(
    kubernetes: KubernetesApi, listener: Listener
) -> None:
    heard = len(listener.heard)
    kubernetes.say({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}})
    await watched(kubernetes, 2)
    kubernetes.put("web-c", slice_of(endpoint("10.0.0.3")))
    await listener.until(lambda heard: THREE in heard.members)
    assert listener.heard[heard:] == [Joined(THREE)]
    assert lists(kubernetes) == 2


async def test_an_api_server_that_is_away_is_told_once_and_the_last_list_stays(
    kubernetes: KubernetesApi, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    heard = len(listener.heard)
    await kubernetes.stop()
    await listener.until(lambda told: len(told.heard) > heard)
    (lost,) = listener.heard[heard:]
    assert isinstance(lost, Contact)
    assert not lost.up
    assert kubernetes.url in lost.why
    await kubernetes.start()
    await listener.until(lambda told: told.heard[-1] == Contact(True))
    assert len(listener.heard) == heard + 2
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


@pytest.mark.parametrize(
    "line",
    [
        {"type": "ERROR", "object": {"kind": "Status", "code": 500, "message": "\x1b[2J"}},
        {"type": "ERROR", "object": None},
        {"type": "ERROR"},
    ],
    ids=str,
)
async def test_a_watch_that_fails_begins_with_a_new_list(
    line: dict[str, object], kubernetes: KubernetesApi, listener: Listener
) -> None:
    kubernetes.say(line)
    await listener.until(lambda told: told.heard[-1] == Contact(True))
    lost = listener.heard[-2]
    assert isinstance(lost, Contact)
    assert lost.why.isprintable()
    assert lists(kubernetes) == 2
    assert len(of_members(listener)) == 2


async def test_who_is_not_let_in_tells_so_and_is_let_in_later(kubernetes: KubernetesApi, listen: Listen) -> None:
    kubernetes.put("web-a", slice_of(endpoint("10.0.0.1")))
    kubernetes.token, token = "another", kubernetes.token
    source = Kubernetes("shop", "web", "50051")
    listener = listen(source)
    await listener.until(lambda heard: bool(heard.heard))
    assert listener.heard == [Contact(False, f"Kubernetes at {kubernetes.url} says 401: 'Unauthorized'")]
    kubernetes.token = token
    await listener.until(lambda heard: list(heard.members) == [ONE] and heard.heard[-1] == Contact(True))
    await source.close()


async def test_a_token_that_is_replaced_in_the_kubeconfig_is_read_again(
    kubernetes: KubernetesApi, listener: Listener
) -> None:
    kubernetes.token = "another"
    kubernetes.write_kubeconfig(Path(os.environ["KUBECONFIG"]))
    kubernetes.hang_up()
    kubernetes.put("web-c", slice_of(endpoint("10.0.0.3")))
    await listener.until(lambda heard: THREE in heard.members)


async def test_without_any_access_the_source_says_so(monkeypatch: pytest.MonkeyPatch, listen: Listen) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere/kubeconfig")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    source = Kubernetes("shop", "web", "grpc")
    listener = listen(source)
    await listener.until(lambda heard: bool(heard.heard))
    lost = listener.heard[0]
    assert isinstance(lost, Contact)
    assert "no access to Kubernetes" in lost.why
    await source.close()


class Pod:
    """What a pod is given of its service account."""

    def __init__(self, folder: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
        self._token = folder / "token"
        monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(self._token))
        monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", certificates.cert)
        monkeypatch.setattr(incluster_config, "TOKEN_REFRESH_PERIOD", timedelta(0))
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")

    def rotate(self, token: str) -> None:
        self._token.write_text(token)


async def test_in_a_pod_the_service_account_is_used_and_its_token_read_again_as_it_is_rotated(
    tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, listen: Listen
) -> None:
    pod = Pod(tmp_path, certificates, monkeypatch)
    pod.rotate("of today")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.cert, certificates.key)
    async with KubernetesApi("of today", context) as api:
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(api.port))
        async with await k8s_client.KubernetesClient.connect("shop", "web") as client:
            assert (await client.slices())["items"] == []
            api.token = "of tomorrow"
            pod.rotate(api.token)
            assert (await client.slices())["items"] == []
        api.put("web-a", slice_of(endpoint("10.0.0.1")))
        source = Kubernetes("shop", "web", "grpc")
        listener = listen(source)
        await listener.until(lambda heard: list(heard.members) == [ONE])
        await source.close()


async def test_a_silent_api_server_is_a_lost_one(
    kubernetes: KubernetesApi, source: Kubernetes, monkeypatch: pytest.MonkeyPatch, listen: Listen
) -> None:
    monkeypatch.setattr(k8s_client, "WATCH_S", 0)
    monkeypatch.setattr(k8s_client, "CALL_S", 0.3)
    listener = listen(source)
    await listener.until(lambda heard: any(isinstance(event, Contact) for event in heard.heard))
    assert sorted(listener.members) == [ONE, TWO]


@pytest.mark.parametrize(
    ("namespace", "service", "port", "bad"),
    [
        ("", "web", "80", "''"),
        ("shop", "Web", "80", "'Web'"),
        ("shop", "a/b", "80", "'a/b'"),
        ("shop", "web", "0", "'0'"),
        ("shop", "web", "080", "'080'"),
        ("shop", "web", "65536", "'65536'"),
        ("shop", "web", "", "''"),
        ("shop", "web", "a_b", "'a_b'"),
        ("shop", "web", "a" * 16, f"'{'a' * 16}'"),
    ],
)
def test_bad_names_are_refused(namespace: str, service: str, port: str, bad: str) -> None:
    with pytest.raises(ValueError, match=bad):
        Kubernetes(namespace, service, port)


def test_without_the_library_it_says_how_to_get_it() -> None:
    program = (
        "import sys; sys.modules['kubernetes_asyncio'] = None\n"
        "from lbsuite.registry.k8s import Kubernetes\n"
        "try: Kubernetes('shop', 'web', 'grpc')\n"
        "except ValueError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout == "Kubernetes needs kubernetes_asyncio: pip install lbsuite[k8s]\n"
