"""A user's typed code stays typed through the channel: mypy --strict on a module like one of theirs."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PACKAGES = Path(__file__).resolve().parents[2] / "python"

# Messages and a stub as mypy-protobuf writes them: one class for each kind of channel, and the channel says which.
MESSAGES = """
    class Range:
        first: int
        last: int
        def __init__(self, *, first: int = ..., last: int = ...) -> None: ...
        def SerializeToString(self) -> bytes: ...

    class Total:
        primes: int
        @classmethod
        def FromString(cls, data: bytes) -> Total: ...
"""
STUB = """
    import typing

    import grpc
    import grpc.aio
    import messages

    class PrimesStub:
        @typing.overload
        def __new__(cls, channel: grpc.Channel) -> PrimesStub: ...
        @typing.overload
        def __new__(cls, channel: grpc.aio.Channel) -> PrimesAsyncStub: ...
        Count: grpc.UnaryUnaryMultiCallable[messages.Range, messages.Total]
        Each: grpc.UnaryStreamMultiCallable[messages.Range, messages.Total]

    @typing.type_check_only
    class PrimesAsyncStub(PrimesStub):
        Count: grpc.aio.UnaryUnaryMultiCallable[messages.Range, messages.Total]  # type: ignore[assignment]
        Each: grpc.aio.UnaryStreamMultiCallable[messages.Range, messages.Total]  # type: ignore[assignment]
"""
BEGINNING = """
    from collections.abc import AsyncIterator, Callable

    import grpc
    import grpc.aio
    import lbsuite
    from messages import Range, Total
    from stubs import PrimesStub
"""
GOOD = """
    async def count(target: str) -> int:
        async with lbsuite.channel(target, policy="two_choices", retry=lbsuite.Retry(idempotent=True)) as channel:
            stub = PrimesStub(channel)
            total = await stub.Count(Range(first=0, last=10), timeout=1.0)
            each = [reveal_type(one).primes async for one in stub.Each(Range())]
            return reveal_type(total).primes + sum(each)

    async def by_hand(channel: grpc.aio.Channel, request: Range) -> Total:
        count: grpc.aio.UnaryUnaryMultiCallable[Range, Total] = channel.unary_unary(
            "/primes.Primes/Count", Range.SerializeToString, Total.FromString
        )
        return await count(request)

    async def its_own(target: str) -> list[str]:
        channel = lbsuite.channel(target, key=lambda request: b"user:7")
        plain: grpc.aio.Channel = channel
        await by_hand(plain, Range())
        return [f"{each.address} {each.state}" for each in channel.status().endpoints]

    async def serve(server: grpc.aio.Server, address: str, busy: Callable[[], float]) -> str:
        joined = lbsuite.join(server, address=address, service="primes", lb="a:1", max_concurrent=8, load=busy)
        await server.start()
        return joined.address

    def serve_blocking(server: grpc.Server, address: str) -> lbsuite.SyncEnrolment:
        return lbsuite.join(server, address=address, etcd=["a:1"], max_concurrent=8)
"""
BLOCKING = """
    def count(target: str) -> int:
        with lbsuite.sync_channel(target, policy="two_choices") as channel:
            stub = PrimesStub(channel)
            total = stub.Count(Range(first=0, last=10), timeout=1.0)
            each = [reveal_type(one).primes for one in stub.Each(Range())]
            return reveal_type(total).primes + sum(each)
"""
BAD = """
    async def wrong(target: str) -> None:
        channel = lbsuite.channel(target)
        stub = PrimesStub(channel)
        (await stub.Count(Range())).nonsense  # the answer has no such field
        await stub.Count(Total())  # the request is another message
        lbsuite.channel(target, retry=3)  # a retry is not a number
        lbsuite.channel(target, polcy="two_choices")  # no such option
        lbsuite.channel(target).status().healthy  # the status has no such field
        lbsuite.chanel(target)  # no such name
        lbsuite.join(channel, address="a:1", max_concurrent=8)  # a channel is not a server
"""


def strict(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """What mypy says of a user's program beside its generated files."""
    for name, text in {"messages.pyi": MESSAGES, "stubs.pyi": STUB, "program.py": BEGINNING + program}.items():
        (folder / name).write_text(textwrap.dedent(text))
    words = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder / "cache"), "program.py"]
    # What Python finds by itself is to mypy a package that is installed: its types count if it has py.typed.
    environment = {**os.environ, "PYTHONPATH": str(PACKAGES)}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("program", [GOOD, BLOCKING], ids=["aio", "blocking"])
def test_a_typed_stub_stays_typed_through_the_channel(tmp_path: Path, program: str) -> None:
    ended = strict(tmp_path, program)
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.count('Revealed type is "messages.Total"') == 2


def test_what_is_wrong_is_found(tmp_path: Path) -> None:
    told = strict(tmp_path, BAD).stdout
    lines = (tmp_path / "program.py").read_text().splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if "  # " in line}
    assert {int(each.split(":")[1]) for each in told.splitlines() if ": error: " in each} == wrong, told
