"""Grants: since when somebody reaches a connection, as far as the directory audit remembers."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from shared.domain.posture.gateway_view import AuditEvent

ANY_GROUP = "*"
Additions = Mapping[tuple[str, str], datetime]


def additions(events: Iterable[AuditEvent]) -> Additions:
    """When each member was last added to each group, by the ids of both; whole groups together as `ANY_GROUP`."""
    found: dict[tuple[str, str], datetime] = {}
    for event in events:
        group_id = event.details.get("group_id", "").lower()
        members = [event.target_id.lower()] + [ANY_GROUP] * (event.details.get("member_kind") == "group")
        for member in members:
            found[group_id, member] = max(event.at, found.get((group_id, member), event.at))
    return found


def granted_at(
    ways: Mapping[str, Iterable[frozenset[str]]], held: frozenset[str], member_id: str, added: Additions
) -> dict[str, datetime]:
    """Since when each connection is within reach, by the first of its grants.

    `ways` has for each connection its grants, each as the Entra groups that stand for it. A connection is left out when
    one of its grants is older than the audit, or is given by the gateway alone.
    """
    found: dict[str, datetime] = {}
    for connection, grants in ways.items():
        dates = [_since(groups & held, member_id, added) for groups in grants]
        known = [date for date in dates if date is not None]
        if known and len(known) == len(dates):
            found[connection] = min(known)
    return found


def _since(groups: frozenset[str], member_id: str, added: Additions) -> datetime | None:
    # Whoever was not added alone may have come in with a whole group: nobody is blamed for what may be new.
    dates = [added.get((one, member_id.lower()), added.get((one, ANY_GROUP))) for one in groups]
    known = [date for date in dates if date is not None]
    return min(known) if known and len(known) == len(dates) else None
