"""Change and lifecycle notifications in the shapes that Graph sends."""

from typing import Any

from sandbox.graph.clock import precise_date
from sandbox.graph.delivery import Notification
from sandbox.graph.directory import ObjectVersion
from sandbox.graph.schema import COLLECTIONS, Kind
from sandbox.graph.state import GraphState
from sandbox.graph.subscriptions import Subscription
from sandbox.tenant import TENANT_ID

_TYPES = {Kind.USER: ("Users", "#Microsoft.Graph.User"), Kind.GROUP: ("Groups", "#Microsoft.Graph.Group")}
_TICKS_TO_1970 = 621_355_968_000_000_000


def notify(
    state: GraphState,
    changed: ObjectVersion,
    change_type: str,
    *,
    cause: int,
    member: dict[str, Any] | None = None,
) -> None:
    """Tell every subscriber that a user or group changed; other kinds have no change notifications."""
    if changed.kind not in _TYPES:
        return
    principal_id = member["id"] if member else changed.id
    group_id = changed.id if changed.kind is Kind.GROUP else None
    for subscription in state.subscriptions.live():
        if subscription.wants(COLLECTIONS[changed.kind], changed.id, change_type):
            body = change_item(subscription, changed, change_type, member)
            if state.switches["eventTime"]:
                body["resourceData"] |= _stamps(state.clock())
            state.sender.offer(
                Notification(subscription.id, subscription.notification_url, body, cause, principal_id, group_id)
            )


def notify_lifecycle(state: GraphState, subscription: Subscription, lifecycle_event: str) -> Notification | None:
    """Send a lifecycle notification; None when the subscription has no URL for them."""
    if not subscription.lifecycle_url:
        return None
    body = _envelope(subscription) | {"lifecycleEvent": lifecycle_event}
    notification = Notification(subscription.id, subscription.lifecycle_url, body)
    state.sender.send(notification)
    return notification


def change_item(
    subscription: Subscription, changed: ObjectVersion, change_type: str, member: dict[str, Any] | None
) -> dict[str, Any]:
    """One item of a change notification: no property values, and of a membership only the member's id."""
    collection, type_name = _TYPES[changed.kind]
    resource = f"{collection}/{changed.id}"
    data: dict[str, Any] = {
        "@odata.type": type_name,
        "@odata.id": resource,
        "id": changed.id,
        "organizationId": TENANT_ID,
    }
    if member:
        data["members@delta"] = [member]
    return _envelope(subscription) | {"changeType": change_type, "resource": resource, "resourceData": data}


def _envelope(subscription: Subscription) -> dict[str, Any]:
    return {
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": precise_date(subscription.expires_at),
        "tenantId": TENANT_ID,
        "clientState": subscription.client_state,
    }


def _stamps(now: float) -> dict[str, Any]:
    return {"eventTime": precise_date(now), "sequenceNumber": _TICKS_TO_1970 + int(now * 10_000_000)}
