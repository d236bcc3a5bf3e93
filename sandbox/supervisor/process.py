"""One server as a child process that never outlives this one."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

import httpx

from sandbox.supervisor.errors import SandboxError
from sandbox.supervisor.servers import ROOT, Server

READY_SECONDS = 60
LINES_SHOWN = 12
_LOOK_AGAIN_SECONDS = 0.03
_PR_SET_PDEATHSIG = 1


class ServerProcess:
    """A server that can be started, stopped, killed and started again; its output goes to its log file."""

    def __init__(self, server: Server, log_file: Path) -> None:
        self.server = server
        self.log_file = log_file
        self.is_wanted = False
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; raises `SandboxError` while it does not run."""
        if self._process is None or not self.is_running:
            raise SandboxError(f"{self.server.name} is not running")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def has_died(self) -> bool:
        """Whether it ended although nobody asked it to."""
        return self.is_wanted and not self.is_running

    async def start(self) -> None:
        """Return once the server answers; raises `SandboxError` with its last lines when it does not."""
        if self.is_running:
            raise SandboxError(f"{self.server.name} is running already")
        self._spawn()
        try:
            async with asyncio.timeout(READY_SECONDS), self._client() as client:
                while not await self._answers(client):
                    if not self.is_running:
                        raise self.death()
                    await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        except TimeoutError:
            raise SandboxError(f"{self.server.name} did not answer within {READY_SECONDS} s{self._tail()}") from None

    async def stop(self) -> None:
        """Ask the process to end, and end it when it takes longer than its grace."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self.server.grace_seconds):
                await self._ended()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End the process without a word."""
        self.signal(signal.SIGKILL)
        await self._ended()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and whatever it started, if it runs; from now on its end is no surprise."""
        self.is_wanted = False
        if self._process is not None and self.is_running:
            os.killpg(self._process.pid, number)

    def death(self) -> SandboxError:
        """What to say about a process that ended by itself."""
        code = self._process.poll() if self._process else None
        return SandboxError(f"{self.server.name} ended with exit code {code}{self._tail()}")

    def _spawn(self) -> None:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            # A group of its own: Ctrl-C reaches only the supervisor, which then stops everything in order.
            self._process = subprocess.Popen(
                self.server.command,
                cwd=ROOT,
                env=dict(self.server.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent(os.getpid(), signal.SIGKILL),  # noqa: PLW1509 - one system call, no lock
            )
        self.is_wanted = True

    async def _ended(self) -> None:
        while self.is_running:  # noqa: ASYNC110 - a process has no event to wait for
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(trust_env=False, timeout=5, verify=self.server.trust or True)

    async def _answers(self, client: httpx.AsyncClient) -> bool:
        try:
            return self.server.is_ready(await client.get(self.server.ready_url))
        except httpx.HTTPError:
            return False

    def _tail(self) -> str:
        with self.log_file.open(encoding="utf-8", errors="replace") as log:
            lines = deque((line.rstrip() for line in log), LINES_SHOWN)
        shown = "\n".join(f"  | {line}" for line in lines)
        return f"; its last lines in {self.log_file}:\n{shown}" if lines else f"; it wrote nothing to {self.log_file}"


def end_with_parent(parent: int, number: signal.Signals) -> Callable[[], None] | None:
    """What a child calls so that Linux signals it when its parent dies; `None` where only Linux can."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:
            os.kill(os.getpid(), number)

    return ask
