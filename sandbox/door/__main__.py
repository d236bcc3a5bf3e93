"""Opens the sandbox's front door: `python -m sandbox.door --port 7070`."""

import argparse
import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from sandbox.door.app import create_app
from sandbox.tenant import HOST, port


class DoorServer(uvicorn.Server):
    """Says where it listens, and on a signal ends its streams before it stops, with exit code 0."""

    def __init__(self, app: Starlette, port_number: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=HOST,
                port=port_number,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=2,
            )
        )
        self._closing: asyncio.Event = app.state.closing

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start and print the address."""
        await super().startup(sockets)
        if self.started:
            print(f"listening on {HOST}:{self.port}", flush=True)

    @property
    def port(self) -> int:
        """The port it really listens on."""
        return int(self.servers[0].sockets[0].getsockname()[1])

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal without raising it again afterwards."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.stop)
        yield

    def stop(self) -> None:
        """End the streams and finish what is being answered."""
        self._closing.set()
        self.should_exit = True


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.door", description=__doc__)
    parser.add_argument("--port", type=int, default=port("door"), help="loopback port, 0 for a free one")
    DoorServer(create_app(), parser.parse_args().port).run()


if __name__ == "__main__":
    main()
