"""The sandbox's own controls: switches, events, a look at the whole directory, lifecycle and loss on demand."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.graph.bodies import json_object
from sandbox.graph.errors import GraphError
from sandbox.graph.notifications import notify_lifecycle
from sandbox.graph.odata import render
from sandbox.graph.schema import COLLECTIONS, Kind
from sandbox.graph.state import GraphState
from sandbox.graph.subscriptions import Subscription

LIFECYCLE_EVENTS = frozenset({"reauthorizationRequired", "subscriptionRemoved", "missed"})
_SHOWN = {
    Kind.USER: ("id", "displayName", "mail", "userPrincipalName", "accountEnabled"),
    Kind.GROUP: ("id", "displayName", "securityEnabled"),
    Kind.SERVICE_PRINCIPAL: (
        *("id", "appId", "displayName", "servicePrincipalType", "accountEnabled", "isDisabled"),
        *("disabledByMicrosoftStatus", "agentIdentityBlueprintId"),
    ),
    Kind.APPLICATION: ("id", "appId", "displayName", "isDisabled", "disabledByMicrosoftStatus"),
}
Control = Callable[[Request, GraphState], Awaitable[Response]]


async def read_switches(_: Request, state: GraphState) -> Response:
    return JSONResponse(state.switches.values)


async def set_switches(request: Request, state: GraphState) -> Response:
    changes = await json_object(request)
    if request.query_params.get("reset") == "1":
        state.switches.reset()
    try:
        state.set_switches(changes)
    except ValueError as error:
        raise GraphError(400, "BadRequest", str(error)) from error
    return JSONResponse(state.switches.values)


async def read_events(request: Request, state: GraphState) -> Response:
    after = request.query_params.get("after", "0")
    if not after.isdecimal():
        raise GraphError(400, "BadRequest", "'after' is a sequence number.")
    return JSONResponse({"events": state.events.after(int(after)), "last": state.events.last})


async def read_directory(_: Request, state: GraphState) -> Response:
    view = state.present()
    shown: dict[str, Any] = {
        COLLECTIONS[kind]: [render(one, names, typed=True) for one in view.live(kind)] for kind, names in _SHOWN.items()
    }
    for group in shown["groups"]:
        group["members"] = [member.id for member in view.members(group["id"])]
    deleted = [
        render(one, (*names, "deletedDateTime"), typed=True)
        for kind, names in _SHOWN.items()
        for one in view.deleted(kind)
    ]
    subscriptions = [one.json() for one in state.subscriptions.live()]
    more = {"deleted": deleted, "subscriptions": subscriptions, "requests": dict(state.requests)}
    return JSONResponse(shown | more)


async def send_lifecycle(request: Request, state: GraphState) -> Response:
    body = await json_object(request)
    if body.get("lifecycleEvent") not in LIFECYCLE_EVENTS:
        raise GraphError(400, "BadRequest", f"'lifecycleEvent' is one of {', '.join(sorted(LIFECYCLE_EVENTS))}.")
    subscription = _subscription(state, str(body.get("subscriptionId")))
    if not notify_lifecycle(state, subscription, body["lifecycleEvent"]):
        raise GraphError(409, "Conflict", "The subscription has no lifecycleNotificationUrl.")
    return Response(status_code=202)


async def lose_subscription(request: Request, state: GraphState) -> Response:
    subscription = _subscription(state, request.path_params["id"])
    state.subscriptions.remove(subscription.id)
    state.events.add("subscription-lost", detail=subscription.resource, subscriptionIds=[subscription.id])
    return Response(status_code=204)


async def reset(_: Request, state: GraphState) -> Response:
    await state.reset()
    state.events.add("reset")
    return Response(status_code=204)


def _subscription(state: GraphState, subscription_id: str) -> Subscription:
    found = state.subscriptions.find(subscription_id.lower())
    if found is None:
        raise GraphError(404, "ResourceNotFound", "There is no such live subscription.")
    return found


async def _answer(request: Request, *, state: GraphState, control: Control) -> Response:
    try:
        return await control(request, state)
    except GraphError as error:
        return error.response(request)


def control_routes(state: GraphState) -> list[Route]:
    """Routes below `/sandbox`; no token, loopback only."""
    table: list[tuple[str, str, Control]] = [
        ("GET", "/sandbox/switches", read_switches),
        ("PUT", "/sandbox/switches", set_switches),
        ("GET", "/sandbox/events", read_events),
        ("GET", "/sandbox/directory", read_directory),
        ("POST", "/sandbox/lifecycle", send_lifecycle),
        ("POST", "/sandbox/subscriptions/{id}/lose", lose_subscription),
        ("POST", "/sandbox/reset", reset),
    ]
    return [
        Route(path, partial(_answer, state=state, control=control), methods=[method]) for method, path, control in table
    ]
