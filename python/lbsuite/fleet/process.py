"""One child process: started, waited for until it is ready, paused, killed, stopped, started again where it was.

A child lives in the session of its parent but in a process group of its own: Ctrl-C at the terminal reaches the parent
alone, which then stops its children in order. On Linux a child does not outlive the thread that started it.
"""

import asyncio
import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence

from lbsuite import addresses
from lbsuite.errors import StartFailed

_TAIL_LINES = 40
_FIRST_LINES = 64


class Process(ABC):
    """A child process. `kind` is what messages call it; `address` is where it listens, once it is ready.

    Belongs to the event loop it is started on.
    """

    def __init__(self, kind: str, address: str) -> None:
        self.kind = kind
        self.address = address
        self._child: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self.said: Callable[[str], object] = lambda line: None
        """Called with each line that it writes to stderr."""
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    @property
    def pid(self) -> int:
        """The process id of its last life. Raises StartFailed if there was none."""
        return self._life().pid

    @property
    def exit_status(self) -> int | None:
        """None before its end; minus the signal's number if a signal ended it."""
        return self._child.returncode if self._child else None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended; a paused process runs."""
        return self._child is not None and self._child.returncode is None

    @property
    def stderr_tail(self) -> str:
        """The last lines it wrote to stderr, in this life and the ones before."""
        return "\n".join(self._tail)

    async def start(self, ready_s: float = 30.0) -> None:
        """Starts it and waits until it is ready; raises StartFailed, and leaves nothing running, if it never is."""
        if self.running:
            raise StartFailed(f"{self.kind} runs already, as process {self.pid}")
        lines: asyncio.Queue[str] = asyncio.Queue(_FIRST_LINES)
        child = await asyncio.create_subprocess_exec(
            *_dying_with_us(),
            *self._argv(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment(),
            process_group=0,
        )
        assert child.stdout is not None
        assert child.stderr is not None
        self._child = child
        self._readers = [
            asyncio.create_task(_read_lines(child.stdout, functools.partial(_offer, lines))),
            asyncio.create_task(_read_lines(child.stderr, self._hear)),
        ]
        try:
            await self._until_ready(lines, ready_s)
        except BaseException:
            await self.kill()
            raise

    async def kill(self) -> None:
        """SIGKILL, and waits for its end. One that has ended already is left as it is."""
        self._signal(signal.SIGKILL)
        await self.ended()

    def pause(self) -> None:
        """SIGSTOP: it holds its connections and says nothing, from the moment that this returns."""
        self._signal(signal.SIGSTOP)
        # The signal only begins it: threads that run on other cores go on, and answer, for a moment.
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    async def stop(self, drain_s: float = 10.0) -> int:
        """SIGTERM; SIGKILL after `drain_s`. Returns the exit status, minus the signal's number where one ended it.

        Raises StartFailed if it was never started.
        """
        life = self._life()
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)
        try:
            async with asyncio.timeout(drain_s):
                await self.ended()
        except TimeoutError:
            await self.kill()
        return await life.wait()

    async def ended(self) -> None:
        """Returns when it does not run (any more), and all it said was read."""
        if self._child is not None:
            await self._child.wait()
            await asyncio.wait(self._readers)

    async def restart(self, ready_s: float = 30.0) -> None:
        """Starts it again where it was, after killing it if it runs. Raises StartFailed."""
        await self.kill()
        await self.start(ready_s)

    @abstractmethod
    def _argv(self) -> Sequence[str]:
        """The command of its next life."""

    def _environment(self) -> dict[str, str]:
        return dict(os.environ)

    @abstractmethod
    async def _ready(self, lines: asyncio.Queue[str]) -> None:
        """Returns when it is ready; raises StartFailed for a wrong sign of life. lines: the first few of its stdout."""

    async def _until_ready(self, lines: asyncio.Queue[str], ready_s: float) -> None:
        ready = asyncio.create_task(self._ready(lines))
        ended = asyncio.create_task(self.ended())
        try:
            await asyncio.wait({ready, ended}, timeout=ready_s, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                ready.result()
            elif ended.done():
                raise StartFailed(f"{self.kind} ended with status {self.exit_status}: {self._last_words()}")
            else:
                raise StartFailed(f"{self.kind} was not ready within {ready_s:g} s: {self._last_words()}")
        finally:
            ready.cancel()
            ended.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)

    def _hear(self, line: str) -> None:
        self._tail.append(line)
        self.said(line)

    def _last_words(self) -> str:
        return " | ".join(list(self._tail)[-5:]) or "it said nothing"

    def _life(self) -> asyncio.subprocess.Process:
        if self._child is None:
            raise StartFailed(f"{self.kind} was never started")
        return self._child

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None and self._child.returncode is None:
            # Not by the child's own send_signal: that asks first whether it has ended, and takes an exit status that
            # asyncio's watcher then looks for in vain.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child.pid, number)


class Lbsuite(Process):
    """`python -m lbsuite <command> --listen <address> <flags>`; ready when it prints `ready <kind> <address>`.

    admin, xds: where its admin door and its ADS server listen, port 0 for a free one; then they have to be ready, too.
    Of xds the port counts: the host is that of `listen`. count: so many addresses it has to tell, as `dummy -n` does;
    they are in `addresses`.
    """

    def __init__(
        self,
        command: str,
        flags: Sequence[str] = (),
        listen: str = "127.0.0.1:0",
        admin: str | None = None,
        count: int = 1,
        xds: str | None = None,
    ) -> None:
        super().__init__(command, listen)
        self.flags = tuple(flags)
        self.admin = admin
        self.xds = xds
        self.addresses = [listen] * count

    def _argv(self) -> Sequence[str]:
        admin = ("--admin", self.admin) if self.admin else ()
        xds = ("--xds-port", self.xds.rpartition(":")[2]) if self.xds else ()
        return (sys.executable, "-m", "lbsuite", self.kind, "--listen", self.address, *admin, *xds, *self.flags)

    async def _ready(self, lines: asyncio.Queue[str]) -> None:
        self.addresses = [self._told(await lines.get()) for _ in self.addresses]
        self.address = self.addresses[0]
        if self.admin:
            self.admin = self._told(await lines.get())
        if self.xds:
            self.xds = self._told(await lines.get())

    def _told(self, line: str) -> str:
        """The address of a `ready` line; raises StartFailed for another."""
        try:
            ready, _, address = line.split()
            addresses.parse(address, listening=True)
        except ValueError:
            ready = ""
        if ready != "ready":
            raise StartFailed(f"{self.kind} did not say that it is ready, but: {line!r}")
        return address


async def _read_lines(stream: asyncio.StreamReader, take: Callable[[str], object]) -> None:
    """Reads to the end, so that the child never waits for a reader; a line too long for the stream's buffer is lost."""
    while True:
        try:
            line = await stream.readline()
        except ValueError:
            continue
        if not line:
            return
        take(line.decode(errors="replace").rstrip())


def _offer(lines: asyncio.Queue[str], line: str) -> None:
    if not lines.full():
        lines.put_nowait(line)


@functools.cache
def _dying_with_us() -> tuple[str, ...]:
    """What a command is prefixed with so that the kernel kills it when its parent dies; nothing where it cannot."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        return ()
    prefix = (setpriv, "--pdeathsig", "KILL", "--")
    return prefix if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0 else ()
