"""Coverage block: what a report could not see, said as loudly as what it saw."""

from dataclasses import dataclass

from shared.domain.posture.finding import ObjectKind


@dataclass(frozen=True, slots=True)
class SourceRead:
    """One source: rows read, rows that it said there are, and why it is not whole.

    `lists` are the kinds of objects that only this source names: when it is not whole, one that is missing may exist.
    """

    name: str
    read: int
    counted: int | None = None
    reason: str = ""
    lists: frozenset[ObjectKind] = frozenset()

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read; a listing without a row is suspicious, and never whole."""
        is_complete = self.counted is None or self.read >= self.counted
        return not self.reason and is_complete and not (self.lists and not self.read)


@dataclass(frozen=True, slots=True)
class Gap:
    """A check that could not be made for so many objects, and why."""

    check_id: str
    reason: str
    objects: int


@dataclass(frozen=True, slots=True)
class CoverageBlock:
    """Every source, the licences that the tenant lacks, and the checks that could not be made."""

    sources: tuple[SourceRead, ...]
    licences_missing: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing, so that silence means that all is well."""
        return bool(self.sources) and all(source.is_whole for source in self.sources) and not self.gaps

    @property
    def unlisted(self) -> frozenset[ObjectKind]:
        """Kinds of objects of which some may not have been seen."""
        return frozenset(kind for source in self.sources if not source.is_whole for kind in source.lists)
