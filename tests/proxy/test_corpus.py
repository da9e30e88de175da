"""Request smuggling: what is ambiguous is refused, what is forwarded is what was parsed, at every door that proxies."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.conftest import Stage
from proxy.corpus import LIMITS, Case, Reached, head
from proxy.corpus_heads import CASES
from proxy.recording import DEADLINE_S, Backend, Client, Message, connected, recording


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    async with recording() as backend:
        yield backend


@pytest.fixture
async def address(stage: Stage, backend: Backend) -> str:
    return (await stage.proxy(backend.address, **LIMITS)).address


PIECES = {"whole": 1 << 20, "in pieces of 1": 1, "in pieces of 7": 7}


def check(reached: Reached, request: Message) -> None:
    assert request.line == f"{reached.line} HTTP/1.1"
    assert request.body == reached.body
    for name, value in reached.fields.items():
        assert request.all(name) == [value], name
    names = [name for name, _ in request.fields]
    assert not set(names) & {*reached.lacks, "keep-alive", "te", "expect" if "expect" in reached.lacks else ""}
    assert names.count("host") == 1
    assert names.count("x-forwarded-for") == names.count("forwarded") == names.count("via") == 1


async def try_out(case: Case, client: Client, piece: int) -> list[int]:
    sending = asyncio.create_task(client.send(case.sent, piece))
    try:
        statuses = [await client.status() for _ in case.answers]
        async with asyncio.timeout(DEADLINE_S):
            await sending
    finally:
        sending.cancel()
    return statuses


@pytest.mark.parametrize("pieces", PIECES)
async def test_every_request_of_the_corpus_comes_to_what_it_must(address: str, backend: Backend, pieces: str) -> None:
    for case in CASES:
        piece = max(PIECES[pieces], len(case.sent) // 2000)
        backend.requests.clear()
        async with connected(address) as client:
            try:
                await one(case, client, backend, piece)
            except Exception as wrong:
                wrong.add_note(f"{case.name} (section {case.section}): {case.sent[:200]!r}")
                raise


async def one(case: Case, client: Client, backend: Backend, piece: int) -> None:
    if case.ends:
        await client.send(case.sent, piece)
        client.writer.write_eof()
        statuses = [await client.status() for _ in case.answers]
    else:
        statuses = await try_out(case, client, piece)
    assert all(status in each for status, each in zip(statuses, case.answers, strict=True)), statuses
    if case.stays:
        await client.send(head(first="GET /next HTTP/1.1"), 1 << 20)
        assert await client.status() == 200
        assert backend.requests.pop().line == "GET /next HTTP/1.1"
    else:
        assert await client.rest() == b""
    assert len(backend.requests) == len(case.reached), [request.line for request in backend.requests]
    for reached, request in zip(case.reached, backend.requests, strict=True):
        check(reached, request)


def test_the_corpus_is_large_and_names_each_case_once() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 120
    assert all(case.section for case in CASES)
