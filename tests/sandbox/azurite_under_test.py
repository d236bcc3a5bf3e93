"""Azurite as processes on free ports, for as long as a test module needs it."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.sandbox.host_process import ROOT, free_port

PROGRAMS = ROOT / "sandbox" / "node_modules" / ".bin"
NODE = shutil.which("node")
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
needs_azurite = pytest.mark.skipif(
    NODE is None or not (PROGRAMS / "azurite-blob").exists(),
    reason="needs Node and the packages of sandbox/package.json",
)


@contextmanager
def running_azurite(*kinds: str) -> Iterator[str]:
    """The connection string of an account with these services (`blob`, `table`)."""
    ports = {kind: free_port() for kind in kinds}
    with tempfile.TemporaryDirectory() as folder:
        processes = [_start(kind, port, folder) for kind, port in ports.items()]
        try:
            for port in ports.values():
                _answers(port)
            endpoints = (f"{kind.title()}Endpoint=http://127.0.0.1:{port}/{ACCOUNT}" for kind, port in ports.items())
            account = ("DefaultEndpointsProtocol=http", f"AccountName={ACCOUNT}", f"AccountKey={KEY}")
            yield ";".join((*account, *endpoints))
        finally:
            for process in processes:
                process.terminate()
                process.wait(10)


def _start(kind: str, port: int, folder: str) -> subprocess.Popen[bytes]:
    program = PROGRAMS / f"azurite-{kind}"
    options = ("--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck")
    command = [str(NODE), str(program), f"--{kind}Host", "127.0.0.1", f"--{kind}Port", str(port), *options]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)


def _answers(port: int) -> None:
    for _ in range(300):
        try:
            httpx.get(f"http://127.0.0.1:{port}/")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("Azurite never answered")
