"""`/machineidentities`: identities without a status, whose PUT replaces connections and attributes."""

import secrets

from starlette.responses import JSONResponse, Response

from sandbox.gateway.auth import Endpoint, Role
from sandbox.gateway.records import Json, MachineIdentity
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import Call, RefusalError, none_if_empty, now, required, shown, text, texts


def machine_identity_json(identity: MachineIdentity) -> Json:
    """A machine identity as the API shows it."""
    return {
        "id": identity.id,
        "name": identity.name,
        "description": identity.description,
        "connection_names": none_if_empty(identity.connection_names),
        "attributes": list(identity.attributes),
        "created_at": shown(identity.created_at),
        "updated_at": shown(identity.updated_at),
    }


async def list_machine_identities(state: GatewayState, _call: Call) -> Response:
    return JSONResponse([machine_identity_json(row) for row in state.machine_identities.values()])


async def get_machine_identity(state: GatewayState, call: Call) -> Response:
    return JSONResponse(machine_identity_json(_found(state, call)))


async def create_machine_identity(state: GatewayState, call: Call) -> Response:
    name = required(call.body, "name")
    if name in state.machine_identities:
        raise RefusalError(409, "machine identity with this name already exists")
    connections, attributes = texts(call.body, "connection_names"), texts(call.body, "attributes")
    identity = MachineIdentity(name, text(call.body, "description"), connections, attributes, now(), now())
    state.machine_identities[name] = identity
    state.events.record("machine-identity-created", identity.id, name=name, connection_names=connections)
    credentials = [_credential(connection) for connection in connections]
    return JSONResponse({**machine_identity_json(identity), "credentials": credentials or None}, 201)


async def put_machine_identity(state: GatewayState, call: Call) -> Response:
    name = required(call.body, "name")
    found = _found(state, call)
    if state.switches.values["miscConfigMissing"]:
        raise RefusalError(400, "server misc configuration not found")
    if name != found.name and name in state.machine_identities:
        raise RefusalError(409, "machine identity with this name already exists")
    identity, counts = state.to_change(found)
    before = _reach_of(identity)
    identity.name, identity.description = name, text(call.body, "description")
    identity.connection_names = texts(call.body, "connection_names")
    identity.attributes, identity.updated_at = texts(call.body, "attributes"), now()
    if counts and name != call.path["name"]:
        state.machine_identities[name] = state.machine_identities.pop(call.path["name"])
    kind = "machine-identity-updated" if counts else "put-ignored"
    state.events.record(kind, identity.id, name=name, before=before, after=_reach_of(identity), by=call.caller.name)
    added = [_credential(new) for new in identity.connection_names if new not in before["connection_names"]]
    return JSONResponse({**machine_identity_json(identity), "new_credentials": added or None})


async def delete_machine_identity(state: GatewayState, call: Call) -> Response:
    """Revokes its credentials and cuts the streams this process holds for it."""
    identity = _found(state, call)
    del state.machine_identities[identity.name]
    state.events.record("machine-identity-deleted", identity.id, name=identity.name, by=call.caller.name)
    held = [stream.session_id for stream in state.streams.values() if stream.subject == identity.id]
    for session_id in held:
        state.close_stream(session_id, "machine identity deleted")
    return JSONResponse({"message": "machine identity deleted"})


def _found(state: GatewayState, call: Call) -> MachineIdentity:
    identity = state.machine_identities.get(call.path["name"])
    if identity is None:
        raise RefusalError(404, "machine identity not found")
    return identity


def _reach_of(identity: MachineIdentity) -> Json:
    return {"connection_names": list(identity.connection_names), "attributes": list(identity.attributes)}


def _credential(connection: str) -> Json:
    return {"connection_name": connection, "secret_key": secrets.token_hex(16)}


ROUTES = [
    Endpoint("GET", "/machineidentities", Role.READERS, list_machine_identities),
    Endpoint("POST", "/machineidentities", Role.ADMIN, create_machine_identity),
    Endpoint("GET", "/machineidentities/{name}", Role.READERS, get_machine_identity),
    Endpoint("PUT", "/machineidentities/{name}", Role.ADMIN, put_machine_identity),
    Endpoint("DELETE", "/machineidentities/{name}", Role.ADMIN, delete_machine_identity),
]
