"""Which fields both doors send on, add, and go by."""

import pytest

from lbsuite.addresses import network
from proxy.conftest import Stage
from proxy.wires import Backend, Wire, ask, dialled, get


async def test_fields_of_one_hop_go_no_further(stage: Stage) -> None:
    async def serve(backend: Backend, wire: Wire) -> None:
        while True:
            await backend.answer(wire, "Connection: X-Ours", "X-Ours: 1", "Keep-Alive: 5", "X-Mine: 2")

    backend = await stage.backend(serve)
    proxy = await stage.proxy(backend)
    hops = ("Connection: X-Secret, keep-alive", "X-Secret: 1", "TE: trailers", "Proxy-Authorization: x", "X-Mine: 2")
    answer = await ask(proxy.address, get("/", *hops))
    for message in (answer, backend.seen[0]):
        names = {name for name, _ in message.fields}
        gone = {"connection", "x-secret", "x-ours", "te", "proxy-authorization", "keep-alive"}
        assert not names & gone
        assert message["x-mine"] == "2"


CLAIMS = ("X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https", "Forwarded: for=1.2.3.4;proto=https")


@pytest.mark.parametrize(
    ("trusted", "before", "forwarded_before", "proto"),
    [("10.0.0.0/8", "", "", "http"), ("127.0.0.0/8", "1.2.3.4, ", "for=1.2.3.4;proto=https, ", "https")],
)
async def test_the_backend_learns_whom_a_request_is_from(
    stage: Stage, trusted: str, before: str, forwarded_before: str, proto: str
) -> None:
    backend = await stage.backend()
    proxy = await stage.proxy(backend, trusted=(network(trusted),))
    answer = await ask(proxy.address, get("/", *CLAIMS))
    (request,) = backend.seen
    assert request["x-forwarded-for"] == f"{before}127.0.0.1"
    assert request["x-forwarded-proto"] == proto
    assert request["x-forwarded-host"] == "a"
    assert request["forwarded"] == f"{forwarded_before}for=127.0.0.1;proto=http"
    assert request["via"] == answer["via"] == "1.1 lbsuite"


@pytest.mark.parametrize(
    ("key", "fields"),
    [("header:X-User", "X-User: {}"), ("cookie:user", "Cookie: a=b; user={}; c=d"), ("path", "X-Nothing: 1")],
)
async def test_requests_of_one_key_go_to_one_backend(stage: Stage, key: str, fields: str) -> None:
    backends = await stage.backends(5)
    proxy = await stage.proxy(*backends, policy="hashed", key=key)
    served: dict[int, set[bytes]] = {}
    async with dialled(proxy.address) as wire:
        for i in range(60):
            user = i % 12
            answer = await wire.ask(get(f"/{user}?{i}" if key == "path" else f"/{i}", fields.format(user)))
            served.setdefault(user, set()).add(answer.body)
    assert all(len(each) == 1 for each in served.values())
    assert len(set.union(*served.values())) > 1
