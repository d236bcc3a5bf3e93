"""Kept tokens: of a long sign-in log, what judgements about one principal need, in bounded memory."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.posture.gateway_view import TokenUse
from shared.domain.posture.sessions import Timeline

MOST_ALONE = 500
_SLACK = 2
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Openings:
    """What tokens are compared with: principals by object id, `opened` oldest first, sessions by connection.

    `protected` says through which connection a resource is reached.
    """

    protected: Mapping[str, str]
    live: Mapping[Place, Timeline]
    opened: Mapping[str, Sequence[datetime]]
    window: timedelta


@dataclass(slots=True)
class KeptTokens:
    """The newest token of each principal, the last before each of its kept uses, and those without any session.

    Of the last kind the newest five hundred for each principal and resource. The order of adding does not matter.
    """

    openings: Openings
    _newest: dict[str, TokenUse] = field(default_factory=dict)
    _before: dict[tuple[str, datetime], TokenUse] = field(default_factory=dict)
    _alone: dict[Place, list[TokenUse]] = field(default_factory=dict)

    def add(self, token: TokenUse) -> None:
        """Take one into account."""
        principal_id = token.principal_id
        self._newest[principal_id] = _newer(token, self._newest.get(principal_id))
        opened = self.openings.opened.get(principal_id, ())
        place = bisect_left(opened, token.at)
        if place < len(opened) and opened[place] - token.at <= self.openings.window:
            key = (principal_id, opened[place])
            self._before[key] = _newer(token, self._before.get(key))
        connection = self.openings.protected.get(token.resource_id)
        if connection is not None and not self._is_covered(token, connection):
            alone = self._alone.setdefault((principal_id, token.resource_id), [])
            alone.append(token)
            if len(alone) > MOST_ALONE * _SLACK:
                _trim(alone)

    def all(self) -> tuple[TokenUse, ...]:
        """What was kept, each once, oldest first."""
        kept: set[TokenUse] = {*self._newest.values(), *self._before.values()}
        for alone in self._alone.values():
            _trim(alone)
            kept |= set(alone)
        return tuple(sorted(kept, key=_order))

    def _is_covered(self, token: TokenUse, connection: str) -> bool:
        sessions = self.openings.live.get((token.principal_id, connection))
        return sessions is not None and sessions.touches(token.at, self.openings.window)


def opened_at(moments: Iterable[datetime]) -> tuple[datetime, ...]:
    """Each moment once, oldest first."""
    return tuple(sorted(set(moments)))


def _trim(tokens: list[TokenUse]) -> None:
    tokens.sort(key=_order)
    del tokens[:-MOST_ALONE]


def _newer(one: TokenUse, other: TokenUse | None) -> TokenUse:
    return one if other is None else max(one, other, key=_order)


def _order(token: TokenUse) -> tuple[datetime, str, str, str, str]:
    return token.at, token.principal_id, token.resource_id, token.source, token.key_id
