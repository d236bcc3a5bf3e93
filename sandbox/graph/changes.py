"""The log of changes: what changed at which position, and which position a past moment had."""

from bisect import bisect_right
from dataclasses import dataclass, field

from sandbox.graph.schema import Kind


@dataclass(frozen=True, slots=True)
class Change:
    """One entry: properties set, members touched, or a step of the object's life (created, deleted, restored)."""

    kind: Kind
    object_id: str
    properties: frozenset[str]
    members: tuple[str, ...]
    lifecycle: bool

    def touches(self, tracked: frozenset[str]) -> bool:
        """Whether a reader who tracks only these properties is shown this change."""
        return self.lifecycle or bool(self.properties & tracked) or (bool(self.members) and "members" in tracked)


@dataclass(slots=True)
class ChangeLog:
    """Changes in order; position n means that the first n changes have been seen."""

    entries: list[Change] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    @property
    def position(self) -> int:
        """The position after the newest change."""
        return len(self.entries)

    @property
    def last_at(self) -> float:
        """When the newest change was made, in seconds since the epoch."""
        return self.times[-1] if self.times else 0.0

    def append(self, at: float, change: Change) -> None:
        """Add a change; times never run backwards."""
        self.entries.append(change)
        self.times.append(at)

    def position_at(self, at: float) -> int:
        """The position that the log had at a moment."""
        return bisect_right(self.times, at)

    def between(self, start: int, until: int, kind: Kind) -> list[Change]:
        """The changes of one kind after `start` up to and including `until`."""
        return [change for change in self.entries[start:until] if change.kind is kind]

    def rewound(self, start: int, count: int, kind: Kind) -> int:
        """The position before the last `count` changes of one kind that lie before `start`."""
        while start and count:
            start -= 1
            count -= self.entries[start].kind is kind
        return start
