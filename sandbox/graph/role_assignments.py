"""Application permissions that an admin assigns, and that everybody who may read applications reads again."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.graph.access import Caller
from sandbox.graph.bodies import json_object
from sandbox.graph.clock import graph_date
from sandbox.graph.directory import ObjectVersion
from sandbox.graph.errors import bad_request
from sandbox.graph.odata import context
from sandbox.graph.reads import find_principal
from sandbox.graph.routing import Row
from sandbox.graph.schema import Kind
from sandbox.graph.state import GraphState

_PATH = "/servicePrincipals/{id}/appRoleAssignments"


async def list_assignments(request: Request, state: GraphState, _: Caller) -> Response:
    """What a service principal may do, as far as an admin of the sandbox has said."""
    holder = _principal(state, request.path_params["id"])
    rows = [row for row in state.role_assignments if row["principalId"] == holder.id]
    return JSONResponse({"@odata.context": context(request, "appRoleAssignments"), "value": rows})


async def assign(request: Request, state: GraphState, _: Caller) -> Response:
    """Give a service principal one application permission at a resource; refused when it has it already."""
    body = await json_object(request)
    holder = _principal(state, request.path_params["id"])
    if body.get("principalId") != holder.id:
        raise bad_request("'principalId' must be the service principal that the path names.")
    resource = _principal(state, str(body.get("resourceId")))
    roles = {role["id"]: role for role in resource.values.get("appRoles") or ()}
    role = roles.get(str(body.get("appRoleId")))
    if role is None or "Application" not in role["allowedMemberTypes"]:
        raise bad_request("Permission being assigned was not found on application.")
    wanted = {"principalId": holder.id, "resourceId": resource.id, "appRoleId": role["id"]}
    if any(wanted.items() <= row.items() for row in state.role_assignments):
        raise bad_request("Permission being assigned already exists on the object")
    row: dict[str, Any] = wanted | {
        "id": uuid.uuid4().hex,
        "createdDateTime": graph_date(state.clock()),
        "principalType": "ServicePrincipal",
        "principalDisplayName": holder.values.get("displayName"),
        "resourceDisplayName": resource.values.get("displayName"),
    }
    state.role_assignments.append(row)
    return JSONResponse(row, 201)


def _principal(state: GraphState, object_id: str) -> ObjectVersion:
    return find_principal(state.present(), object_id, Kind.SERVICE_PRINCIPAL)


def role_assignment_reads() -> list[Row]:
    """The route that shows assignments."""
    return [("GET", _PATH, list_assignments)]


def role_assignment_writes() -> list[Row]:
    """The route that makes them."""
    return [("POST", _PATH, assign)]
