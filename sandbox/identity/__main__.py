"""Runs the identity server until it is asked to stop: `python -m sandbox.identity --port 7074`."""

import argparse
import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

import uvicorn

from sandbox.identity.server import identity_app
from sandbox.tenant import HOST, port


class _Server(uvicorn.Server):
    """Ends with exit code 0 when asked to stop: uvicorn by itself raises the signal again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_number, self.handle_exit, signal_number, None)
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        bound = self.servers[0].sockets[0].getsockname()[1]
        print(f"listening on {HOST}:{bound}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox.identity", description="App Service managed identity, stood in for")
    parser.add_argument("--port", type=int, default=port("identity"), help="0 takes any free port")
    parser.add_argument(
        "--header",
        default=os.environ.get("SANDBOX_IDENTITY_HEADER", "sandbox-identity-header"),
        help="what IDENTITY_HEADER must hold",
    )
    options = parser.parse_args()
    config = uvicorn.Config(
        identity_app(options.header), host=HOST, port=options.port, log_level="warning", lifespan="off"
    )
    _Server(config).run()


if __name__ == "__main__":
    main()
