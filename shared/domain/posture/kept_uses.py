"""Kept uses: of a long session log, what judgements about one identity need, in bounded memory."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.posture.gateway_view import Use
from shared.domain.posture.live_spans import LiveSpans, Span

NEWEST = 50
BY_DAY = timedelta(days=35)
_SLACK = 2
_DAYS_OF_WEEK = 7
_Bucket = tuple[int, bool]


@dataclass(slots=True)
class _OfConnection:
    """The newest of one connection, and of each day or week the first and the one that ended last, by hand and not."""

    newest: list[Use] = field(default_factory=list)
    ends: dict[_Bucket, tuple[Use, Use]] = field(default_factory=dict)

    def add(self, use: Use, bucket: _Bucket) -> None:
        self.newest.append(use)
        if len(self.newest) > NEWEST * _SLACK:
            self.trim()
        first, last = self.ends.get(bucket, (use, use))
        self.ends[bucket] = (min(first, use, key=_opened_first), min(last, use, key=_ended_last))

    def trim(self) -> None:
        self.newest.sort(key=newest_first)
        del self.newest[NEWEST:]

    def all(self) -> Iterator[Use]:
        self.trim()
        yield from self.newest
        for first, last in self.ends.values():
            yield from (first, last)


@dataclass(slots=True)
class KeptUses:
    """Uses by the gateway's name of who it was: the newest fifty of each connection, and before that the ends of times.

    Those are the first of each day, and the one that ended last; of what is older than five weeks, of each week. They
    keep a silence as long as it was, and the first use where it was. The order of adding does not matter. `oldest` is
    the earliest of all that were added, kept or not, whoever's it was.

    Of the `watched` connections all spans are kept in which sessions were live, as exactly as `LiveSpans` keeps them.
    """

    wanted: frozenset[str]
    at: datetime
    watched: Collection[str] = ()
    watched_since: datetime | None = None
    gap: timedelta = timedelta(0)
    oldest: datetime | None = None
    _kept: dict[tuple[str, str], _OfConnection] = field(default_factory=dict)
    _live: dict[tuple[str, str], LiveSpans] = field(default_factory=dict)

    def add(self, user: str, use: Use) -> None:
        """Take one into account."""
        self.oldest = use.opened_at if self.oldest is None else min(self.oldest, use.opened_at)
        if user not in self.wanted:
            return
        self._kept.setdefault((user, use.connection), _OfConnection()).add(use, self._bucket(use))
        if use.connection in self.watched and self._is_watched(use):
            self._live.setdefault((user, use.connection), LiveSpans(self.gap)).add(use.opened_at, use.ended_at)

    def by_user(self) -> Mapping[str, tuple[Use, ...]]:
        """What was kept of everybody wanted, the newest first; nothing for those who opened nothing."""
        found: dict[str, dict[Use, None]] = {user: {} for user in sorted(self.wanted)}
        for (user, _), kept in self._kept.items():
            found[user] |= dict.fromkeys(kept.all())
        return {user: tuple(sorted(uses, key=newest_first)) for user, uses in found.items()}

    def live(self) -> Mapping[str, Mapping[str, tuple[Span, ...]]]:
        """When sessions of watched connections were live, by user and connection."""
        found: dict[str, dict[str, tuple[Span, ...]]] = {user: {} for user in sorted(self.wanted)}
        for (user, connection), spans in self._live.items():
            found[user][connection] = spans.all()
        return found

    def _bucket(self, use: Use) -> _Bucket:
        """A day, or a week, which is written as a negative number."""
        day = use.opened_at.toordinal()
        is_recent = self.at - use.opened_at <= BY_DAY
        return (day if is_recent else -(day // _DAYS_OF_WEEK)), use.interactive

    def _is_watched(self, use: Use) -> bool:
        return self.watched_since is None or use.ended_at is None or use.ended_at >= self.watched_since


def newest_first(use: Use) -> tuple[float, float, str, str, bool]:
    """An order of uses that is the same for the same uses, whatever they came in."""
    return -use.opened_at.timestamp(), -_end(use), use.connection, use.source, use.interactive


def _opened_first(use: Use) -> tuple[float, float, str, str, bool]:
    return use.opened_at.timestamp(), -_end(use), use.connection, use.source, use.interactive


def _ended_last(use: Use) -> tuple[float, float, str, str, bool]:
    return -_end(use), -use.opened_at.timestamp(), use.connection, use.source, use.interactive


def _end(use: Use) -> float:
    return use.ended_at.timestamp() if use.ended_at is not None else float("inf")
