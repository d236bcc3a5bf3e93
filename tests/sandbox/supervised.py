"""The sandbox as its user has it: one process started from the command line, on ports that nobody uses."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from sandbox.supervisor.ports import free_ports, variable

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60


class Supervisor:
    """The supervisor's process, and what it has written."""

    def __init__(self, process: subprocess.Popen[str], output: Path) -> None:
        self.process = process
        self._output = output
        self._seen: dict[int, psutil.Process] = {}

    @property
    def output(self) -> str:
        return self._output.read_text()

    def says(self, words: str) -> bool:
        """Whether it has said so, once it has, or once it has ended."""
        for _ in range(PATIENCE_SECONDS * 20):
            self._look()
            if words in self.output or self.process.poll() is not None:
                break
            time.sleep(0.05)
        return words in self.output

    def child(self, words: str) -> psutil.Process:
        """The server whose command contains the words."""
        alive = [each for each in self._seen.values() if each.is_running()]
        return next(each for each in alive if words in " ".join(each.cmdline()))

    def ends(self, number: signal.Signals | None = None) -> int:
        """Its exit code, after this signal if there is one."""
        self._look()
        if number is not None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def count(self) -> int:
        """How many servers it has ever started."""
        return len(self._seen)

    def left_behind(self) -> list[str]:
        """The names of servers that still run, once they have had time to end."""
        _, alive = psutil.wait_procs(list(self._seen.values()), timeout=10)
        return [each.name() for each in alive]

    def _look(self) -> None:
        if self.process.poll() is None:
            self._seen |= {each.pid: each for each in psutil.Process(self.process.pid).children(recursive=True)}


@contextmanager
def supervisor(folder: Path, **environment: str) -> Iterator[Supervisor]:
    """`python -m sandbox`; whatever happens, it has ended afterwards."""
    output = folder / "output.txt"
    ports = {variable(server): str(port) for server, port in free_ports().items()}
    own = {"SANDBOX_LOGS": str(folder / "logs")}
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox"],
            cwd=ROOT,
            env={**os.environ, **own, **ports, **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        yield Supervisor(process, output)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(PATIENCE_SECONDS)
