"""Coverage block: what a report could not see, said as loudly as what it saw."""

from dataclasses import dataclass

from shared.domain.posture.coverage import Coverage, SourceCoverage, SourceState, Unjudged
from shared.domain.posture.finding import ObjectKind
from shared.domain.posture.scan import NO_LICENCE, Source

# Graph says only that the tenant has no premium licence: this is the least of them that opens its reports.
_PREMIUM = "Microsoft Entra ID P1"
_LISTS = {
    Source.APPLICATIONS.value: frozenset({ObjectKind.APPLICATION}),
    Source.SERVICE_PRINCIPALS.value: frozenset({ObjectKind.SERVICE_PRINCIPAL, ObjectKind.AGENT_IDENTITY}),
}


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
class CoverageBlock:
    """Every source, the licences that the tenant lacks, and the checks that could not be made."""

    sources: tuple[SourceRead, ...]
    licences_missing: tuple[str, ...] = ()
    gaps: tuple[Unjudged, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing, so that silence means that all is well."""
        return bool(self.sources) and all(source.is_whole for source in self.sources) and not self.gaps

    @property
    def unlisted(self) -> frozenset[ObjectKind]:
        """Kinds of objects of which some may not have been seen."""
        return frozenset(kind for source in self.sources if not source.is_whole for kind in source.lists)


def coverage_block(coverage: Coverage, others: tuple[SourceRead, ...] = ()) -> CoverageBlock:
    """What the report says of a scan, and of other sources such as the gateway; what lacks a licence says so."""
    sources = (*(_source_read(source) for source in coverage.sources), *others)
    licences = (_PREMIUM,) if any(source.reason == NO_LICENCE for source in sources) else ()
    return CoverageBlock(sources, licences, coverage.unjudged)


def _source_read(source: SourceCoverage) -> SourceRead:
    is_complete = source.state is SourceState.COMPLETE
    reason = "" if is_complete else source.reason or source.state.value
    lists = _LISTS.get(source.source, frozenset())
    return SourceRead(source.source, source.rows, source.counted, reason, lists)
