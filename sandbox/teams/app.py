"""The Bot Connector, Teams' keys, the control routes and the page as one ASGI application."""

import importlib
import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.teams.clients import TeamsClients
from sandbox.teams.connector import Connector
from sandbox.teams.control import Control
from sandbox.teams.delivery import Delivery
from sandbox.teams.errors import ConnectorError
from sandbox.teams.openid import openid_routes
from sandbox.teams.people import People
from sandbox.teams.sign_in import SignIn
from sandbox.teams.state import TeamsState


def create_app(endpoint: str) -> Starlette:
    """A stand-in that delivers to a bot's endpoint; `app.state.teams` is its memory, which learns its own address."""
    state = TeamsState(endpoint)
    delivery, sign_in = Delivery(state), SignIn()
    clients = TeamsClients(state, delivery, sign_in)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await delivery.close()
        await sign_in.close()

    routes = [
        *Connector(state, clients).routes(),
        *openid_routes(state.keys),
        *Control(state, delivery).routes(),
        *People(state, delivery, clients).routes(),
        *_page_routes(),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={ConnectorError: _refuse})  # type: ignore[dict-item]
    app.state.teams = state
    return app


def _page_routes() -> list[Route]:
    if importlib.util.find_spec("sandbox.teams.page") is None:
        return []
    routes: list[Route] = importlib.import_module("sandbox.teams.page").page_routes()
    return routes


async def _refuse(_request: Request, error: ConnectorError) -> Response:
    return error.response()
