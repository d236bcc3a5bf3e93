"""Change and lifecycle notifications: parsed and checked in one step, so that an unchecked one cannot exist.

Shapes: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks and, for `members@delta`, observation.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, ValidationError
from pydantic_core import from_json

from shared.domain.client_state import ClientStateKeys
from shared.domain.principals import Hint, PrincipalChange, PrincipalKind, Source
from shared.domain.subscriptions import DirectoryEvent, DirectoryEventKind
from shared.errors import RejectedError

ObjectId = Annotated[
    str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
]

_NOT_OURS = ("forged-client-state", "foreign-tenant", "foreign-resource")


class _Member(BaseModel):
    id: ObjectId
    removed: Any = Field(default=None, alias="@removed")

    @property
    def is_removed(self) -> bool:
        # A string in notifications, an object in delta responses; present at all means removed.
        return "removed" in self.model_fields_set


class _ResourceData(BaseModel):
    id: ObjectId
    members: list[_Member] | None = Field(default=None, alias="members@delta")


class _Item(BaseModel):
    client_state: str = Field(alias="clientState", max_length=255)
    tenant_id: ObjectId = Field(alias="tenantId")
    subscription_id: str = Field(alias="subscriptionId", max_length=100)
    change_type: str | None = Field(default=None, alias="changeType", pattern="^(updated|deleted|created)$")
    resource: str | None = Field(default=None, max_length=500)
    resource_data: _ResourceData | None = Field(default=None, alias="resourceData")
    lifecycle_event: str | None = Field(default=None, alias="lifecycleEvent", max_length=100)


@dataclass(frozen=True, slots=True)
class Notifications:
    """What one delivery held: looks at principals, lifecycle events, and the reasons of items that were refused.

    `authentic` counts the items that Graph sent to this app for this tenant, sound or not.
    """

    changes: Sequence[PrincipalChange]
    events: Sequence[DirectoryEvent]
    refused: Sequence[str]
    authentic: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One HTTP request that claims to be Graph's."""

    body: bytes
    received_at: datetime
    correlation_id: str


def parse_notifications(delivery: Delivery, keys: ClientStateKeys) -> Notifications:
    """The authentic content of a delivery; one bad item never costs the good ones.

    Raises:
        RejectedError: `malformed-notifications` when the body is not a collection of notifications.
    """
    changes: list[PrincipalChange] = []
    events: list[DirectoryEvent] = []
    refused: list[str] = []
    items = _items(delivery.body)
    for raw in items:
        try:
            item = _check(raw, keys)
            if item.lifecycle_event is not None:
                events.append(_lifecycle_event(item, item.lifecycle_event, delivery))
            else:
                changes.extend(_changes(item, delivery))
        except RejectedError as error:
            refused.append(error.reason)
    return Notifications(changes, events, refused, len(items) - sum(refused.count(reason) for reason in _NOT_OURS))


def _items(body: bytes) -> list[Any]:
    try:
        document = from_json(body)
    except ValueError as error:
        raise RejectedError("malformed-notifications", "the body is not JSON") from error
    items = document.get("value") if isinstance(document, dict) else None
    if not isinstance(items, list) or not items:
        raise RejectedError("malformed-notifications", "the body has no list `value`")
    return items


def _check(raw: object, keys: ClientStateKeys) -> _Item:
    claimed = raw.get("clientState") if isinstance(raw, dict) else None
    resource = keys.check(claimed if isinstance(claimed, str) else "")
    try:
        item = _Item.model_validate(raw)
    except ValidationError as error:
        raise RejectedError("malformed-notification", f"{error.error_count()} fields are wrong") from error
    if item.tenant_id != keys.tenant_id.lower():
        raise RejectedError("foreign-tenant", item.tenant_id)
    if item.resource is not None and not item.resource.lower().startswith(resource):
        raise RejectedError("foreign-resource", f"clientState was issued for {resource}")
    return item


def _lifecycle_event(item: _Item, name: str, delivery: Delivery) -> DirectoryEvent:
    try:
        kind = DirectoryEventKind(name)
    except ValueError as error:
        raise RejectedError("unknown-lifecycle-event", name) from error
    return DirectoryEvent(kind, item.subscription_id, "lifecycle notification", delivery.correlation_id)


def _changes(item: _Item, delivery: Delivery) -> Iterator[PrincipalChange]:
    if item.resource_data is None or item.resource is None or item.change_type is None:
        raise RejectedError("malformed-notification", "resource, resourceData or changeType is missing")
    subject = item.resource_data
    if item.resource.lower().startswith("groups") and subject.members is not None:
        for member_id, hint in _member_hints(subject.members):
            yield _change(delivery, member_id, PrincipalKind.UNKNOWN, hint, subject.id)
        if item.change_type != "deleted":
            return
    kind = PrincipalKind.USER if item.resource.lower().startswith("users") else PrincipalKind.GROUP
    hint = Hint.DELETED if item.change_type == "deleted" else Hint.CHANGED
    yield _change(delivery, subject.id, kind, hint)


def _change(
    delivery: Delivery, principal_id: str, kind: PrincipalKind, hint: Hint, group_id: str | None = None
) -> PrincipalChange:
    source = Source.NOTIFICATION
    return PrincipalChange(
        principal_id, source, delivery.received_at, delivery.correlation_id, kind, hint, group_id=group_id
    )


def _member_hints(members: Iterable[_Member]) -> Iterator[tuple[str, Hint]]:
    seen: dict[str, set[bool]] = {}
    for member in members:
        seen.setdefault(member.id, set()).add(member.is_removed)
    for member_id, removed in seen.items():
        # Added and removed in one array says nothing about the order: only a read can tell.
        ambiguous = len(removed) > 1
        yield member_id, Hint.CHANGED if ambiguous else member_hint(removed=removed == {True})


def member_hint(*, removed: bool) -> Hint:
    """What an entry of `members@delta` says about the member."""
    return Hint.REMOVED_FROM_GROUP if removed else Hint.ADDED_TO_GROUP
