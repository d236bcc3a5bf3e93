"""The door as one ASGI app: the page, its state, and what a person does on it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.door.actions import ACTIONS, Action, UnknownError
from sandbox.door.door import Door
from sandbox.door.guards import Guards
from sandbox.door.servers import UnavailableError

STATIC = Path(__file__).parent / "static"
LOOK_EVERY_SECONDS = 0.2
STILL_THERE_EVERY = 50


def create_app() -> Starlette:
    """The door over the servers that the environment names; set `app.state.closing` to end its streams."""
    door = Door()
    closing = asyncio.Event()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await door.close()

    async def show_state(_: Request) -> Response:
        return JSONResponse(await door.state())

    async def show_timeline(request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdecimal():
            return _problem("'after' is the id of a row.", 400)
        await door.state()
        return JSONResponse({"rows": door.rows_after(int(after))})

    async def show_report(_: Request) -> Response:
        return JSONResponse(await door.report_state())

    async def stream_state(_: Request) -> Response:
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(_states(door, closing), media_type="text/event-stream", headers=headers)

    routes = [
        Route("/", _show_page),
        Route("/api/state", show_state),
        Route("/api/timeline", show_timeline),
        Route("/api/report", show_report),
        Route("/api/stream", stream_state),
        *(Route(path, partial(_act, door=door, action=action), methods=["POST"]) for path, action in ACTIONS.items()),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Guards)], lifespan=lifespan)
    app.state.closing = closing
    return app


async def _show_page(_: Request) -> Response:
    return FileResponse(STATIC / "index.html")


async def _act(request: Request, *, door: Door, action: Action) -> Response:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        return _problem("The body is not JSON.", 400)
    if not isinstance(body, dict):
        return _problem("The body is not an object.", 400)
    try:
        said = await action(door, request.path_params, body)
    except UnknownError as error:
        return _problem(str(error), 404)
    except UnavailableError as error:
        return _problem(str(error), 502)
    door.look_again()
    return JSONResponse({"done": True, "said": said or ""})


async def _states(door: Door, closing: asyncio.Event) -> AsyncIterator[str]:
    """The page's state each time it differs, until the door closes."""
    sent, silent = "", 0
    while not closing.is_set():
        state = json.dumps(await door.state(), ensure_ascii=False)
        silent += 1
        if state != sent:
            sent, silent = state, 0
            yield f"data: {state}\n\n"
        elif silent % STILL_THERE_EVERY == 0:
            yield ": still here\n\n"
        await _pause(closing)


async def _pause(closing: asyncio.Event) -> None:
    waiting: Callable[[], Awaitable[object]] = closing.wait
    try:
        await asyncio.wait_for(waiting(), LOOK_EVERY_SECONDS)
    except TimeoutError:
        return


def _problem(sentence: str, status: int) -> Response:
    return JSONResponse({"problem": sentence}, status)
