"""The event logs in the door's words, parsed from what the stand-ins show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EntraEvent:
    """What an admin did in the directory; `at` is in seconds since the epoch."""

    seq: int
    at: float
    kind: str
    principal_id: str | None = None
    group_id: str | None = None
    type_name: str = ""


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """What changed at the gateway, for which subject; `at` is in seconds since the epoch."""

    seq: int
    at: float
    kind: str
    subject: str = ""
    connection: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TeamsEvent:
    """What somebody or the app did in Teams, and what was shown; `at` is in seconds since the epoch."""

    seq: int
    at: float
    kind: str
    activity_id: str = ""
    person_id: str = ""
    verb: str = ""
    shown: str = ""


def parse_entra_event(row: Json) -> EntraEvent:
    """An event of the Graph stand-in's log."""
    return EntraEvent(
        row["seq"],
        seconds(row["at"]),
        row["kind"],
        row.get("principalId"),
        row.get("groupId"),
        row.get("objectType") or "",
    )


def parse_gateway_event(row: Json) -> GatewayEvent:
    """An event of the gateway stand-in's log."""
    return GatewayEvent(
        row["seq"], seconds(row["at"]), row["kind"], row["subject"], row["connection"], row.get("detail") or {}
    )


def parse_teams_event(row: Json) -> TeamsEvent:
    """An event of the Teams stand-in's log."""
    return TeamsEvent(
        row["seq"],
        seconds(row["at"]),
        row["kind"],
        row["activity_id"],
        row.get("person") or "",
        row.get("verb") or "",
        row.get("what") or "",
    )


def seconds(moment: str) -> float:
    """Seconds since the epoch of an ISO 8601 moment with a zone."""
    return datetime.fromisoformat(moment).timestamp()
