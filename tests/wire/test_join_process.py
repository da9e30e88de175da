"""A process whose server joined, and SIGTERM: what runs finishes, what comes is refused, and then who was there before
has its say."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
from fake_balancer import DEADLINE_S, FakeBalancer
from joined import KINDS, SERVICE, answers, requests

PROGRAM = Path(__file__).with_name("joined_process.py")
both = pytest.mark.parametrize("side", ["aio", "threads"])


class Program:
    def __init__(self, process: asyncio.subprocess.Process, address: str, channel: grpc.aio.Channel) -> None:
        self.process, self.address, self.channel = process, address, channel

    def call(self, kind: str, word: bytes) -> "asyncio.Future[list[bytes]]":
        message = requests(word) if kind.startswith("stream") else word
        call = getattr(self.channel, kind)(f"/{SERVICE}/{kind}")(message, timeout=DEADLINE_S)
        return asyncio.ensure_future(answers(call))

    def release(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")

    async def ended(self) -> tuple[int, str]:
        """Its status and what it said last."""
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            said = (await self.process.stdout.read()).decode()
            return await self.process.wait(), said


@asynccontextmanager
async def program(side: str, own_handler: str, *lb: str) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, PROGRAM, side, own_handler, *lb, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE_S):
            address = (await process.stdout.readline()).decode().strip()
        async with grpc.aio.insecure_channel(address) as channel:
            yield Program(process, address, channel)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@both
@pytest.mark.parametrize(("own_handler", "end"), [("none", (0, "end of main\n")), ("own", (7, "own handler\n"))])
async def test_after_sigterm_what_runs_finishes_and_the_process_ends_as_it_would(
    side: str, own_handler: str, end: tuple[int, str]
) -> None:
    async with FakeBalancer() as balancer, program(side, own_handler, balancer.address) as server:
        running = [server.call(kind, b"hold") for kind in KINDS]
        await balancer.until(lambda: balancer.last.load == len(KINDS))
        server.process.send_signal(signal.SIGTERM)
        await balancer.until(lambda: balancer.deregistered)
        assert balancer.last.draining
        server.release()
        assert all(b"hold" in answer for answer in await asyncio.gather(*running))
        assert await server.ended() == end


@both
@pytest.mark.parametrize(("own_handler", "status"), [("none", -signal.SIGTERM), ("own", 7)])
async def test_a_second_sigterm_goes_to_who_was_there_before(side: str, own_handler: str, status: int) -> None:
    async with FakeBalancer() as balancer, program(side, own_handler, balancer.address) as server:
        running = server.call("unary_unary", b"hold")
        await balancer.until(lambda: balancer.last.load == 1)
        server.process.send_signal(signal.SIGTERM)
        await balancer.until(lambda: balancer.deregistered)
        server.process.send_signal(signal.SIGTERM)
        if side == "threads" and own_handler == "own":
            server.release()  # the interpreter waits for the threads of a pool, whoever ends it
        assert (await server.ended())[0] == status
        await asyncio.gather(running, return_exceptions=True)


@both
async def test_no_call_is_lost_while_the_server_goes(side: str) -> None:
    """A stream of calls goes on until the first is refused: all before were answered, and the refusal says draining."""
    async with program(side, "none") as server:
        codes: list[grpc.StatusCode] = []
        call = server.channel.unary_unary(f"/{SERVICE}/unary_unary")

        async def ask() -> None:
            while not codes:
                calling = call(b"word", timeout=DEADLINE_S)
                try:
                    assert await calling == b"word"
                except grpc.aio.AioRpcError as error:
                    codes.append(error.code())

        asking = [asyncio.ensure_future(ask()) for _ in range(4)]
        assert await server.call("unary_unary", b"word") == [b"word"]
        server.process.send_signal(signal.SIGTERM)
        await asyncio.gather(*asking)
        assert set(codes) == {grpc.StatusCode.UNAVAILABLE}
        assert await server.ended() == (0, "end of main\n")
