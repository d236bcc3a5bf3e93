"""The directory: objects and memberships as versions, so that any past moment can still be read."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.graph.changes import Change, ChangeLog
from sandbox.graph.clock import graph_date
from sandbox.graph.schema import Kind

INDEXED = ("mail", "userPrincipalName", "displayName", "appId", "agentIdentityBlueprintId")
LIVE, DELETED, PURGED = "live", "deleted", "purged"


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """What one directory object was from a log position onwards."""

    position: int
    kind: Kind
    type_name: str
    state: str
    values: dict[str, Any]

    @property
    def id(self) -> str:
        """The object id, which never changes."""
        identifier: str = self.values["id"]
        return identifier


@dataclass(slots=True)
class Directory:
    """Users, groups, service principals and applications, with nesting and a log of every change."""

    clock: Callable[[], float]
    log: ChangeLog = field(default_factory=ChangeLog)
    versions: dict[str, list[ObjectVersion]] = field(default_factory=dict)
    ids_by_kind: dict[Kind, dict[str, None]] = field(default_factory=lambda: {kind: {} for kind in Kind})
    memberships: dict[str, dict[str, list[tuple[int, bool]]]] = field(default_factory=lambda: defaultdict(dict))
    groups_ever: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    relations: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    index: dict[tuple[Kind, str, str], dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    grown_at: float = 0.0

    def latest(self, object_id: str) -> ObjectVersion | None:
        """The newest version in whatever state, or None when the id was never used."""
        versions = self.versions.get(object_id)
        return versions[-1] if versions else None

    def create(self, kind: Kind, type_name: str, values: dict[str, Any]) -> ObjectVersion:
        """Add an object; the caller has checked that its id is free."""
        now = self._now()
        self.ids_by_kind[kind][values["id"]] = None
        self.grown_at = now
        self._log(now, kind, values["id"], lifecycle=True)
        return self._store(kind, type_name, LIVE, values)

    def update(self, version: ObjectVersion, changes: dict[str, Any]) -> frozenset[str]:
        """Set properties and return the names of those whose value is new; nothing new leaves no trace."""
        changed = frozenset(name for name, value in changes.items() if version.values.get(name) != value)
        if changed:
            self._log(self._now(), version.kind, version.id, properties=changed)
            self._store(version.kind, version.type_name, version.state, version.values | changes)
        return changed

    def soft_delete(self, version: ObjectVersion) -> ObjectVersion:
        """Move an object to the recycle bin; its memberships are hidden, not forgotten."""
        now = self._now()
        self._log(now, version.kind, version.id, lifecycle=True)
        deleted = self._store(
            version.kind, version.type_name, DELETED, version.values | {"deletedDateTime": graph_date(now)}
        )
        self._log_memberships_of(version.id, now)
        return deleted

    def restore(self, version: ObjectVersion) -> ObjectVersion:
        """Bring an object back from the recycle bin, memberships included."""
        now = self._now()
        self._log(now, version.kind, version.id, lifecycle=True)
        restored = self._store(version.kind, version.type_name, LIVE, version.values | {"deletedDateTime": None})
        self._log_memberships_of(version.id, now)
        return restored

    def purge(self, version: ObjectVersion) -> None:
        """Delete an object for good; its id and addresses become free."""
        self._log(self._now(), version.kind, version.id, lifecycle=True)
        self._store(version.kind, version.type_name, PURGED, version.values)

    def has_member(self, group_id: str, member_id: str) -> bool:
        """Whether the membership stands now, the member's own state aside."""
        states = self.memberships[group_id].get(member_id)
        return bool(states and states[-1][1])

    def add_member(self, group_id: str, member_id: str) -> None:
        """Record a direct membership."""
        now = self._now()
        if member_id not in self.memberships[group_id]:
            self.grown_at = now
        self._log(now, Kind.GROUP, group_id, members=(member_id,))
        self.memberships[group_id].setdefault(member_id, []).append((self.log.position, True))
        self.groups_ever[member_id][group_id] = None

    def remove_member(self, group_id: str, member_id: str) -> None:
        """End a direct membership."""
        self._log(self._now(), Kind.GROUP, group_id, members=(member_id,))
        self.memberships[group_id][member_id].append((self.log.position, False))

    def ids_with(self, kind: Kind, name: str, value: str) -> Iterable[str]:
        """Ids of objects that ever had this value; the reader still has to look at the version it sees."""
        if name == "id":
            return (value,)
        return tuple(self.index.get((kind, name, value.lower()), ()))

    def _store(self, kind: Kind, type_name: str, state: str, values: dict[str, Any]) -> ObjectVersion:
        version = ObjectVersion(self.log.position, kind, type_name, state, values)
        self.versions.setdefault(version.id, []).append(version)
        for name in INDEXED:
            value = values.get(name)
            if value is not None:
                self.index[kind, name, value.lower()][version.id] = None
        return version

    def _log_memberships_of(self, member_id: str, now: float) -> None:
        for group_id in self.groups_ever.get(member_id, ()):
            if self.has_member(group_id, member_id):
                self._log(now, Kind.GROUP, group_id, members=(member_id,))

    def _log(  # noqa: PLR0913 - one argument for each part of a log entry
        self,
        now: float,
        kind: Kind,
        object_id: str,
        *,
        properties: frozenset[str] = frozenset(),
        members: tuple[str, ...] = (),
        lifecycle: bool = False,
    ) -> None:
        self.log.append(now, Change(kind, object_id, properties, members, lifecycle))

    def _now(self) -> float:
        return max(self.clock(), self.log.last_at)
