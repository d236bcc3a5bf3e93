"""Kept uses: of a long session log, what judgements about one identity need, in bounded memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from shared.domain.posture.gateway_view import Use

NEWEST = 50
_SLACK = 2


@dataclass(slots=True)
class _OfConnection:
    """The newest of one connection, and the one that ended last of each day, by hand and not."""

    newest: list[Use] = field(default_factory=list)
    by_day: dict[tuple[date, bool], Use] = field(default_factory=dict)

    def add(self, use: Use) -> None:
        self.newest.append(use)
        if len(self.newest) > NEWEST * _SLACK:
            self.trim()
        day = (use.opened_at.date(), use.interactive)
        self.by_day[day] = min(self.by_day.get(day, use), use, key=_ended_last)

    def trim(self) -> None:
        self.newest.sort(key=newest_first)
        del self.newest[NEWEST:]


@dataclass(slots=True)
class KeptUses:
    """Uses by the gateway's name of who it was: the newest fifty of each connection, and one of each day before.

    The days keep a silence as long as it was, and the first use where it was. The order of adding does not matter.
    `oldest` is the earliest of all that were added, kept or not, whoever's it was.
    """

    wanted: frozenset[str]
    oldest: datetime | None = None
    _kept: dict[tuple[str, str], _OfConnection] = field(default_factory=dict)

    def add(self, user: str, use: Use) -> None:
        """Take one into account."""
        self.oldest = use.opened_at if self.oldest is None else min(self.oldest, use.opened_at)
        if user in self.wanted:
            self._kept.setdefault((user, use.connection), _OfConnection()).add(use)

    def by_user(self) -> Mapping[str, tuple[Use, ...]]:
        """What was kept of everybody wanted, the newest first; nothing for those who opened nothing."""
        found: dict[str, dict[Use, None]] = {user: {} for user in sorted(self.wanted)}
        for (user, _), kept in self._kept.items():
            kept.trim()
            found[user] |= dict.fromkeys((*kept.newest, *kept.by_day.values()))
        return {user: tuple(sorted(uses, key=newest_first)) for user, uses in found.items()}


def newest_first(use: Use) -> tuple[float, float, str, str, bool]:
    """An order of uses that is the same for the same uses, whatever they came in."""
    return -use.opened_at.timestamp(), -_end(use), use.connection, use.source, use.interactive


def _ended_last(use: Use) -> tuple[float, float, str, str, bool]:
    return -_end(use), -use.opened_at.timestamp(), use.connection, use.source, use.interactive


def _end(use: Use) -> float:
    return use.ended_at.timestamp() if use.ended_at is not None else float("inf")
