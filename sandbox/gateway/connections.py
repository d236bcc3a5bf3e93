"""`/connections`: the protected resources, listed as far as the caller reaches them."""

from starlette.responses import JSONResponse, Response

from sandbox.gateway.access import attributes_of, reaches
from sandbox.gateway.attributes import attach
from sandbox.gateway.auth import Endpoint, Role
from sandbox.gateway.records import Connection, Json
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import Call, RefusalError, none_if_empty, number, paginated, required, text, texts

MODES = ("access_mode_connect", "access_mode_exec", "access_mode_runbooks", "access_schema")
LISTS = ("reviewers", "force_approve_groups", "command", "redact_types", "tags", "guardrail_rules")
NUMBERS = ("min_review_approvals", "access_max_duration", "jit_access_duration_sec")


def connection_json(state: GatewayState, connection: Connection) -> Json:
    """A connection as the API shows it."""
    attributes = [row["name"] for row in attributes_of(state, connection)]
    lists = {key: none_if_empty(connection.names(key)) for key in LISTS}
    return {**connection.shown, **lists, "id": connection.id, "attributes": none_if_empty(attributes)}


async def list_connections(state: GatewayState, call: Call) -> Response:
    """A plain array, or one page of it when the query asks for pages."""
    reached = [row for row in state.connections.values() if reaches(state, call.caller, row)]
    rows = [connection_json(state, connection) for connection in reached]
    if "page" in call.query or "page_size" in call.query:
        return JSONResponse(paginated(rows, call.query))
    return JSONResponse(rows)


async def get_connection(state: GatewayState, call: Call) -> Response:
    connection = _found(state, call)
    if not reaches(state, call.caller, connection):
        raise RefusalError(404, "connection not found")
    return JSONResponse(connection_json(state, connection))


async def create_connection(state: GatewayState, call: Call) -> Response:
    name = required(call.body, "name")
    if name in state.connections:
        raise RefusalError(409, "connection already exists")
    connection = Connection(name, _shown(name, call.body))
    state.connections[name] = connection
    attach(state, name, texts(call.body, "attributes"))
    state.events.record("connection-created", "", name)
    return JSONResponse(connection_json(state, connection), 201)


async def put_connection(state: GatewayState, call: Call) -> Response:
    connection = _found(state, call)
    connection.shown = _shown(connection.name, call.body)
    attach(state, connection.name, texts(call.body, "attributes"))
    state.events.record("connection-updated", "", connection.name)
    return JSONResponse(connection_json(state, connection))


async def delete_connection(state: GatewayState, call: Call) -> Response:
    connection = _found(state, call)
    del state.connections[connection.name]
    for plugin in state.plugins.values():
        plugin["connections"] = [row for row in plugin["connections"] if row["id"] != connection.id]
    state.events.record("connection-deleted", "", connection.name)
    return Response(status_code=204)


def _found(state: GatewayState, call: Call) -> Connection:
    connection = state.connection(call.path["key"])
    if connection is None:
        raise RefusalError(404, "connection not found")
    return connection


def _shown(name: str, body: Json) -> Json:
    kept: Json = {key: texts(body, key) for key in LISTS}
    kept |= {key: number(body, key) for key in NUMBERS}
    kept |= {mode: text(body, mode) or "enabled" for mode in MODES}
    kind, subtype = text(body, "type") or "database", text(body, "subtype")
    agent = text(body, "agent_id") or "00000000-0000-0000-0000-000000000000"
    return {"name": name, "type": kind, "subtype": subtype, "agent_id": agent, "status": "online", **kept}


ROUTES = [
    Endpoint("GET", "/connections", Role.READERS, list_connections),
    Endpoint("POST", "/connections", Role.ADMIN, create_connection),
    Endpoint("GET", "/connections/{key}", Role.READERS, get_connection),
    Endpoint("PUT", "/connections/{key}", Role.ADMIN, put_connection),
    Endpoint("DELETE", "/connections/{key}", Role.ADMIN, delete_connection),
]
