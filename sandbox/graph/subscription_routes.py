"""The subscription routes: create, list, read, renew, reauthorize, delete."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.graph.access import Caller
from sandbox.graph.bodies import json_object
from sandbox.graph.errors import GraphError
from sandbox.graph.handshake import shake_hands
from sandbox.graph.odata import context
from sandbox.graph.routing import Row
from sandbox.graph.state import GraphState
from sandbox.graph.subscriptions import Subscription, invalid, parse_expiry, parse_subscription, parse_url
from sandbox.tenant import TETHER_CLIENT_ID, TETHER_OBJECT_ID

_CHANGEABLE = frozenset({"expirationDateTime", "notificationUrl"})


async def create_subscription(request: Request, state: GraphState, caller: Caller) -> Response:
    body = await json_object(request)
    application_id = TETHER_CLIENT_ID if caller.object_id == TETHER_OBJECT_ID else caller.object_id
    candidate = parse_subscription(body, caller.object_id, application_id, state.clock())
    state.subscriptions.admit(candidate)
    for url in (candidate.notification_url, candidate.lifecycle_url):
        if url:
            await shake_hands(state.sender, url)
    # Another request may have been faster while the endpoint answered.
    state.subscriptions.admit(candidate)
    state.subscriptions.add(candidate)
    _log(state, "subscription-created", candidate)
    return _entity(request, candidate.json(with_client_state=True), 201)


async def list_subscriptions(request: Request, state: GraphState, caller: Caller) -> Response:
    rows = [one.json() for one in state.subscriptions.of_app(caller.object_id)]
    return JSONResponse({"@odata.context": context(request, "subscriptions"), "value": rows})


async def read_subscription(request: Request, state: GraphState, caller: Caller) -> Response:
    return _entity(request, _own(request, state, caller).json())


async def update_subscription(request: Request, state: GraphState, caller: Caller) -> Response:
    subscription = _own(request, state, caller)
    body = await json_object(request)
    unknown = body.keys() - _CHANGEABLE
    if unknown:
        raise invalid(f"Property '{min(unknown)}' cannot be updated on an existing subscription.")
    expires_at = subscription.expires_at
    if "expirationDateTime" in body:
        expires_at = parse_expiry(body["expirationDateTime"], state.clock())
    if "notificationUrl" in body:
        url = parse_url(body, "notificationUrl", required=True) or ""
        await shake_hands(state.sender, url)
        subscription.notification_url = url
    subscription.expires_at = expires_at
    _log(state, "subscription-renewed", subscription)
    return _entity(request, subscription.json())


async def reauthorize_subscription(request: Request, state: GraphState, caller: Caller) -> Response:
    _log(state, "subscription-reauthorized", _own(request, state, caller))
    return Response(status_code=204)


async def delete_subscription(request: Request, state: GraphState, caller: Caller) -> Response:
    subscription = _own(request, state, caller)
    state.subscriptions.remove(subscription.id)
    _log(state, "subscription-deleted", subscription)
    return Response(status_code=204)


def _own(request: Request, state: GraphState, caller: Caller) -> Subscription:
    found = state.subscriptions.find(request.path_params["id"].lower())
    if found is None or found.app_object_id != caller.object_id:
        raise GraphError(404, "ResourceNotFound", "The object was not found.")
    return found


def _entity(request: Request, body: dict[str, Any], status: int = 200) -> JSONResponse:
    return JSONResponse({"@odata.context": context(request, "subscriptions/$entity")} | body, status)


def _log(state: GraphState, kind: str, subscription: Subscription) -> None:
    state.events.add(kind, detail=subscription.resource, subscriptionIds=[subscription.id])


def subscription_rows() -> list[Row]:
    """Routes of subscriptions."""
    return [
        ("POST", "/subscriptions", create_subscription),
        ("GET", "/subscriptions", list_subscriptions),
        ("GET", "/subscriptions/{id}", read_subscription),
        ("PATCH", "/subscriptions/{id}", update_subscription),
        ("DELETE", "/subscriptions/{id}", delete_subscription),
        ("POST", "/subscriptions/{id}/reauthorize", reauthorize_subscription),
    ]
