"""Subscriptions: our registrations with Graph, and what happens to the directory as a whole."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

CHANGE_TYPES = frozenset({"updated", "deleted"})
LIFETIME = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One registration for `/users` or `/groups`; `client_state` is known only for one that is to be created."""

    resource: str
    notification_url: str
    lifecycle_url: str | None
    expires_at: datetime
    change_types: frozenset[str] = CHANGE_TYPES
    subscription_id: str = ""
    client_state: str = ""

    def serves(self, wanted: "Subscription") -> bool:
        """Whether this one, as Graph holds it, does what the wanted one would do."""
        return (
            self.resource == wanted.resource
            and self.change_types == wanted.change_types
            and self.notification_url == wanted.notification_url
            and self.lifecycle_url == wanted.lifecycle_url
        )


class DirectoryEventKind(StrEnum):
    """What has to be done: renew, replace, or look at everybody because something may have been missed."""

    REAUTHORIZE = "reauthorizationRequired"
    REMOVED = "subscriptionRemoved"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class DirectoryEvent:
    """A lifecycle notification, or our own finding that changes may have been missed (`because`)."""

    kind: DirectoryEventKind
    subscription_id: str
    because: str
    correlation_id: str
    attempt: int = 0

    def retried(self) -> "DirectoryEvent":
        """The same event with one more attempt counted."""
        return replace(self, attempt=self.attempt + 1)
