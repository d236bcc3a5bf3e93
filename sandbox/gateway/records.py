"""The rows the gateway keeps and the streams it holds open, as plain records."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

Json = dict[str, Any]

ORG_ID = "7e7e0000-0000-4000-8000-000000000010"


def new_id() -> str:
    """A fresh identifier."""
    return str(uuid4())


@dataclass(slots=True)
class User:
    """A person's row; the API calls the subject `id`."""

    subject: str
    email: str
    name: str = ""
    status: str = "active"
    groups: list[str] = field(default_factory=list)
    picture: str = ""
    slack_id: str = ""
    verified: bool = True


@dataclass(slots=True)
class ServiceAccount:
    """A workload's row, found by its subject."""

    id: str
    subject: str
    name: str
    status: str
    groups: list[str]


@dataclass(slots=True)
class Key:
    """An API key or an AI agent: the same row in two tables, with an `hpk_` secret."""

    name: str
    secret: str
    created_at: datetime
    groups: list[str] = field(default_factory=list)
    created_by: str = ""
    status: str = "active"
    deactivated_by: str | None = None
    deactivated_at: datetime | None = None
    last_used_at: datetime | None = None
    id: str = field(default_factory=new_id)


@dataclass(slots=True)
class MachineIdentity:
    """A non-human identity with standing credentials and no status."""

    name: str
    description: str
    connection_names: list[str]
    attributes: list[str]
    created_at: datetime
    updated_at: datetime
    id: str = field(default_factory=new_id)


@dataclass(slots=True)
class Connection:
    """A protected resource, kept as the API shows it."""

    name: str
    shown: Json
    id: str = field(default_factory=new_id)

    def names(self, key: str) -> list[str]:
        """One of its lists of names, empty when it was never given."""
        return list(self.shown.get(key) or [])


@dataclass(slots=True)
class ReviewGroup:
    """One reviewer group's row in a review."""

    group: str
    status: str = "PENDING"
    reviewed_by: Json | None = None
    review_date: datetime | None = None
    forced_review: bool = False
    id: str = field(default_factory=new_id)


@dataclass(slots=True)
class Review:
    """A question to the reviewer groups, about one session of one owner."""

    type: Literal["jit", "onetime"]
    session_id: str
    owner: str
    connection: str
    access_duration_seconds: int
    groups: list[ReviewGroup]
    created_at: datetime
    rule_name: str | None = None
    min_approvals: int | None = None
    force_approval_groups: list[str] | None = None
    status: str = "PENDING"
    revoke_at: datetime | None = None
    rejection_reason: str | None = None
    time_window: Json | None = None
    id: str = field(default_factory=new_id)


@dataclass(slots=True)
class Session:
    """A row in the sessions table, which says nothing certain about a live stream."""

    user_id: str
    user: str
    user_name: str
    connection: str
    start_date: datetime
    status: str = "open"
    verb: str = "connect"
    identity_type: str = "user"
    connection_type: str = ""
    connection_subtype: str = ""
    end_date: datetime | None = None
    exit_code: int | None = None
    review_id: str | None = None
    correlation_id: str | None = None
    script: str = ""
    metadata: Json | None = None
    recording: str = ""
    id: str = field(default_factory=new_id)


@dataclass(slots=True)
class Stream:
    """A client's connection really open in this process; waiting until a review releases it."""

    session_id: str
    subject: str
    user: str
    connection: str
    identity_type: str
    opened_at: datetime
    waiting: bool = False
    seconds: float | None = None
    timer: asyncio.TimerHandle | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: the subject, the names shown for it, its groups, and whether the gateway lets it in."""

    subject: str
    name: str
    email: str
    groups: tuple[str, ...]
    status: str = "active"
    kind: Literal["user", "service-account", "key", "legacy-key", "machine-identity"] = "user"
    slack_id: str = ""
    picture: str = ""
