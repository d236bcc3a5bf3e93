"""`/webhooks`: endpoints, event types and messages, passed through to the sender; known only once the plugin exists."""

import binascii
import secrets
from base64 import b64decode, b64encode
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from sandbox.gateway.announcements import REVIEW_CREATE, SESSION_CLOSE, SESSION_OPEN
from sandbox.gateway.auth import Endpoint, Role
from sandbox.gateway.deliveries import Attempt, WebhookEndpoint, WebhookMessage
from sandbox.gateway.records import Json
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import Call, RefusalError, required, shown, text, texts

EVENT_TYPES = {
    SESSION_OPEN: "This event is triggered when a user executes an one off or interactive session",
    SESSION_CLOSE: "This event indicates the end of a session flow",
    REVIEW_CREATE: "This event is triggered when a review is created",
}
SUCCEEDED, FAILED = 0, 2
SECRET_BYTES = range(24, 76)


def endpoint_json(endpoint: WebhookEndpoint) -> Json:
    """An endpoint as the API shows it, without its secrets."""
    body = {
        "id": endpoint.id,
        "url": endpoint.url,
        "description": endpoint.description,
        "disabled": False,
        "metadata": {},
        "version": 1,
        "createdAt": shown(endpoint.created_at),
        "updatedAt": shown(endpoint.created_at),
    }
    return {**body, "filterTypes": endpoint.filter_types} if endpoint.filter_types else body


async def list_endpoints(state: GatewayState, _call: Call) -> Response:
    _require_application(state, "endpoint-list")
    return JSONResponse(_page([endpoint_json(row) for row in state.deliveries.endpoints.values()]))


async def create_endpoint(state: GatewayState, call: Call) -> Response:
    _require_application(state, "endpoint-create")
    url = required(call.body, "url")
    if urlsplit(url).scheme not in ("http", "https"):
        raise _refused("endpoint-create", 422)
    secret = text(call.body, "secret") or new_secret()
    require_secret(secret)
    endpoint = WebhookEndpoint(url, [secret], text(call.body, "description"), texts(call.body, "filterTypes"))
    state.deliveries.endpoints[endpoint.id] = endpoint
    return JSONResponse(endpoint_json(endpoint), 201)


async def get_endpoint(state: GatewayState, call: Call) -> Response:
    return JSONResponse(endpoint_json(_endpoint(state, call, "endpoint-get")))


async def delete_endpoint(state: GatewayState, call: Call) -> Response:
    """What is still on its way to the endpoint is given up."""
    del state.deliveries.endpoints[_endpoint(state, call, "endpoint-delete").id]
    return Response(status_code=204)


async def list_event_types(_state: GatewayState, _call: Call) -> Response:
    rows = [{"name": name, "description": words, "archived": False} for name, words in EVENT_TYPES.items()]
    return JSONResponse(_page(rows))


async def get_event_type(_state: GatewayState, call: Call) -> Response:
    name = call.path["name"]
    if name not in EVENT_TYPES:
        raise _refused("event-type-get", 404)
    return JSONResponse({"name": name, "description": EVENT_TYPES[name], "archived": False})


async def create_message(state: GatewayState, call: Call) -> Response:
    """A test message: delivered like any other."""
    _require_application(state, "message-create")
    payload = call.body.get("payload")
    if not isinstance(payload, dict):
        raise RefusalError(400, "Key: 'payload' Error:Field validation for 'payload' failed on the 'required' tag")
    message = WebhookMessage(required(call.body, "eventType"), payload)
    state.deliveries.send(message)
    return JSONResponse(_message_json(message), 201)


async def list_messages(state: GatewayState, call: Call) -> Response:
    """The attempts to deliver to one endpoint, newest first; the endpoint need not be named when there is one."""
    _require_application(state, "message-list")
    known = state.deliveries.endpoints
    endpoint_id = call.query.get("endpoint_id") or (next(iter(known)) if len(known) == 1 else "")
    if not endpoint_id:
        missing = "a default endpoint was not found, specify one by passing the query string: endpoint_id"
        raise RefusalError(422, missing)
    types = {one for one in call.query.get("event_types", "").split(",") if one}
    found = [
        _attempt_json(row)
        for row in reversed(state.deliveries.attempts)
        if row.endpoint.id == endpoint_id and (not types or row.message.event_type in types)
    ]
    return JSONResponse(_page(found[: _limit(call)]))


async def get_message(state: GatewayState, call: Call) -> Response:
    message = state.deliveries.messages.get(call.path["id"])
    if message is None:
        raise _refused("message-get", 404)
    return JSONResponse(_message_json(message))


def new_secret() -> str:
    """A secret as the sender makes one when nobody gives it."""
    return f"whsec_{b64encode(secrets.token_bytes(24)).decode()}"


def require_secret(secret: str) -> None:
    """Nothing when the sender takes this as a secret; refused otherwise."""
    try:
        size = len(b64decode(secret.removeprefix("whsec_"), validate=True))
    except binascii.Error:
        size = 0
    if size not in SECRET_BYTES:
        raise _refused("endpoint-create", 422)


def _require_application(state: GatewayState, operation: str) -> None:
    if "webhooks" not in state.plugins:
        raise _refused(operation, 404)


def _endpoint(state: GatewayState, call: Call, operation: str) -> WebhookEndpoint:
    endpoint = state.deliveries.endpoints.get(call.path["id"])
    if endpoint is None:
        raise _refused(operation, 404)
    return endpoint


def _refused(operation: str, status: int) -> RefusalError:
    return RefusalError(400, f"failed performing operation to Svix API, op={operation}, resource=, status={status}")


def _limit(call: Call) -> int:
    given = call.query.get("limit", "")
    return int(given) if given.isdecimal() and int(given) else 50


def _page(rows: list[Json]) -> Json:
    return {"data": rows, "done": True, "iterator": None, "prevIterator": None}


def _message_json(message: WebhookMessage) -> Json:
    return {
        "id": message.id,
        "eventId": message.event_id,
        "eventType": message.event_type,
        "payload": message.payload,
        "timestamp": shown(message.created_at),
    }


def _attempt_json(attempt: Attempt) -> Json:
    return {
        "id": attempt.id,
        "endpointId": attempt.endpoint.id,
        "msgId": attempt.message.id,
        "url": attempt.endpoint.url,
        "status": SUCCEEDED if attempt.succeeded else FAILED,
        "responseStatusCode": attempt.status_code,
        "response": attempt.answer,
        "timestamp": shown(attempt.at),
        "triggerType": 0,
    }


ROUTES = [
    Endpoint("GET", "/webhooks/endpoints", Role.ADMIN_OR_AUDITOR, list_endpoints),
    Endpoint("POST", "/webhooks/endpoints", Role.ADMIN, create_endpoint),
    Endpoint("GET", "/webhooks/endpoints/{id}", Role.ADMIN_OR_AUDITOR, get_endpoint),
    Endpoint("DELETE", "/webhooks/endpoints/{id}", Role.ADMIN, delete_endpoint),
    Endpoint("GET", "/webhooks/eventtypes", Role.ADMIN_OR_AUDITOR, list_event_types),
    Endpoint("GET", "/webhooks/eventtypes/{name}", Role.ADMIN_OR_AUDITOR, get_event_type),
    Endpoint("GET", "/webhooks/messages", Role.ADMIN_OR_AUDITOR, list_messages),
    Endpoint("POST", "/webhooks/messages", Role.ADMIN, create_message),
    Endpoint("GET", "/webhooks/messages/{id}", Role.ADMIN_OR_AUDITOR, get_message),
]
