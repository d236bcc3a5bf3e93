"""Blast radius: what somebody reaches at the gateway, through which groups, and which of it was really opened."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.posture.figures import Reach
from shared.domain.posture.finding import About
from shared.domain.posture.gateway_view import Estate
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.party import Party, parties

REACH_DAYS = 90
_SPAN = timedelta(days=REACH_DAYS)
WITHOUT_GROUP = "without a group"
SOMEBODY = "somebody"


@dataclass(frozen=True, slots=True)
class ReachedConnection:
    """A connection, the groups that open it, the groups that must approve first, and when it was opened last.

    `last_opened` is `None` when that was not seen; `BlastRadius.unread` says whether anybody looked.
    """

    connection: str
    groups: tuple[str, ...]
    approvals: tuple[str, ...] = ()
    last_opened: datetime | None = None
    granted_at: datetime | None = None
    is_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Branch:
    """One group, and what it opens."""

    group: str
    reached: tuple[ReachedConnection, ...]


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """Everything that one identity reaches, what was opened last first.

    `reach` counts it: granted, and used in 90 days. `seen_since` is where the session log begins; `unread` is why it
    was not read, and empty if it was.
    """

    about: About
    reached: tuple[ReachedConnection, ...]
    reach: Reach
    seen_since: datetime | None
    unread: str = ""

    @property
    def name(self) -> str:
        """What people call it; hostile."""
        return self.about.name

    @property
    def object_id(self) -> str:
        """Which identity: an object id of Entra's, or kind and name at the gateway; hostile."""
        return self.about.object_id

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The same as a tree: a connection hangs on each group that opens it."""
        groups = sorted({group for each in self.reached for group in each.groups})
        return tuple(Branch(group, tuple(each for each in self.reached if group in each.groups)) for group in groups)

    @property
    def without_approval(self) -> tuple[ReachedConnection, ...]:
        """What it opens without asking anybody."""
        return tuple(each for each in self.reached if not each.approvals)


@dataclass(frozen=True, slots=True)
class EstateReach:
    """The reach of everybody, and together. `unknown` counts those whose use nobody read: they are in no percentage."""

    reaches: tuple[Reach, ...]
    granted: int
    used: int
    unknown: int

    @property
    def percent_used(self) -> float | None:
        """How much of what is granted was opened in 90 days; `None` when nothing is known."""
        return 100 * self.used / self.granted if self.granted else None


def blast_radius(estate: Estate, object_id: str, at: datetime) -> BlastRadius | None:
    """That of one principal, by object id, or of a gateway identity that is nobody's; `None` if it is not there."""
    wanted = object_id.lower()
    return next((_radius(estate, one, at) for one in parties(estate) if one.about.object_id.lower() == wanted), None)


def blast_radii(estate: Estate, at: datetime) -> tuple[BlastRadius, ...]:
    """Those of everybody, the widest unused reach first."""
    radii = (_radius(estate, party, at) for party in parties(estate))
    return tuple(sorted(radii, key=lambda one: (-one.reach.unused, one.about.object_id)))


def estate_reach(radii: Iterable[BlastRadius]) -> EstateReach:
    """All of it together; who reaches nothing is left out."""
    reaches = tuple(one.reach for one in radii if one.reach.granted)
    known = [(one.granted, one.used) for one in reaches if one.used is not None]
    return EstateReach(
        reaches,
        sum(granted for granted, _ in known),
        sum(used for _, used in known),
        len(reaches) - len(known),
    )


def _radius(estate: Estate, party: Party, at: datetime) -> BlastRadius:
    opened = _last_opened(party)
    reached = sorted((_reached(estate, party, one, opened) for one in party.reach), key=_last_opened_first)
    reach = Reach(party.about.name, len(reached), _used(party, at), party.about.object_id)
    unread = opened.reason if isinstance(opened, Unknown) else ""
    return BlastRadius(party.about, tuple(reached), reach, estate.sessions_since, unread)


def _used(party: Party, at: datetime) -> int | None:
    """How many connections within reach had a live session in the span; those that it lost since do not count."""
    if isinstance(party.uses, Unknown):
        return None
    return len({use.connection for use in party.uses.value if at - (use.ended_at or at) <= _SPAN} & party.reach.keys())


def _reached(
    estate: Estate, party: Party, connection: str, opened: Known[dict[str, datetime]] | Unknown
) -> ReachedConnection:
    approvers = estate.approvers.get(connection, frozenset()) or {SOMEBODY}
    return ReachedConnection(
        connection,
        tuple(sorted(party.reach[connection])) or (WITHOUT_GROUP,),
        tuple(sorted(approvers)) if party.asks(connection) else (),
        opened.value.get(connection) if isinstance(opened, Known) else None,
        party.granted_at(connection),
        connection in estate.sensitive,
    )


def _last_opened(party: Party) -> Known[dict[str, datetime]] | Unknown:
    if isinstance(party.uses, Unknown):
        return party.uses
    found: dict[str, datetime] = {}
    for use in party.uses.value:
        found.setdefault(use.connection, use.opened_at)
    return Known(found)


def _last_opened_first(one: ReachedConnection) -> tuple[float, str]:
    return -one.last_opened.timestamp() if one.last_opened is not None else 0.0, one.connection
