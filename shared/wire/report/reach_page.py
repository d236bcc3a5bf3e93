"""Reach page: what one identity reaches at the gateway: through which groups, after whose approval, opened when."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.identity_map import is_object_id
from shared.domain.posture.blast_radius import REACH_DAYS, BlastRadius, ReachedConnection
from shared.domain.posture.finding import ObjectKind
from shared.wire.cards.words import counted, day
from shared.wire.report import sentences
from shared.wire.report.blast_picture import blast_picture
from shared.wire.report.pages import asset, environment, page_policy

MOST_CONNECTIONS = 2_000
# Of a log that began yesterday nobody should conclude that a connection is not needed.
_LONG_ENOUGH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class _Row:
    connection: str
    groups: tuple[str, ...]
    approvals: tuple[str, ...]
    opened: str
    is_unused: bool
    is_sensitive: bool


def reach_page(radius: BlastRadius, at: datetime, names: Mapping[str, str]) -> bytes:
    """The page as it is at this moment; `names` are those of groups that the gateway knows by object id.

    What was opened last comes first. A connection that nobody was seen to open says since when anybody looked.
    """
    known = _telling(names)
    named = replace(radius, reached=tuple(_named(each, known) for each in radius.reached))
    page = environment().get_template("reach.html.j2")
    return page.render(
        radius=named,
        at=at,
        verdict=_verdict(named),
        kind=_kind(radius),
        looked=_looked(radius),
        picture=blast_picture(named),
        rows=[_row(each, radius, at) for each in named.reached[:MOST_CONNECTIONS]],
        left_out=len(named.reached) - MOST_CONNECTIONS,
        style=asset("report.css"),
        policy=page_policy(),
    ).encode()


def _telling(names: Mapping[str, str]) -> Mapping[str, str]:
    """The names that tell one group from the others: one that two groups share helps nobody."""
    counts = Counter(names.values())
    return {group: name for group, name in names.items() if counts[name] == 1}


def _named(each: ReachedConnection, names: Mapping[str, str]) -> ReachedConnection:
    """The connection with the names of groups for people."""

    def called(group: str) -> str:
        return names.get(group.lower(), group)

    return replace(each, groups=tuple(map(called, each.groups)), approvals=tuple(map(called, each.approvals)))


def _verdict(radius: BlastRadius) -> str:
    if not radius.reached:
        return "It reaches nothing at the gateway now."
    within = f"{counted(len(radius.reached), 'connection')} within reach"
    used = radius.reach.used
    opened = f"{used} of them opened in {REACH_DAYS} days" if used is not None else "nobody knows which it opened"
    free = len(radius.without_approval)
    return f"{within}, {opened}. {_without_asking(free, len(radius.reached))}"


def _without_asking(free: int, granted: int) -> str:
    if free == granted:
        return "It opens all of them without asking anybody." if granted > 1 else "It opens it without asking anybody."
    return f"It opens {free} of them without asking anybody." if free else "Each of them needs an approval first."


def _kind(radius: BlastRadius) -> str:
    # A gateway identity that Entra knows under an object id is somebody's.
    is_person = radius.about.kind is ObjectKind.GATEWAY_IDENTITY and is_object_id(radius.object_id)
    return "Person" if is_person else sentences.KINDS[radius.about.kind]


def _looked(radius: BlastRadius) -> str:
    if radius.unread:
        return ""
    since = f"since {day(radius.seen_since)}" if radius.seen_since else "as far as it has a memory, which is empty"
    return f"The gateway tells what was opened {since}."


def _row(each: ReachedConnection, radius: BlastRadius, at: datetime) -> _Row:
    if each.last_opened is not None:
        opened = day(each.last_opened)
    elif radius.unread:
        opened = "not known"
    else:
        opened = f"not since {day(radius.seen_since)}" if radius.seen_since else "not seen"
    is_watched = radius.seen_since is not None and at - radius.seen_since >= _LONG_ENOUGH
    is_unused = each.last_opened is None and is_watched
    return _Row(each.connection, each.groups, each.approvals, opened, is_unused, each.is_sensitive)
