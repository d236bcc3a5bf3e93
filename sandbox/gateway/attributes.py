"""`/attributes`: labels on connections that carry access-control groups and access request rules."""

from starlette.responses import JSONResponse, Response

from sandbox.gateway.auth import Endpoint, Role
from sandbox.gateway.records import ORG_ID, Json, new_id
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import Call, RefusalError, none_if_empty, now, paginated, required, shown, text, texts

LISTS = (
    "access_control_group_names",
    "access_request_rule_names",
    "connection_names",
    "datamasking_rule_names",
    "guardrail_rule_names",
)


def attribute_json(state: GatewayState, attribute: Json) -> Json:
    """An attribute as the API shows it, with the rules that name it."""
    by_rule = [name for name, rule in state.rules.items() if attribute["name"] in rule["attributes"]]
    rules = [*attribute["access_request_rule_names"], *by_rule]
    lists = {key: none_if_empty(attribute[key]) for key in LISTS}
    return {**attribute, **lists, "access_request_rule_names": none_if_empty(list(dict.fromkeys(rules)))}


def attach(state: GatewayState, connection: str, names: list[str]) -> None:
    """Put exactly these attributes on a connection, creating those that do not exist."""
    for name in names:
        if name not in state.attributes:
            state.attributes[name] = _attribute(name, {})
    for name, row in state.attributes.items():
        others = [other for other in row["connection_names"] if other != connection]
        row["connection_names"] = [*others, connection] if name in names else others


async def list_attributes(state: GatewayState, call: Call) -> Response:
    search = call.query.get("search", "").lower()
    found = [row for row in state.attributes.values() if search in row["name"].lower()]
    return JSONResponse(paginated([attribute_json(state, row) for row in found], call.query))


async def get_attribute(state: GatewayState, call: Call) -> Response:
    return JSONResponse(attribute_json(state, _found(state, call)))


async def create_attribute(state: GatewayState, call: Call) -> Response:
    name = required(call.body, "name")
    if name in state.attributes:
        raise RefusalError(409, "attribute already exists")
    state.attributes[name] = _attribute(name, call.body)
    state.events.record("attribute-created", name=name)
    return JSONResponse(attribute_json(state, state.attributes[name]), 201)


async def put_attribute(state: GatewayState, call: Call) -> Response:
    attribute = _found(state, call)
    attribute |= {key: texts(call.body, key) for key in LISTS}
    attribute["description"] = text(call.body, "description")
    state.events.record("attribute-updated", name=attribute["name"])
    return JSONResponse(attribute_json(state, attribute))


async def delete_attribute(state: GatewayState, call: Call) -> Response:
    name = _found(state, call)["name"]
    del state.attributes[name]
    state.events.record("attribute-deleted", name=name)
    return Response(status_code=204)


def _found(state: GatewayState, call: Call) -> Json:
    attribute = state.attributes.get(call.path["name"])
    if attribute is None:
        raise RefusalError(404, "attribute not found")
    return attribute


def _attribute(name: str, body: Json) -> Json:
    about = {"id": new_id(), "org_id": ORG_ID, "name": name, "description": text(body, "description")}
    return {**about, "created_at": shown(now()), **{key: texts(body, key) for key in LISTS}}


ROUTES = [
    Endpoint("GET", "/attributes", Role.READERS, list_attributes),
    Endpoint("POST", "/attributes", Role.ADMIN, create_attribute),
    Endpoint("GET", "/attributes/{name}", Role.ADMIN_OR_AUDITOR, get_attribute),
    Endpoint("PUT", "/attributes/{name}", Role.ADMIN, put_attribute),
    Endpoint("DELETE", "/attributes/{name}", Role.ADMIN, delete_attribute),
]
