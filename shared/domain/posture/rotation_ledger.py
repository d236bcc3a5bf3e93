"""Rotation ledger: what earlier checks saw of the credentials of each application, and what people were told."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.posture.check import Case
from shared.domain.posture.checks.credentials import live_doors
from shared.domain.posture.inventory import App, CredentialKind
from shared.domain.posture.pairs import Retired

KEPT = timedelta(days=90)
"""How long a credential that is gone is remembered as the one that another replaced."""


@dataclass(frozen=True, slots=True)
class NotedCredential:
    """A credential that people keep. `seen_at` is the last check that found it live, `gone_at` since when it is not."""

    key_id: str
    kind: CredentialKind
    starts_at: datetime | None
    ends_at: datetime | None
    seen_at: datetime
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotedApp:
    """One application. `told` is what the security team heard, `owners_told` what an owner heard: key ids and words."""

    object_id: str
    credentials: tuple[NotedCredential, ...] = ()
    told: tuple[str, ...] = ()
    owners_told: tuple[str, ...] = ()

    @property
    def retired(self) -> tuple[Retired, ...]:
        """Those that are gone."""
        return tuple(
            Retired(one.key_id, one.kind, one.starts_at, one.gone_at) for one in self.credentials if one.gone_at
        )

    @property
    def key_ids(self) -> frozenset[str]:
        """Every credential that was ever noted, as far as it is remembered."""
        return frozenset(one.key_id for one in self.credentials)

    @property
    def is_worth_keeping(self) -> bool:
        """Whether there is anything to remember."""
        return bool(self.credentials or self.told or self.owners_told)


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """When the check began that wrote the ledger, and what it could not see."""

    at: datetime
    troubles: tuple[str, ...] = ()


def note(app: Case[App], before: NotedApp, *, is_whole: bool) -> NotedApp:
    """The application as it is now beside what is remembered of it.

    Unless the whole directory was read, what is missing may be there all the same, and nothing is called gone.
    """
    live = {one.credential.key_id: one.credential for one in live_doors(app)}
    seen = {
        key_id: NotedCredential(key_id, one.kind, one.starts_at, one.ends_at, app.at) for key_id, one in live.items()
    }
    known = {one.key_id: one for one in before.credentials}
    missing = (known[key_id] for key_id in sorted(known.keys() - seen.keys()))
    left = (_left(one, app.at, is_whole=is_whole) for one in missing)
    kept = (one for one in left if one.gone_at is None or app.at - one.gone_at <= KEPT)
    return replace(before, credentials=(*(seen[key_id] for key_id in sorted(seen)), *kept))


def note_absence(before: NotedApp, at: datetime, *, is_whole: bool) -> NotedApp:
    """The same for an application that was not read: it is gone only if everything was read."""
    left = (_left(one, at, is_whole=is_whole) for one in before.credentials)
    kept = tuple(one for one in left if one.gone_at is None or at - one.gone_at <= KEPT)
    return (
        _forgetting(replace(before, credentials=kept), frozenset()) if is_whole else replace(before, credentials=kept)
    )


def forget_the_gone(noted: NotedApp, key_ids: frozenset[str], *, is_whole: bool) -> NotedApp:
    """Without what was told of credentials that are neither remembered nor among these."""
    return _forgetting(noted, key_ids) if is_whole else noted


def side_by_side(lines: Iterable[NotedApp], apps: Iterable[App]) -> Iterator[tuple[NotedApp | None, App | None]]:
    """What is remembered beside what is there, both in the order of their object ids; neither is held at once."""
    remembered, there = iter(lines), _each_once(apps)
    line, app = next(remembered, None), next(there, None)
    while line is not None or app is not None:
        if app is None or (line is not None and line.object_id < app.object_id):
            yield line, None
            line = next(remembered, None)
        elif line is None or app.object_id < line.object_id:
            yield None, app
            app = next(there, None)
        else:
            yield line, app
            line, app = next(remembered, None), next(there, None)


def _each_once(apps: Iterable[App]) -> Iterator[App]:
    """A ledger has one line for an object, whatever the directory says."""
    last = ""
    for app in apps:
        if app.object_id > last:
            last = app.object_id
            yield app


def _left(one: NotedCredential, at: datetime, *, is_whole: bool) -> NotedCredential:
    if one.gone_at is not None:
        return one
    if one.ends_at is not None and one.ends_at <= at:
        return replace(one, gone_at=one.ends_at)
    return replace(one, gone_at=at) if is_whole else one


def _forgetting(noted: NotedApp, key_ids: frozenset[str]) -> NotedApp:
    known = noted.key_ids | key_ids
    told, owners_told = (
        tuple(one for one in words if one.partition(" ")[0] in known) for words in (noted.told, noted.owners_told)
    )
    return replace(noted, told=told, owners_told=owners_told)
