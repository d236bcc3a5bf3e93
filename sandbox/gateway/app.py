"""The gateway as one ASGI application: `/api` behind its route table, `/sandbox` beside it, a web page elsewhere."""

import json
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox import tenant
from sandbox.gateway import (
    attributes,
    auth,
    connections,
    keys,
    machine_identities,
    plugins,
    requests,
    reviews,
    rules,
    server_info,
    service_accounts,
    sessions,
    users,
    webhooks,
)
from sandbox.gateway.auth import NOBODY, Endpoint, Role, admit, identify
from sandbox.gateway.control import Control
from sandbox.gateway.records import Json
from sandbox.gateway.state import GatewayState
from sandbox.gateway.switches import INDEX_PAGE
from sandbox.gateway.wire import Call, RefusalError

ENDPOINTS = [
    *auth.ROUTES,
    *server_info.ROUTES,
    *users.ROUTES,
    *service_accounts.ROUTES,
    *keys.ROUTES,
    *machine_identities.ROUTES,
    *requests.ROUTES,
    *sessions.ROUTES,
    *reviews.ROUTES,
    *connections.ROUTES,
    *plugins.ROUTES,
    *attributes.ROUTES,
    *rules.ROUTES,
    *webhooks.ROUTES,
]


def create_app(
    *, api_key: str = "", admin_group: str = "admin", auditor_group: str = "auditor", api_url: str = ""
) -> Starlette:
    """A gateway with its own memory; without an `api_key` the legacy header is refused."""
    url = api_url or tenant.url("gateway")
    state = GatewayState(api_key=api_key, admin_group=admin_group, auditor_group=auditor_group, api_url=url)
    routes = [*Control(state).routes(), *(_route(state, endpoint) for endpoint in ENDPOINTS)]
    handlers = {RefusalError: _answer_refusal, HTTPException: _answer_unrouted}
    app = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
    app.state.gateway = state
    return app


def _route(state: GatewayState, endpoint: Endpoint) -> Route:
    path = f"/api{endpoint.path}"
    return Route(path, _endpoint(state, endpoint, path), methods=[endpoint.method])


def _endpoint(state: GatewayState, endpoint: Endpoint, path: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        state.requests[f"{endpoint.method} {path}"] += 1
        await state.switches.wait("latencyMs")
        fault = state.switches.fault(endpoint.method, request.url.path)
        if fault:
            return fault
        caller = NOBODY
        if endpoint.role is not Role.PUBLIC:
            caller = identify(state, request.headers)
            admit(state, caller, endpoint.role)
        call = Call(caller, request.path_params, request.query_params, await _body(request))
        return await endpoint.handler(state, call)

    return answer


async def _body(request: Request) -> Json:
    raw = await request.body()
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        raise RefusalError(400, "invalid character in the body") from None
    if not isinstance(body, dict):
        raise RefusalError(400, "json: cannot unmarshal the body into a Go struct")
    return body


async def _answer_refusal(_request: Request, refusal: RefusalError) -> Response:
    return refusal.response()


async def _answer_unrouted(request: Request, _error: HTTPException) -> Response:
    path = request.url.path
    if path == "/api" or path.startswith(("/api/", "/sandbox/")):
        return PlainTextResponse("404 page not found", 404)
    return HTMLResponse(INDEX_PAGE)
