"""Puts the Graph stand-in together as one ASGI app."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from infra.permissions import Permissions
from sandbox.graph.access import READ, WRITE
from sandbox.graph.audit_control import audit_control_routes
from sandbox.graph.batch import batch_rows
from sandbox.graph.control import control_routes
from sandbox.graph.delta import delta_rows
from sandbox.graph.errors import GraphError
from sandbox.graph.memberships import membership_rows
from sandbox.graph.posture.routes import posture_routes
from sandbox.graph.reads import read_rows
from sandbox.graph.role_assignments import role_assignment_reads, role_assignment_writes
from sandbox.graph.routing import graph_routes
from sandbox.graph.state import GraphState
from sandbox.graph.subscription_routes import subscription_rows
from sandbox.graph.writes import write_rows


def create_app(clock: Callable[[], float] = time.time, permissions: Permissions | None = None) -> Starlette:
    """The server with an empty directory; `app.state.graph` is its memory, `clock` its time.

    With permissions, each call needs those that Microsoft documents for it, and one that nobody declared is refused.
    """
    state = GraphState(clock, permissions)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await state.sender.close()

    app = Starlette(routes=_routes(state), lifespan=lifespan, exception_handlers={404: _no_route, 405: _no_route})
    app.state.graph = state
    return app


def _routes(state: GraphState) -> list[Route]:
    # Starlette takes the first match, so fixed paths such as /users/delta come before /users/{id}.
    first = [*delta_rows(), *subscription_rows(), *batch_rows()]
    objects = [*membership_rows(), *role_assignment_reads(), *read_rows()]
    return [
        *control_routes(state),
        *audit_control_routes(state),
        *graph_routes(state, first, READ),
        *posture_routes(state, objects),
        *graph_routes(state, [*role_assignment_writes(), *write_rows()], WRITE),
    ]


async def _no_route(request: Request, _: Exception) -> JSONResponse:
    return GraphError(400, "BadRequest", f"Resource not found for the segment in '{request.url.path}'.").response(
        request
    )
