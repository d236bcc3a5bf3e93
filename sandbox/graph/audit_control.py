"""The sandbox's controls of Graph's logs: tokens that somebody got, and memberships as if added by somebody else."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.graph.audit import application
from sandbox.graph.bodies import json_object
from sandbox.graph.clock import seconds_of
from sandbox.graph.directory import ObjectVersion
from sandbox.graph.errors import GraphError, bad_request, not_found
from sandbox.graph.state import GraphState

ELSEWHERE = "203.0.113.7"
Control = Callable[[Request, GraphState], Awaitable[Response]]


async def note_sign_in(request: Request, state: GraphState) -> Response:
    """A token for a resource (app id), now or `at`; an `errorCode` makes it a refusal."""
    body = await json_object(request)
    principal, resource = _object(state, body.get("servicePrincipalId")), body.get("resourceId")
    if not isinstance(resource, str) or not resource:
        raise bad_request("'resourceId' is the app id of a resource.")
    at = _moment(body.get("at"), state.clock())
    state.audit.note_token(
        principal, resource, at, str(body.get("ipAddress") or ELSEWHERE), int(body.get("errorCode") or 0)
    )
    return JSONResponse(state.audit.sign_ins[-1], 201)


async def read_logs(_: Request, state: GraphState) -> Response:
    return JSONResponse({"directoryAudits": state.audit.changes, "signIns": state.audit.sign_ins})


async def forget_changes(_: Request, state: GraphState) -> Response:
    """The directory audit begins now, as if everything so far were older than it is kept."""
    state.audit.changes.clear()
    return Response(status_code=204)


async def note_membership(request: Request, state: GraphState) -> Response:
    """A row as if somebody (`user`, a principal name, or `app`, an object id) had added a member `at` some time."""
    body = await json_object(request)
    group, member = _object(state, body.get("groupId")), _object(state, body.get("memberId"))
    state.audit.note_member(_actor(body), group, member)
    row = state.audit.changes[-1]
    row["activityDateTime"] = body.get("at") or row["activityDateTime"]
    return JSONResponse(row, 201)


async def note_credential(request: Request, state: GraphState) -> Response:
    """Two rows as if somebody had added a credential to an object `at` some time."""
    body = await json_object(request)
    before = len(state.audit.changes)
    added = [{"keyId": str(body.get("keyId"))}]
    state.audit.note_credentials(_actor(body), _object(state, body.get("objectId")), [], added)
    rows = state.audit.changes[before:]
    for row in rows:
        row["activityDateTime"] = body.get("at") or row["activityDateTime"]
    return JSONResponse({"value": rows}, 201)


def _actor(body: dict[str, Any]) -> dict[str, Any]:
    """A person by principal name, or else an application by object id."""
    if not body.get("user"):
        return application(str(body.get("app", "")))
    user = {"id": None, "displayName": None, "ipAddress": ELSEWHERE, "userPrincipalName": body["user"]}
    return {"user": user, "app": None}


def _object(state: GraphState, object_id: Any) -> ObjectVersion:  # noqa: ANN401 - JSON from outside
    found = state.present().version(str(object_id).lower())
    if found is None:
        raise not_found(str(object_id))
    return found


def _moment(text: object, now: float) -> float:
    if text is None:
        return now
    try:
        return seconds_of(str(text))
    except ValueError as error:
        raise bad_request("'at' is a moment in ISO 8601.") from error


async def _answer(request: Request, *, state: GraphState, control: Control) -> Response:
    try:
        return await control(request, state)
    except GraphError as error:
        return error.response(request)


def audit_control_routes(state: GraphState) -> list[Route]:
    """Routes below `/sandbox/audit`; no token, loopback only."""
    table: list[tuple[str, str, Control]] = [
        ("GET", "/sandbox/audit", read_logs),
        ("POST", "/sandbox/audit/sign-ins", note_sign_in),
        ("POST", "/sandbox/audit/memberships", note_membership),
        ("DELETE", "/sandbox/audit/changes", forget_changes),
        ("POST", "/sandbox/audit/credentials", note_credential),
    ]
    return [
        Route(path, partial(_answer, state=state, control=control), methods=[method]) for method, path, control in table
    ]
