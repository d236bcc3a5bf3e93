"""Runs the Graph stand-in: `python -m sandbox.graph --port 7072`."""

import argparse
import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn

from infra.permissions import read_permissions
from sandbox.graph.app import create_app
from sandbox.graph.posture.names import NameServer
from sandbox.tenant import HOST, port


class GraphServer(uvicorn.Server):
    """Says when it listens, takes SIGTERM as a wish to stop cleanly, and answers for names on the same port."""

    _names: asyncio.DatagramTransport | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start and print the address."""
        await super().startup(sockets)
        if self.started:
            bound = self.servers[0].sockets[0].getsockname()[1]
            loop = asyncio.get_running_loop()
            self._names, _ = await loop.create_datagram_endpoint(NameServer, local_addr=(HOST, bound))
            print(f"listening on http://{HOST}:{bound}", flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening."""
        if self._names is not None:
            self._names.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal without raising it again afterwards, so that the exit code is 0."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        yield

    def stop(self) -> None:
        """Finish what is being answered, then end."""
        self.should_exit = True


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.graph", description=__doc__)
    parser.add_argument("--port", type=int, default=port("graph"), help="loopback port, 0 for a free one")
    config = uvicorn.Config(
        create_app(permissions=read_permissions()),
        host=HOST,
        port=parser.parse_args().port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    GraphServer(config).run()


if __name__ == "__main__":
    main()
