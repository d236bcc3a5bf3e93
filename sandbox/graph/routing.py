"""From a route table to answers: faults, access, counting and errors around every Graph route."""

import uuid
from collections.abc import Awaitable, Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.graph.access import Caller, authenticate, authorize, authorize_call
from sandbox.graph.errors import GraphError
from sandbox.graph.state import GraphState
from sandbox.graph.throttling import suffer

Handler = Callable[[Request, GraphState, Caller], Awaitable[Response]]
Row = tuple[str, str, Handler]


def graph_routes(
    state: GraphState, rows: Iterable[Row], allowed: frozenset[str], *, version: str = "v1.0"
) -> list[Route]:
    """Routes below `/v1.0` or `/beta` for callers with one of the roles; the batch route itself suffers no faults."""
    return [
        Route(f"/{version}{path}", _guarded(state, path, handler, allowed), methods=[method], name=f"{method} {path}")
        for method, path, handler in rows
    ]


def _guarded(
    state: GraphState, path: str, handler: Handler, allowed: frozenset[str]
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        beta = "/beta" if request.url.path.startswith("/beta/") else ""
        call = f"{request.method} {beta}{path}"
        state.requests[call] += 1
        try:
            caller = authenticate(request)
            if not caller.is_admin and path != "/$batch":
                await suffer(state.switches, request.url.path.removeprefix("/v1.0"))
            if state.permissions is None or caller.is_admin:
                authorize(caller, allowed)
            elif path != "/$batch":
                authorize_call(caller, state.permissions, call, request.url.query)
            response = await handler(request, state, caller)
        except GraphError as error:
            return error.response(request)
        request_id = str(uuid.uuid4())
        response.headers["request-id"] = request_id
        response.headers["client-request-id"] = request.headers.get("client-request-id", request_id)
        return response

    return answer
