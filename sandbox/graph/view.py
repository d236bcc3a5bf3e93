"""The directory as it was at one position of its log: what every read answers from."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sandbox.graph.directory import DELETED, LIVE, Directory, ObjectVersion
from sandbox.graph.schema import Kind


@dataclass(frozen=True, slots=True)
class View:
    """Objects and memberships as of a position."""

    directory: Directory
    position: int

    def version(self, object_id: str) -> ObjectVersion | None:
        """The version of an object in whatever state, or None when it did not exist yet."""
        for version in reversed(self.directory.versions.get(object_id, ())):
            if version.position <= self.position:
                return version
        return None

    def find(self, object_id: str) -> ObjectVersion | None:
        """A live object by id."""
        version = self.version(object_id)
        return version if version and version.state == LIVE else None

    def find_deleted(self, object_id: str) -> ObjectVersion | None:
        """An object in the recycle bin by id."""
        version = self.version(object_id)
        return version if version and version.state == DELETED else None

    def find_by(self, kind: Kind, name: str, value: str) -> ObjectVersion | None:
        """The first live object whose indexed property has this value, in any case."""
        for version in self.live(kind, self.directory.ids_with(kind, name, value)):
            if str(version.values.get(name)).lower() == value.lower():
                return version
        return None

    def live(self, kind: Kind, ids: Iterable[str] | None = None) -> Iterator[ObjectVersion]:
        """Live objects of a kind, all or those among `ids`, in the order they were made."""
        for object_id in self.directory.ids_by_kind[kind] if ids is None else ids:
            version = self.find(object_id)
            if version and version.kind is kind:
                yield version

    def deleted(self, kind: Kind) -> Iterator[ObjectVersion]:
        """Objects of a kind in the recycle bin."""
        return (found for object_id in self.directory.ids_by_kind[kind] if (found := self.find_deleted(object_id)))

    def is_member(self, group_id: str, member_id: str) -> bool:
        """Whether a live object is a direct member."""
        return self._stands(group_id, member_id) and self.find(member_id) is not None

    def members(self, group_id: str) -> list[ObjectVersion]:
        """A group's live direct members."""
        ids = self.directory.memberships.get(group_id, {})
        return [found for member in ids if self._stands(group_id, member) and (found := self.find(member))]

    def groups_of(self, member_id: str) -> list[ObjectVersion]:
        """The live groups that an object is a direct member of."""
        ids = self.directory.groups_ever.get(member_id, {})
        return [found for group in ids if self._stands(group, member_id) and (found := self.find(group))]

    def transitive_members(self, group_id: str) -> list[ObjectVersion]:
        """Everything inside a group, at any depth, each once."""
        return self._reachable(group_id, self.members)

    def transitive_groups_of(self, member_id: str) -> list[ObjectVersion]:
        """Every group that an object is inside of, at any depth, each once."""
        return self._reachable(member_id, self.groups_of)

    def _reachable(self, start: str, step: Callable[[str], list[ObjectVersion]]) -> list[ObjectVersion]:
        found: dict[str, ObjectVersion] = {}
        frontier = [start]
        while frontier:
            for version in step(frontier.pop()):
                if version.id not in found and version.id != start:
                    found[version.id] = version
                    frontier.append(version.id)
        return list(found.values())

    def _stands(self, group_id: str, member_id: str) -> bool:
        for position, present in reversed(self.directory.memberships[group_id].get(member_id, ())):
            if position <= self.position:
                return present
        return False
