"""`/plugins`: only their names and groups per connection matter here; without `access_control` nothing is closed."""

from starlette.responses import JSONResponse, Response

from sandbox.gateway.auth import Endpoint, Role
from sandbox.gateway.records import Connection, Json, new_id
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import Call, RefusalError, none_if_empty, now, required, shown, texts

NAMES = ("audit", "access_control", "dlp", "indexer", "review", "runbooks", "slack", "webhooks")


def plugin_json(plugin: Json) -> Json:
    """A plugin as the API shows it."""
    rows = [{**row, "config": none_if_empty(row["config"])} for row in plugin["connections"]]
    return {**plugin, "connections": rows or None, "config": None, "priority": 0, "source": None}


async def list_plugins(state: GatewayState, _call: Call) -> Response:
    return JSONResponse([plugin_json(plugin) for plugin in state.plugins.values()])


async def get_plugin(state: GatewayState, call: Call) -> Response:
    return JSONResponse(plugin_json(_found(state, call)))


async def create_plugin(state: GatewayState, call: Call) -> Response:
    name = required(call.body, "name")
    if name not in NAMES:
        raise RefusalError(400, f"unknown plugin {name}")
    if name in state.plugins:
        raise RefusalError(400, "plugin already enabled.")
    rows = [_row(state, row) for row in call.body.get("connections") or []]
    state.plugins[name] = {"id": new_id(), "name": name, "connections": rows}
    state.events.record("plugin-created", "", "", name=name)
    return JSONResponse(plugin_json(state.plugins[name]), 201)


async def get_plugin_connection(state: GatewayState, call: Call) -> Response:
    plugin, connection = _found(state, call), _connection(state, call.path["id"])
    row = _row_of(plugin, connection)
    if row is None:
        raise RefusalError(404, "plugin connection not found")
    return JSONResponse(_row_json(plugin, row))


async def put_plugin_connection(state: GatewayState, call: Call) -> Response:
    plugin, connection = _found(state, call), _connection(state, call.path["id"])
    row = _row_of(plugin, connection)
    before = list(row["config"]) if row else None
    if row is None:
        row = {"id": connection.id, "name": connection.name}
        plugin["connections"].append(row)
    row["config"] = texts(call.body, "config")
    detail = {"plugin": plugin["name"], "before": before, "after": list(row["config"])}
    state.events.record("plugin-connection-updated", "", connection.name, **detail)
    return JSONResponse(_row_json(plugin, row))


async def delete_plugin_connection(state: GatewayState, call: Call) -> Response:
    plugin, connection = _found(state, call), _connection(state, call.path["id"])
    row = _row_of(plugin, connection)
    if row is None:
        raise RefusalError(404, "plugin connection not found")
    plugin["connections"].remove(row)
    state.events.record("plugin-connection-deleted", "", connection.name, plugin=plugin["name"])
    return Response(status_code=204)


def _found(state: GatewayState, call: Call) -> Json:
    plugin = state.plugins.get(call.path["name"])
    if plugin is None:
        raise RefusalError(404, "not found")
    return plugin


def _connection(state: GatewayState, name_or_id: str) -> Connection:
    connection = state.connection(name_or_id)
    if connection is None:
        raise RefusalError(404, "connection not found")
    return connection


def _row(state: GatewayState, body: Json) -> Json:
    connection = state.connection(required(body, "id"))
    if connection is None:
        raise RefusalError(422, "the connection of this plugin does not exist")
    return {"id": connection.id, "name": connection.name, "config": texts(body, "config")}


def _row_of(plugin: Json, connection: Connection) -> Json | None:
    rows: list[Json] = plugin["connections"]
    return next((row for row in rows if row["id"] == connection.id), None)


def _row_json(plugin: Json, row: Json) -> Json:
    config = none_if_empty(row["config"])
    ids = {"id": row["id"], "plugin_id": plugin["id"], "connection_id": row["id"]}
    return {**ids, "config": config, "updated_at": shown(now())}


ROUTES = [
    Endpoint("GET", "/plugins", Role.READERS, list_plugins),
    Endpoint("POST", "/plugins", Role.ADMIN, create_plugin),
    Endpoint("GET", "/plugins/{name}", Role.READERS, get_plugin),
    Endpoint("GET", "/plugins/{name}/conn/{id}", Role.ADMIN_OR_AUDITOR, get_plugin_connection),
    Endpoint("PUT", "/plugins/{name}/conn/{id}", Role.ADMIN, put_plugin_connection),
    Endpoint("DELETE", "/plugins/{name}/conn/{id}", Role.ADMIN, delete_plugin_connection),
]
