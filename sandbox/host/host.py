"""One running host: starts every trigger of an app, and stops without losing what is in work."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server, socket

import uvicorn

from sandbox.host.admin import Admin
from sandbox.host.app import load_app
from sandbox.host.errors import AppError
from sandbox.host.http import HttpTriggers
from sandbox.host.invocation import Invocations
from sandbox.host.service_bus import QueueTrigger
from sandbox.host.settings import fill_environment, read_host_settings
from sandbox.host.timers import Timer, is_disabled
from sandbox.tenant import HOST

GRACE_SECONDS = 10


class HttpServer(uvicorn.Server):
    """uvicorn, except that the host decides what a signal means."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


async def run_host(app_root: Path, port: int) -> None:
    """Serves the app until SIGTERM or SIGINT; raises `AppError`, or the app's own error, when it cannot be loaded."""
    fill_environment(app_root)
    # App Service sets this where it signs people in; here it does, unless somebody says otherwise.
    os.environ.setdefault("WEBSITE_AUTH_ENABLED", "true")
    settings = read_host_settings(app_root)
    functions = load_app(app_root)
    invocations = Invocations(settings.function_timeout)
    admin = Admin(functions, invocations)
    queues = [QueueTrigger(each, settings, invocations) for each in functions if each.kind == "serviceBusTrigger"]
    clocked = [each for each in functions if each.kind == "timerTrigger" and not is_disabled(each.name)]
    timers = [Timer(each, invocations) for each in clocked]
    http = HttpTriggers(functions, route_prefix=settings.route_prefix, invocations=invocations, admin=admin)
    server = HttpServer(_http_config(http))
    stopping = _stop_signals()

    listener = _listen(port)
    serving = asyncio.create_task(server.serve([listener]))
    receiving = [asyncio.create_task(queue.run(stopping)) for queue in queues]
    await server.listening.wait()
    await _attached_or_stopping(queues, stopping)
    admin.state = "Running"
    if not stopping.is_set():
        print(f"listening on {HOST}:{listener.getsockname()[1]}", flush=True)
    ticking = [asyncio.create_task(timer.run(stopping)) for timer in timers]

    await stopping.wait()
    admin.state = "Stopping"
    server.should_exit = True
    ends_at = asyncio.get_running_loop().time() + GRACE_SECONDS
    loops = [serving, *receiving, *ticking]
    await asyncio.wait(loops, timeout=GRACE_SECONDS)
    await invocations.finish(within=max(ends_at - asyncio.get_running_loop().time(), 0))
    await asyncio.wait(loops, timeout=1)


def _listen(port: int) -> socket:
    try:
        return create_server((HOST, port), backlog=2048)
    except OSError as error:
        raise AppError(f"cannot listen on {HOST}:{port}: {error.strerror}") from error


def _http_config(http: HttpTriggers) -> uvicorn.Config:
    return uvicorn.Config(
        http,
        lifespan="off",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _stop_signals() -> asyncio.Event:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


async def _attached_or_stopping(queues: list[QueueTrigger], stopping: asyncio.Event) -> None:
    stopped = asyncio.create_task(stopping.wait())
    for queue in queues:
        attached = asyncio.create_task(queue.attached.wait())
        await asyncio.wait([attached, stopped], return_when=asyncio.FIRST_COMPLETED)
        attached.cancel()
    stopped.cancel()
