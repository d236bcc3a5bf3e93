"""The sandbox's controls of a generated tenant: make one, tell the truth about it, switches, counters."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.graph.bodies import json_object
from sandbox.graph.errors import GraphError
from sandbox.graph.posture.live import Posture
from sandbox.graph.posture.policies import POLICIES
from sandbox.graph.posture.tenant import Tenant, Wish
from sandbox.graph.schema import Kind

Control = Callable[[Request, Posture], Awaitable[Response]]
LARGEST = 1_000_000


async def make_tenant(request: Request, posture: Posture) -> Response:
    wish = _wish(await json_object(request), posture.state.clock())
    posture.tenant = Tenant(wish)
    return JSONResponse(_about(posture.tenant), 201)


async def forget_tenant(_: Request, posture: Posture) -> Response:
    posture.tenant = None
    return Response(status_code=204)


async def read_expected(_: Request, posture: Posture) -> Response:
    if posture.tenant is None:
        raise GraphError(404, "ResourceNotFound", "No tenant was generated: POST /sandbox/posture first.")
    return JSONResponse(posture.tenant.expected())


async def read_switches(_: Request, posture: Posture) -> Response:
    return JSONResponse(posture.faults.values)


async def set_switches(request: Request, posture: Posture) -> Response:
    try:
        posture.faults.merge(await json_object(request))
    except ValueError as error:
        raise _refusal(str(error)) from error
    return JSONResponse(posture.faults.values)


async def read_requests(_: Request, posture: Posture) -> Response:
    counted = posture.state.requests
    return JSONResponse({"total": counted.total(), "routes": dict(counted.most_common())})


async def forget_requests(_: Request, posture: Posture) -> Response:
    posture.state.requests.clear()
    return Response(status_code=204)


def _wish(body: dict[str, Any], now: float) -> Wish:
    names = {"seed", "applications", "service_principals", "planted", "at", "policy"}
    if body.keys() - names:
        raise _refusal(f"A tenant has {', '.join(sorted(names))}.")
    numbers = {name: body.get(name, usual) for name, usual in (("seed", 7), ("applications", 1000))}
    numbers["service_principals"] = body.get("service_principals", numbers["applications"] * 3 // 2)
    copies = body.get("planted", True)
    if any(not isinstance(one, int) or not 0 <= one <= LARGEST for one in (*numbers.values(), copies)):
        raise _refusal(f"Numbers are between 0 and {LARGEST}.")
    policy = body.get("policy", "strict")
    if policy not in POLICIES:
        raise _refusal(f"'policy' is one of {', '.join(POLICIES)}.")
    try:
        at = datetime.fromisoformat(body["at"]) if "at" in body else datetime.fromtimestamp(now, UTC)
    except (TypeError, ValueError) as error:
        raise _refusal("'at' is a moment in ISO 8601.") from error
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return Wish(at.replace(microsecond=0), copies=int(copies), policy=policy, **numbers)


def _about(tenant: Tenant) -> dict[str, Any]:
    both = ((Kind.APPLICATION, "applications"), (Kind.SERVICE_PRINCIPAL, "service_principals"))
    sizes = {name: tenant.size(kind) + len(tenant.planted(kind)) for kind, name in both}
    truth = {"positives": len(tenant.garden.must_fail), "innocents": len(tenant.garden.must_not_fail)}
    return {"seed": tenant.wish.seed, "at": tenant.moments.ago(0), "policy": tenant.wish.policy} | sizes | truth


def _refusal(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)


async def _answer(request: Request, *, posture: Posture, control: Control) -> Response:
    try:
        return await control(request, posture)
    except GraphError as error:
        return error.response(request)


def posture_control_routes(posture: Posture) -> list[Route]:
    """Routes below `/sandbox/posture`; no token, loopback only."""
    table: list[tuple[str, str, Control]] = [
        ("POST", "/sandbox/posture", make_tenant),
        ("DELETE", "/sandbox/posture", forget_tenant),
        ("GET", "/sandbox/posture/expected", read_expected),
        ("GET", "/sandbox/posture/switches", read_switches),
        ("PUT", "/sandbox/posture/switches", set_switches),
        ("GET", "/sandbox/posture/requests", read_requests),
        ("DELETE", "/sandbox/posture/requests", forget_requests),
    ]
    return [
        Route(path, partial(_answer, posture=posture, control=control), methods=[method])
        for method, path, control in table
    ]
