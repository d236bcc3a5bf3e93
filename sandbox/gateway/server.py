"""The gateway as an HTTP server that says where it listens and can hang up on a client without a byte."""

import socket

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.gateway.switches import TRANSPORT
from sandbox.tenant import HOST


class HangUpProtocol(HttpToolsProtocol):
    """HTTP that lends each request its transport, so that a switch can abort it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: {"transport": self.transport}}


class GatewayServer(uvicorn.Server):
    """A server for the app on a loopback port; 0 takes a free one."""

    def __init__(self, app: Starlette, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=HOST,
                port=port,
                http=HangUpProtocol,
                lifespan="off",
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=2,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say where."""
        await super().startup(sockets)
        if self.started:
            print(f"listening on {HOST}:{self.port}", flush=True)

    @property
    def port(self) -> int:
        """The port it really listens on."""
        return int(self.servers[0].sockets[0].getsockname()[1])
