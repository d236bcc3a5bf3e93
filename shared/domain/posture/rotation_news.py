"""Rotation news: what has to be told of a credential, each thing once, and to whom."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.approval import Person
from shared.domain.posture.checks.traits import is_agent, is_blueprint
from shared.domain.posture.finding import Finding
from shared.domain.posture.inventory import App, OwnerKind, Unknown
from shared.domain.posture.rotation import CredentialRotation, Rotation, RotationState
from shared.domain.posture.rotation_ledger import NotedApp

ENDS, VAULT = "ends-", "vault"
SOON = 7
_TOLD_STATES = frozenset(
    {RotationState.STILL_USED, RotationState.SUPERSEDED, RotationState.OVERDUE, RotationState.ROTATED}
)
_HARMLESS_ENDS = frozenset(
    {RotationState.SUPERSEDED, RotationState.ROTATED, RotationState.CURRENT, RotationState.RENEWED}
)


@dataclass(frozen=True, slots=True)
class AppNews:
    """One application of which there is something to tell.

    `words` are what is new, each a key id and what happened to it; `owner` is who hears of it in person, if anybody
    can. `mismatches` are what its vault hands out wrongly.
    """

    object_id: str
    name: str
    words: tuple[str, ...]
    rotation: Rotation | None = None
    owner: Person | None = None
    mismatches: tuple[Finding, ...] = ()

    @property
    def rows(self) -> tuple[CredentialRotation, ...]:
        """The credentials that are told of, the most urgent first."""
        keys = {word.partition(" ")[0] for word in self.words}
        return tuple(row for row in (self.rotation.credentials if self.rotation else ()) if row.about.key_id in keys)

    @property
    def urgency(self) -> tuple[int, int, int, str]:
        """Sorts what stops working within a week before what is merely wrong, and what is done last."""
        ranks = [(_rank(row), row.days_left if row.days_left is not None else 0) for row in self.rows]
        rank, left = min(ranks, default=(4, 0))
        return rank, left, -len(self.words), self.object_id


@dataclass(frozen=True, slots=True)
class RotationNews:
    """What one check has to tell the security team: the worst applications, and the numbers behind them.

    `events` counts what is new by kind, `states` all live credentials; `more` applications have news and are not among
    `apps`. `troubles` say what could not be seen.
    """

    at: datetime
    apps: tuple[AppNews, ...] = ()
    more: int = 0
    events: Mapping[str, int] = field(default_factory=Counter)
    states: Mapping[RotationState, int] = field(default_factory=Counter)
    troubles: tuple[str, ...] = ()


def words_of(rotation: Rotation, stages: Iterable[int]) -> tuple[str, ...]:
    """Everything there is to tell of an application now, told before or not: key ids with a state or a stage."""
    return tuple(word for row in rotation.credentials for word in _words(row, tuple(stages)))


def completed_unseen(rotation: Rotation, before: NotedApp) -> tuple[str, ...]:
    """Rotations that were over before anybody looked: neither of the two credentials was noted, so they are no news."""
    done = (row for row in rotation.credentials if row.state is RotationState.ROTATED)
    unseen = (row for row in done if before.key_ids.isdisjoint({row.about.key_id, row.predecessor}))
    return tuple(f"{row.about.key_id} {row.state}" for row in unseen)


def untold(words: Iterable[str], told: Iterable[str]) -> tuple[str, ...]:
    """Those that nobody has heard yet; who heard of a later stage has heard of the earlier ones."""
    heard = frozenset(told)
    return tuple(word for word in words if word not in heard and not _heard_of_later(word, heard))


def kind_of(word: str) -> str:
    """What happened: a state, a stage such as `ends-7`, or `vault`."""
    return word.partition(" ")[2]


def owner_of(app: App) -> Person | None:
    """The first owner, or sponsor of an agent, who is a person of this tenant and can still sign in."""
    people = app.sponsors if is_agent(app) or is_blueprint(app) else app.owners
    if isinstance(people, Unknown):
        return None
    enabled = (one for one in people.value if one.kind is OwnerKind.USER and one.enabled and not one.is_guest)
    first = min(enabled, key=lambda one: (one.name, one.object_id), default=None)
    return Person(first.object_id, first.name) if first is not None else None


def _words(row: CredentialRotation, stages: tuple[int, ...]) -> Iterator[str]:
    if row.state in _TOLD_STATES:
        yield f"{row.about.key_id} {row.state}"
    stage = row.stage if row.state is RotationState.DUE else _stage(row.ends_in_days, stages)
    if stage is not None and row.state not in _HARMLESS_ENDS:
        yield f"{row.about.key_id} {ENDS}{stage}"


def _stage(days: int | None, stages: tuple[int, ...]) -> int | None:
    return min((stage for stage in stages if days is not None and days <= stage), default=None)


def _heard_of_later(word: str, heard: frozenset[str]) -> bool:
    key_id, _, kind = word.partition(" ")
    if not kind.startswith(ENDS):
        return False
    later = (one.removeprefix(f"{key_id} {ENDS}") for one in heard if one.startswith(f"{key_id} {ENDS}"))
    return any(int(stage) <= int(kind.removeprefix(ENDS)) for stage in later)


def _rank(row: CredentialRotation) -> int:
    if row.state not in _HARMLESS_ENDS and row.ends_in_days is not None and row.ends_in_days <= SOON:
        return 0
    return {RotationState.STILL_USED: 1, RotationState.SUPERSEDED: 2, RotationState.OVERDUE: 2}.get(
        row.state, 5 if row.state is RotationState.ROTATED else 3
    )
