"""Read Entra's logs: who was added to task groups, who got tokens for what the gateway protects, how agents are tagged.

Each of the three that does not come is unknown alone.
"""

from collections.abc import Awaitable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from shared.domain.posture.gateway_view import AuditEvent, Holder, TokenUse
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.kept_tokens import KeptTokens, Openings, opened_at
from shared.domain.posture.live_spans import Span
from shared.domain.posture.sessions import Timeline
from shared.domain.principals import Principal
from shared.errors import RejectedError, RetryLaterError
from shared.ports import AuditLog

LOGGED = timedelta(days=30)
"""How far back Entra keeps its logs."""

NOT_READ, NOTHING_PROTECTED = Unknown("not-read"), Unknown("no-protected-resource")
Value = TypeVar("Value")


async def read_additions(
    audit: AuditLog | None, at: datetime, group_ids: Collection[str]
) -> Known[tuple[AuditEvent, ...]] | Unknown:
    """Who was added to one of these groups, and by whom."""
    if audit is None:
        return NOT_READ
    return await _known(audit.membership_changes(at - LOGGED, group_ids))


async def read_tags(
    audit: AuditLog | None, principals: Iterable[Principal]
) -> Known[Mapping[str, frozenset[str]]] | Unknown:
    """The custom security attributes of agents and their blueprints."""
    agents = [one for one in principals if one.blueprint_id]
    if not agents:
        return Known({})
    if audit is None:
        return NOT_READ
    blueprints = {one.blueprint_id.lower() for one in agents if one.blueprint_id}
    return await _known(audit.attributes({one.principal_id for one in agents}, blueprints))


async def read_tokens(
    audit: AuditLog | None, at: datetime, holders: Iterable[Holder], protected: Mapping[str, str], window: timedelta
) -> Known[tuple[TokenUse, ...]] | Unknown:
    """The tokens for what the gateway protects, as far as judgements need them; unknown where it protects nothing.

    Each is compared while it comes with the sessions of the same principal, because neither log fits into memory.
    """
    if not protected:
        return NOTHING_PROTECTED
    if audit is None:
        return NOT_READ
    kept = KeptTokens(_openings(holders, protected, window))
    try:
        async for token in audit.tokens(at - LOGGED, protected.keys()):
            kept.add(token)
    except (RejectedError, RetryLaterError) as error:
        return Unknown(error.reason)
    return Known(kept.all())


def _openings(holders: Iterable[Holder], protected: Mapping[str, str], window: timedelta) -> Openings:
    live: dict[tuple[str, str], list[Span]] = {}
    opened: dict[str, list[datetime]] = {}
    for holder in holders:
        if holder.principal is None:
            continue
        principal_id = holder.principal.principal_id.lower()
        for connection, spans in holder.live.items():
            live.setdefault((principal_id, connection), []).extend(spans)
        if isinstance(holder.uses, Known):
            opened.setdefault(principal_id, []).extend(use.opened_at for use in holder.uses.value if not use.source)
    return Openings(
        protected,
        {place: Timeline.of((), spans) for place, spans in live.items()},
        {principal_id: opened_at(moments) for principal_id, moments in opened.items()},
        window,
    )


async def _known(reading: Awaitable[Value]) -> Known[Value] | Unknown:
    try:
        return Known(await reading)
    except (RejectedError, RetryLaterError) as error:
        return Unknown(error.reason)
