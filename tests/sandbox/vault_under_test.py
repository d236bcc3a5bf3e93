"""The vault's stand-in, served over TLS in a thread for as long as a test needs it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from sandbox.supervisor.certificates import Certificates
from sandbox.tenant import HOST
from sandbox.vault.app import create_app
from sandbox.vault.state import VaultState


@dataclass(frozen=True, slots=True)
class Vault:
    """Where it is, and what it holds."""

    url: str
    state: VaultState


@contextmanager
def running_vault(certificates: Certificates) -> Iterator[Vault]:
    """A vault with nothing in it."""
    app = create_app()
    certificate, key = str(certificates.certificate), str(certificates.key)
    config = uvicorn.Config(app, HOST, 0, ssl_certfile=certificate, ssl_keyfile=key, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Vault(f"https://{HOST}:{port}", app.state.vault)
    finally:
        server.should_exit = True
        thread.join()
