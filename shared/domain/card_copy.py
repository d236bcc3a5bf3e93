"""Card copies: where a card is shown, to whom, and how far its way there has come."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Audience(StrEnum):
    """For whom a copy is made, which decides what it says."""

    APPROVERS = "approvers"
    REQUESTER = "requester"
    SECURITY = "security"
    REMINDER = "reminder"
    OWNER = "owner"
    NOTICE = "notice"


class PlaceKind(StrEnum):
    """Where a copy goes: a channel (as a new thread), or a person's own chat."""

    CHANNEL = "channel"
    PERSON = "person"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A channel by its conversation id, or a person by object id."""

    kind: PlaceKind
    id: str


class CopyState(StrEnum):
    """How far a copy is: `POSTING` is also what remains when nobody knows whether it arrived."""

    WANTED = "wanted"
    POSTING = "posting"
    POSTED = "posted"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class CopySpec:
    """Which copy is wanted; a reminder is a reply in the thread of the copy of `APPROVERS` in the same place."""

    audience: Audience
    place: Place
    number: int = 0

    @property
    def copy_id(self) -> str:
        """The same for the same copy, so that it is made once however often it is wanted."""
        text = f"{self.audience}|{self.place.kind}|{self.place.id}|{self.number}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class CardCopy:
    """The row of one copy.

    `shown` is the digest of what Teams shows; `strays` are activities of posts that came to light after the copy had
    been posted again. `version` is opaque.
    """

    review_id: str
    spec: CopySpec
    state: CopyState = CopyState.WANTED
    conversation_id: str = ""
    activity_id: str = ""
    service_url: str = ""
    shown: str = ""
    posting_since: datetime | None = None
    posts: int = 0
    strays: tuple[str, ...] = ()
    version: str | None = None

    @property
    def copy_id(self) -> str:
        """See `CopySpec.copy_id`."""
        return self.spec.copy_id

    def seen(self, conversation_id: str, activity_id: str) -> "CardCopy":
        """The copy after somebody was seen to look at it: a post whose answer was lost becomes known that way.

        What it shows is not known then, so it is shown anew.
        """
        if not activity_id or activity_id == self.activity_id or activity_id in self.strays:
            return self
        if self.state is CopyState.POSTING:
            return replace(self, state=CopyState.POSTED, conversation_id=conversation_id, activity_id=activity_id)
        return replace(self, strays=(*self.strays, activity_id)[-5:], shown="")


@dataclass(frozen=True, slots=True)
class CardUpdate:
    """The message *show this copy as it should be now*."""

    review_id: str
    spec: CopySpec
    received_at: datetime
    correlation_id: str
    attempt: int = 0

    def retried(self) -> "CardUpdate":
        """The same message with one more attempt counted."""
        return replace(self, attempt=self.attempt + 1)


@dataclass(frozen=True, slots=True)
class Face:
    """What Teams shall show: one activity as JSON, without a place."""

    activity: str

    @property
    def digest(self) -> str:
        """The same for the same face."""
        return hashlib.sha256(self.activity.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A channel or chat, and the service URL under which Teams serves it; learnt from validated activities only."""

    conversation_id: str
    service_url: str


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message landed."""

    conversation_id: str
    activity_id: str
