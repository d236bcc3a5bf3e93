"""The stand-in as an HTTP server that says where it listens and can lose an answer with the connection."""

import socket

import uvicorn
from starlette.applications import Starlette

from sandbox.gateway.server import HangUpProtocol
from sandbox.tenant import HOST


class TeamsServer(uvicorn.Server):
    """A server for the app on a loopback port; 0 takes a free one."""

    def __init__(self, app: Starlette, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=HOST,
                port=port,
                http=HangUpProtocol,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=2,
            )
        )
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, tell the app its service URL, then say where."""
        await super().startup(sockets)
        if self.started:
            address = f"{HOST}:{self.servers[0].sockets[0].getsockname()[1]}"
            self._app.state.teams.service_url = f"http://{address}/teams/"
            print(f"listening on {address}", flush=True)
