"""Subscriptions: what may be subscribed to, for how long, and which of them still live."""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.graph.clock import precise_date, seconds_of
from sandbox.graph.errors import GraphError

LONGEST_SECONDS = 41_760 * 60
LONGEST_CLIENT_STATE = 128
QUOTA = 100
_RESOURCE = re.compile(r"/?(users|groups)(?:/([0-9a-fA-F-]{36}))?/?", re.IGNORECASE)
_CHANGE_TYPES = frozenset({"updated", "deleted"})


@dataclass(slots=True)
class Subscription:
    """One app's registration for one resource."""

    id: str
    app_object_id: str
    application_id: str
    resource: str
    collection: str
    object_id: str | None
    change_types: frozenset[str]
    change_type: str
    client_state: str | None
    notification_url: str
    lifecycle_url: str | None
    expires_at: float

    def wants(self, collection: str, object_id: str, change_type: str) -> bool:
        """Whether a change is its business."""
        return (
            self.collection == collection
            and change_type in self.change_types
            and (self.object_id is None or self.object_id == object_id)
        )

    def same_as(self, other: "Subscription") -> bool:
        """Whether another subscription of the app already asks for exactly this."""
        mine = (self.app_object_id, self.collection, self.object_id, self.change_types)
        return mine == (other.app_object_id, other.collection, other.object_id, other.change_types)

    def json(self, *, with_client_state: bool = False) -> dict[str, Any]:
        """The subscription as Graph shows it; the client state only in the answer to its creation."""
        return {
            "id": self.id,
            "resource": self.resource,
            "applicationId": self.application_id,
            "changeType": self.change_type,
            "clientState": self.client_state if with_client_state else None,
            "notificationUrl": self.notification_url,
            "notificationQueryOptions": None,
            "lifecycleNotificationUrl": self.lifecycle_url,
            "expirationDateTime": precise_date(self.expires_at),
            "creatorId": self.app_object_id,
            "includeResourceData": None,
            "latestSupportedTlsVersion": "v1_2",
            "encryptionCertificate": None,
            "encryptionCertificateId": None,
            "notificationUrlAppId": None,
        }


@dataclass(slots=True)
class Subscriptions:
    """All subscriptions of the tenant; an expired one is gone without a word."""

    clock: Callable[[], float]
    by_id: dict[str, Subscription] = field(default_factory=dict)

    def live(self) -> Iterator[Subscription]:
        """Those that have not expired."""
        now = self.clock()
        return (one for one in self.by_id.values() if one.expires_at > now)

    def find(self, subscription_id: str) -> Subscription | None:
        """A live subscription by id."""
        found = self.by_id.get(subscription_id)
        return found if found and found.expires_at > self.clock() else None

    def of_app(self, app_object_id: str) -> list[Subscription]:
        """One app's live subscriptions."""
        return [one for one in self.live() if one.app_object_id == app_object_id]

    def admit(self, candidate: Subscription) -> None:
        """Check a new subscription against those that exist; raises Graph's 409 or 403."""
        others = self.of_app(candidate.app_object_id)
        if any(candidate.same_as(other) for other in others):
            message = "A subscription with the same 'changeType' and 'resource' already exists."
            raise GraphError(409, "Conflict", message)
        if len(others) >= QUOTA:
            raise GraphError(403, "Forbidden", f"Subscriptions per app and tenant exceed the maximum of {QUOTA}.")

    def add(self, subscription: Subscription) -> None:
        """Keep a subscription from now on."""
        self.by_id[subscription.id] = subscription

    def remove(self, subscription_id: str) -> Subscription | None:
        """Forget a subscription."""
        return self.by_id.pop(subscription_id, None)

    def clear(self) -> None:
        """Forget all of them."""
        self.by_id.clear()


def parse_subscription(body: dict[str, Any], app_object_id: str, application_id: str, now: float) -> Subscription:
    """The subscription that a POST asks for; raises Graph's 400."""
    resource = _text(body, "resource", required=True) or ""
    found = _RESOURCE.fullmatch(resource)
    if not found:
        raise invalid(f"Unsupported resource: '{resource}'.")
    change_type = _text(body, "changeType", required=True) or ""
    client_state = _text(body, "clientState")
    if client_state and len(client_state) > LONGEST_CLIENT_STATE:
        raise invalid(f"'clientState' must be {LONGEST_CLIENT_STATE} characters or fewer.")
    if body.get("includeResourceData"):
        raise invalid("Resource data is not supported for this resource.")
    return Subscription(
        id=str(uuid.uuid4()),
        app_object_id=app_object_id,
        application_id=application_id,
        resource=resource,
        collection=found[1].lower(),
        object_id=found[2].lower() if found[2] else None,
        change_types=_change_types(change_type),
        change_type=change_type,
        client_state=client_state,
        notification_url=parse_url(body, "notificationUrl", required=True) or "",
        lifecycle_url=parse_url(body, "lifecycleNotificationUrl"),
        expires_at=parse_expiry(body.get("expirationDateTime"), now),
    )


def parse_expiry(value: object, now: float) -> float:
    """The moment a subscription is to end; raises Graph's 400 when it is past or too far ahead."""
    try:
        expires_at = seconds_of(str(value))
    except ValueError as error:
        raise invalid(f"Invalid 'expirationDateTime': '{value}'.") from error
    if expires_at <= now:
        raise invalid("Subscription expiration must be in the future.")
    if expires_at > now + LONGEST_SECONDS:
        raise invalid("Subscription expiration can only be 41760 minutes in the future.")
    return expires_at


def parse_url(body: dict[str, Any], name: str, *, required: bool = False) -> str | None:
    """A notification URL: https, or loopback in the sandbox; raises Graph's 400."""
    value = _text(body, name, required=required)
    if value and not value.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise invalid(f"'{name}' must use https.")
    return value


def invalid(message: str) -> GraphError:
    """The subscription service's 400."""
    return GraphError(400, "InvalidRequest", message)


def _change_types(text: str) -> frozenset[str]:
    types = [part.strip().lower() for part in text.split(",")]
    for one in types:
        if one not in _CHANGE_TYPES:
            raise invalid(f"Invalid 'changeType' attribute: '{one}'.")
    return frozenset(types)


def _text(body: dict[str, Any], name: str, *, required: bool = False) -> str | None:
    value = body.get(name)
    if value is None and not required:
        return None
    if not isinstance(value, str) or not value:
        raise invalid(f"'{name}' is missing or not a string.")
    return value
