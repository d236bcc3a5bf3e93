"""What each gateway identity holds, folded from the gateway's events, and the effects that each event had."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sandbox.door.events import GatewayEvent

CLOSED_STATUSES = frozenset({"inactive", "revoked", "deleted"})
CUT_SHORT = frozenset({"killed", "review rejected", "machine identity deleted", "ended"})


class EffectKind(StrEnum):
    """How an identity's access at the gateway changed."""

    ACCOUNT_CLOSED = "account-closed"
    GROUPS_TAKEN = "groups-taken"
    SESSION_ENDED = "session-ended"
    SESSION_LEFT = "session-left"
    REQUEST_REJECTED = "request-rejected"
    APPROVAL_REVOKED = "approval-revoked"
    ACCOUNT_REOPENED = "account-reopened"
    GROUPS_GIVEN = "groups-given"


GIVING = frozenset({EffectKind.ACCOUNT_REOPENED, EffectKind.GROUPS_GIVEN})
_REVIEW_EFFECTS = {"REJECTED": EffectKind.REQUEST_REJECTED, "REVOKED": EffectKind.APPROVAL_REVOKED}


@dataclass(frozen=True, slots=True)
class Effect:
    """One change of one identity's access; `names` are groups or the connection."""

    at: float
    subject: str
    kind: EffectKind
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class Standing:
    """One identity now: its status, its groups, its open streams, and what was taken and not given back."""

    known: bool = False
    status: str = "active"
    groups: frozenset[str] = frozenset()
    streams: dict[str, str] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    was_closed: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the gateway lets this identity in."""
        return self.known and self.status not in CLOSED_STATUSES

    @property
    def lacks_something(self) -> bool:
        """Whether something was taken that has not come back."""
        return self.was_closed or bool(self.taken)


class Standings:
    """Every identity that the gateway's events ever named."""

    def __init__(self) -> None:
        self._standings: defaultdict[str, Standing] = defaultdict(Standing)

    def __getitem__(self, subject: str) -> Standing:
        """One identity; unknown ones are closed and hold nothing."""
        return self._standings[subject]

    def apply(self, event: GatewayEvent) -> list[Effect]:
        """Take an event in and say what it did to somebody's access."""
        if event.kind == "group-deleted":
            return self._strip_everybody(event)
        standing = self._standings[event.subject]
        if event.kind == "session-opened":
            standing.streams[event.detail["session_id"]] = event.connection
            return []
        if event.kind == "session-closed":
            return _close(standing, event)
        if event.kind == "review-changed" and event.detail["after"] in _REVIEW_EFFECTS:
            return [Effect(event.at, event.subject, _REVIEW_EFFECTS[event.detail["after"]], (event.connection,))]
        return _write(standing, event, *_access_after(event, standing))

    def _strip_everybody(self, event: GatewayEvent) -> list[Effect]:
        effects: list[Effect] = []
        for subject, standing in self._standings.items():
            if event.subject in standing.groups:
                own = GatewayEvent(event.seq, event.at, "user-updated", subject)
                effects += _write(standing, own, standing.status, standing.groups - {event.subject})
        return effects


def _close(standing: Standing, event: GatewayEvent) -> list[Effect]:
    standing.streams.pop(event.detail["session_id"], None)
    cut_short = event.detail.get("reason") in CUT_SHORT
    kind = EffectKind.SESSION_ENDED if cut_short else EffectKind.SESSION_LEFT
    return [Effect(event.at, event.subject, kind, (event.connection,))]


def _access_after(  # noqa: PLR0911 - a table of what each kind of event says
    event: GatewayEvent, standing: Standing
) -> tuple[str, Iterable[str]]:
    """Status and groups after the event; a machine identity has connections in place of groups, and no status."""
    after: Any = event.detail.get("after")
    match event.kind:
        case "user-created" | "user-updated" | "user-logged-in" | "mcp-request":
            return after["status"], after["groups"]
        case "service-account-created" | "service-account-updated":
            return after["status"], after["groups"]
        case "key-created":
            return "active", event.detail["groups"]
        case "key-updated":
            return standing.status, after
        case "key-revoked":
            return "revoked", standing.groups
        case "key-reactivated":
            return "active", standing.groups
        case "machine-identity-created":
            return "active", event.detail["connection_names"]
        case "machine-identity-updated":
            reach = (*after["connection_names"], *after["attributes"])
            return "active" if reach else "inactive", reach
        case "user-deleted" | "machine-identity-deleted":
            return "deleted", ()
    return standing.status, standing.groups


def _write(standing: Standing, event: GatewayEvent, status: str, groups: Iterable[str]) -> list[Effect]:
    was_known, was_open, before, after = standing.known, standing.is_open, standing.groups, frozenset(groups)
    if not event.subject or (not was_known and not event.kind.endswith(("-created", "-logged-in", "mcp-request"))):
        return []
    standing.known, standing.status, standing.groups = True, status, after
    if not was_known:
        return []
    lost, gained = before - after, after - before
    standing.taken = (standing.taken | lost) - gained
    effects: list[Effect] = []
    if was_open and not standing.is_open:
        standing.was_closed = True
        effects.append(Effect(event.at, event.subject, EffectKind.ACCOUNT_CLOSED))
    if lost:
        effects.append(Effect(event.at, event.subject, EffectKind.GROUPS_TAKEN, tuple(sorted(lost))))
    if not was_open and standing.is_open:
        standing.was_closed = False
        effects.append(Effect(event.at, event.subject, EffectKind.ACCOUNT_REOPENED))
    if gained:
        effects.append(Effect(event.at, event.subject, EffectKind.GROUPS_GIVEN, tuple(sorted(gained))))
    return effects
