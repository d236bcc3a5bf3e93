"""What Teams keeps: people, channels and messages with every version, and what each person's client shows of them."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.teams.ids import chat_id, mri, thread_id

Json = dict[str, Any]

ADAPTIVE_CARD = "application/vnd.microsoft.card.adaptive"


@dataclass(slots=True)
class Person:
    """Somebody of the tenant; `member` of the team, with the app `installed` for personal chats."""

    id: str
    name: str
    email: str = ""
    member: bool = True
    installed: bool = True

    @property
    def mri(self) -> str:
        """Who this is to the bot."""
        return mri(self.id)

    @property
    def chat(self) -> str:
        """The personal chat with the bot."""
        return chat_id(self.id)


@dataclass(slots=True)
class Channel:
    """A channel of the team, and whether the app is there."""

    id: str
    name: str
    installed: bool = True


@dataclass(slots=True)
class Message:
    """One message: its activities, newest last, and each person's own view until somebody updates it for all."""

    id: str
    place: str
    root: str | None
    author: Json
    posted_at: str
    versions: list[Json]
    deleted: bool = False
    views: dict[str, Json] = field(default_factory=dict)
    toasts: dict[str, list[Json]] = field(default_factory=dict)
    refreshed: dict[str, float] = field(default_factory=dict)

    @property
    def conversation(self) -> str:
        """The conversation as activities name it: a thread of a channel, or a personal chat."""
        return thread_id(self.place, self.root) if self.root else self.place

    @property
    def activity(self) -> Json:
        """The newest version."""
        return self.versions[-1]

    def card_for(self, person_id: str) -> Json | None:
        """The card as this person's client shows it."""
        return self.views.get(person_id) or card_of(self.activity)


def card_of(activity: Json) -> Json | None:
    """The Adaptive Card attached to an activity, if any."""
    for attachment in activity.get("attachments") or []:
        if attachment.get("contentType") == ADAPTIVE_CARD:
            content: Json = attachment["content"]
            return content
    return None
