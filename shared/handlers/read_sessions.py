"""Read sessions: what was opened at the gateway in the last thirteen months, in bounded memory."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.gateway import GatewayIdentity
from shared.domain.posture.gateway_view import Use
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.kept_uses import KeptUses
from shared.domain.posture.live_spans import Span
from shared.domain.posture.sessions import HISTORY
from shared.errors import RejectedError, RetryLaterError
from shared.ports import SessionLog

BEFORE = timedelta(days=30)
"""How long before the span a session proves that the log reaches back."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The connections of which every session matters, since when, and which gaps between sessions do not."""

    connections: Collection[str] = ()
    since: datetime | None = None
    gap: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was opened by whom, and since when anybody would have seen it; `live` of the watched connections only."""

    uses: Mapping[str, Known[tuple[Use, ...]] | Unknown]
    since: datetime | None
    live: Mapping[str, Mapping[str, tuple[Span, ...]]] = field(default_factory=dict)


async def read_sessions(
    identities: Iterable[GatewayIdentity], log: SessionLog, at: datetime, watch: Watch, span: timedelta = HISTORY
) -> Seen:
    """Everybody's uses. Unknown for all of them when the log breaks off: the rest of it may be anybody's."""
    users = frozenset(one.session_user for one in identities)
    kept = KeptUses(users, at, frozenset(watch.connections), watch.since, watch.gap)
    try:
        async for user, use in log.uses(at - span, at):
            kept.add(user, use)
    except (RejectedError, RetryLaterError) as error:
        return Seen(dict.fromkeys(users, Unknown(error.reason)), None)
    since = at - span if await _reaches_back(log, at - span) else kept.oldest
    return Seen({user: Known(uses) for user, uses in kept.by_user().items()}, since, kept.live())


async def _reaches_back(log: SessionLog, until: datetime) -> bool:
    """Whether the log holds anything older; when it does not say, it is taken for a young one."""
    try:
        async for _ in log.uses(until - BEFORE, until):
            return True
    except (RejectedError, RetryLaterError):
        return False
    return False
