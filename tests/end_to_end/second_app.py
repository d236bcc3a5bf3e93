"""A second instance of the app beside a sandbox's own, as Azure starts one when there is much to do."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx

from sandbox.supervisor import Sandbox
from sandbox.supervisor.clients import client
from sandbox.supervisor.ports import free_ports
from sandbox.supervisor.process import ServerProcess
from sandbox.supervisor.servers import planned_servers


@asynccontextmanager
async def second_app(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it; it shares settings, queues and Storage with the first, and is gone afterwards."""
    used = {name: urlsplit(sandbox.url(name)).port or 0 for name in sandbox.servers}
    ports = {**free_ports(), **used, "functions": free_ports()["functions"]}
    plan = planned_servers(ports, sandbox.settings, os.environ, "node", sandbox.certificates)
    process = ServerProcess(plan["functions"], sandbox.logs / "second-functions.log")
    try:
        await process.start()
        async with client(f"http://127.0.0.1:{ports['functions']}") as app:
            yield app
    finally:
        await process.stop()
