"""The sign-in server over TLS, which says where it listens."""

import socket

import uvicorn
from starlette.applications import Starlette

from sandbox.tenant import HOST


class LoginServer(uvicorn.Server):
    """A server for the app on a loopback port, with a certificate; 0 takes a free port."""

    def __init__(self, app: Starlette, port: int, certificate: str, key: str) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=HOST,
                port=port,
                ssl_certfile=certificate,
                ssl_keyfile=key,
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
            print(f"listening on {HOST}:{self.servers[0].sockets[0].getsockname()[1]}", flush=True)
