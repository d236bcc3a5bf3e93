"""`/api-keys` and `/ai-agents`: the same routes over two tables of `hpk_` keys."""

import secrets
from collections.abc import Awaitable, Callable

from starlette.responses import JSONResponse, Response

from sandbox.gateway.auth import Endpoint, Handler, Role
from sandbox.gateway.records import ORG_ID, Json, Key
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import Call, RefusalError, none_if_empty, now, required, shown, text, texts

TableVerb = Callable[[GatewayState, Call, str], Awaitable[Response]]


def key_json(key: Key) -> Json:
    """A key as the API shows it, without its secret."""
    return {
        "id": key.id,
        "org_id": ORG_ID,
        "name": key.name,
        "masked_key": key.secret[:8] + "*" * 39,
        "status": key.status,
        "groups": none_if_empty(key.groups),
        "created_by": key.created_by,
        "deactivated_by": key.deactivated_by,
        "created_at": shown(key.created_at),
        "deactivated_at": shown(key.deactivated_at),
        "last_used_at": shown(key.last_used_at),
    }


def add_key(state: GatewayState, table: str, key: Key) -> Key:
    """A new key under a name that nobody has; refused with 409 otherwise."""
    _require_free_name(state, table, key.name)
    state.keys[table][key.id] = key
    state.keys_by_secret[key.secret] = key
    state.events.record("key-created", key.id, name=key.name, table=table, groups=list(key.groups))
    return key


async def _list(state: GatewayState, _call: Call, table: str) -> Response:
    return JSONResponse([key_json(key) for key in state.keys[table].values()] or None)


async def _create(state: GatewayState, call: Call, table: str) -> Response:
    name, secret = required(call.body, "name"), f"hpk_{secrets.token_hex(20)}"
    key = add_key(state, table, Key(name, secret, now(), texts(call.body, "groups"), call.caller.email))
    return JSONResponse({**key_json(key), "key": key.secret}, 201)


async def _get(state: GatewayState, call: Call, table: str) -> Response:
    return JSONResponse(key_json(_found(state, call, table)))


async def _put(state: GatewayState, call: Call, table: str) -> Response:
    found = _found(state, call, table)
    name = text(call.body, "name") or found.name
    if name != found.name:
        _require_free_name(state, table, name)
    key, counts = state.to_change(found)
    before = list(key.groups)
    key.name = name
    if call.body.get("groups") is not None:
        key.groups = texts(call.body, "groups")
    kind = "key-updated" if counts else "put-ignored"
    state.events.record(kind, key.id, name=key.name, table=table, before=before, after=list(key.groups))
    return JSONResponse(key_json(key))


async def _revoke(state: GatewayState, call: Call, table: str) -> Response:
    key = _found(state, call, table)
    if key.status == "revoked":
        raise RefusalError(404, "resource not found")
    key.status, key.deactivated_by, key.deactivated_at = "revoked", call.caller.email, now()
    state.events.record("key-revoked", key.id, name=key.name, table=table, by=call.caller.name)
    return Response(status_code=204)


async def _reactivate(state: GatewayState, call: Call, table: str) -> Response:
    key = _found(state, call, table)
    if key.status == "active":
        raise RefusalError(422, "cannot reactivate an active key")
    key.status, key.deactivated_by, key.deactivated_at = "active", None, None
    state.events.record("key-reactivated", key.id, name=key.name, table=table, by=call.caller.name)
    return JSONResponse(key_json(key))


def _found(state: GatewayState, call: Call, table: str) -> Key:
    name_or_id, rows = call.path["key"], state.keys[table]
    key = rows.get(name_or_id) or next((row for row in rows.values() if row.name == name_or_id), None)
    if key is None:
        raise RefusalError(404, "resource not found")
    return key


def _require_free_name(state: GatewayState, table: str, name: str) -> None:
    if any(key.name == name for key in state.keys[table].values()):
        raise RefusalError(409, "a key with this name already exists")


def _routes(table: str) -> list[Endpoint]:
    verbs: list[tuple[str, str, TableVerb]] = [
        ("GET", "", _list),
        ("POST", "", _create),
        ("GET", "/{key}", _get),
        ("PUT", "/{key}", _put),
        ("DELETE", "/{key}", _revoke),
        ("POST", "/{key}/reactivate", _reactivate),
    ]
    return [Endpoint(method, f"/{table}{path}", Role.ADMIN, _for(table, verb)) for method, path, verb in verbs]


def _for(table: str, verb: TableVerb) -> Handler:
    async def handle(state: GatewayState, call: Call) -> Response:
        return await verb(state, call, table)

    return handle


ROUTES = [*_routes("api-keys"), *_routes("ai-agents")]
