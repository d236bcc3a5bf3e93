"""`/access-requests/rules`: which connections need a review, from whom, and how many approvals."""

from starlette.responses import JSONResponse, Response

from sandbox.gateway.auth import Endpoint, Role
from sandbox.gateway.records import Json, new_id
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import Call, RefusalError, none_if_empty, now, number, paginated, required, shown, text, texts

REQUIRED_LISTS = ("connection_names", "approval_required_groups", "reviewers_groups", "force_approval_groups")
LISTS = (*REQUIRED_LISTS, "attributes", "skip_review_groups")


def rule_json(rule: Json) -> Json:
    """A rule as the API shows it."""
    return {**rule, **{key: none_if_empty(rule[key]) for key in LISTS}}


async def list_rules(state: GatewayState, call: Call) -> Response:
    return JSONResponse(paginated([rule_json(rule) for rule in state.rules.values()], call.query))


async def get_rule(state: GatewayState, call: Call) -> Response:
    return JSONResponse(rule_json(_found(state, call)))


async def create_rule(state: GatewayState, call: Call) -> Response:
    rule = _checked(call.body)
    if state.rules and state.switches.values["license"] == "oss":
        raise RefusalError(403, "access request rules are limited to 1 in the OSS version")
    if rule["name"] in state.rules:
        raise RefusalError(409, "access request rule already exists")
    moment = shown(now())
    state.rules[rule["name"]] = {"id": new_id(), **rule, "created_at": moment, "updated_at": moment}
    state.events.record("rule-created", name=rule["name"])
    return JSONResponse(rule_json(state.rules[rule["name"]]), 201)


async def put_rule(state: GatewayState, call: Call) -> Response:
    found = _found(state, call)
    changed = {**found, **_checked(call.body), "name": found["name"], "updated_at": shown(now())}
    state.rules[found["name"]] = changed
    state.events.record("rule-updated", name=found["name"])
    return JSONResponse(rule_json(changed))


async def delete_rule(state: GatewayState, call: Call) -> Response:
    name = _found(state, call)["name"]
    del state.rules[name]
    state.events.record("rule-deleted", name=name)
    return Response(status_code=204)


def _found(state: GatewayState, call: Call) -> Json:
    rule = state.rules.get(call.path["name"])
    if rule is None:
        raise RefusalError(404, "access request rule not found")
    return rule


def _checked(body: Json) -> Json:
    for key in REQUIRED_LISTS:
        if body.get(key) is None:
            raise RefusalError(400, f"Key: '{key}' Error:Field validation for '{key}' failed on the 'required' tag")
    name, access_type = required(body, "name"), required(body, "access_type")
    everyone, approvals = bool(body.get("all_groups_must_approve")), number(body, "min_approvals")
    if len(name) < 3:
        raise RefusalError(422, "name must have at least 3 characters")
    if access_type not in ("jit", "command", "jit_command"):
        raise RefusalError(422, "access_type must be one of jit, command, jit_command")
    if not everyone and (approvals is None or approvals < 1):
        raise RefusalError(422, "min_approvals must be at least 1")
    return {
        "name": name,
        "description": text(body, "description"),
        "access_type": access_type,
        "all_groups_must_approve": everyone,
        "min_approvals": approvals,
        "access_max_duration": number(body, "access_max_duration"),
        **{key: texts(body, key) for key in LISTS},
    }


ROUTES = [
    Endpoint("GET", "/access-requests/rules", Role.ADMIN_OR_AUDITOR, list_rules),
    Endpoint("POST", "/access-requests/rules", Role.ADMIN, create_rule),
    Endpoint("GET", "/access-requests/rules/{name}", Role.ADMIN_OR_AUDITOR, get_rule),
    Endpoint("PUT", "/access-requests/rules/{name}", Role.ADMIN, put_rule),
    Endpoint("DELETE", "/access-requests/rules/{name}", Role.ADMIN, delete_rule),
]
