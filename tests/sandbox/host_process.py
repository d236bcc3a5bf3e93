"""Real processes for the host's tests: the host itself and the broker, on free loopback ports."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
APPS = Path(__file__).parent / "apps"
BROKER = ROOT / "sandbox" / "broker" / "main.mjs"
FUNCTION_KEY = "the-function-key"
has_broker = shutil.which("node") is not None and (ROOT / "sandbox" / "node_modules" / "rhea").exists()


class HostProcess:
    """A running host: what it answers over HTTP, and how it ends."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.http = httpx.Client(base_url=url, timeout=15)

    def seen(self) -> Any:  # noqa: ANN401 - whatever the app under test kept
        return self.http.get("/api/seen").json()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


def host_command(app: str) -> list[str]:
    return [sys.executable, "-m", "sandbox.host", "--port", "0", "--app", str(APPS / app)]


@contextmanager
def running_host(app: str, **settings: str) -> Iterator[HostProcess]:
    environment = os.environ | {"SANDBOX_FUNCTION_KEY": FUNCTION_KEY} | settings
    process = subprocess.Popen(host_command(app), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    host = HostProcess(process, f"http://{_listening_address(process)}")
    try:
        yield host
    finally:
        _end(process)
        host.http.close()


@contextmanager
def running_broker(queues: Path, port: int, control_port: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        ["node", BROKER, "--queues", queues, "--port", str(port), "--control-port", str(control_port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    _listening_address(process)
    try:
        yield process
    finally:
        _end(process)


def write_queues(folder: Path, **queue: object) -> Path:
    file = folder / "queues.json"
    file.write_text(json.dumps({"queues": [{"name": "work"} | queue]}))
    return file


def connection_string(port: int) -> str:
    return f"Endpoint=sb://127.0.0.1:{port};SharedAccessKeyName=x;SharedAccessKey=y;UseDevelopmentEmulator=true"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(condition: Callable[[], bool]) -> None:
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it never happened")


def _listening_address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("listening on 127.0.0.1:"), line
    return line.split()[-1]


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        process.wait(20)
    assert process.stdout is not None
    process.stdout.close()
