"""Pairs: which credential came after which, and which of them are gone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from shared.domain.posture.checks.traits import Held
from shared.domain.posture.inventory import CredentialKind

Dated: TypeAlias = tuple[datetime, str]
"""Since when a credential is there, and its key id."""


@dataclass(frozen=True, slots=True)
class Retired:
    """A credential that works no more: a scan at `gone_at` did not list it any more, or it expired then."""

    key_id: str
    kind: CredentialKind
    starts_at: datetime | None
    gone_at: datetime


@dataclass(frozen=True, slots=True)
class Pairs:
    """The credentials of one application that open doors, and those that did.

    Those of a kind that were issued within so many days of `overlap` are siblings, one for each region, and no pair.
    """

    doors: tuple[Held, ...]
    gone: tuple[Retired, ...]
    overlap: int

    def newer(self, one: Held) -> list[Dated]:
        """Live ones that came after it, oldest first."""
        starts_at = one.credential.starts_at
        return [new for new in self._alike(one) if starts_at is not None and new[0] - starts_at > self._apart]

    def older(self, one: Held) -> list[Dated]:
        """Live ones that it came after, oldest first."""
        starts_at = one.credential.starts_at
        return [old for old in self._alike(one) if starts_at is not None and starts_at - old[0] > self._apart]

    def replaced(self, one: Held) -> Retired | None:
        """The newest that works no more and that it came after."""
        starts_at = one.credential.starts_at
        before = {
            (old.starts_at, old.key_id): old
            for old in self.gone
            if old.kind is one.credential.kind and old.starts_at is not None and starts_at is not None
            if old.starts_at < starts_at
        }
        return before[max(before)] if before else None

    @property
    def _apart(self) -> timedelta:
        return timedelta(days=self.overlap)

    def _alike(self, one: Held) -> Iterator[Dated]:
        mine = (other.credential for other in self.doors if other.credential.kind is one.credential.kind)
        return iter(sorted((each.starts_at, each.key_id) for each in mine if each.starts_at is not None))
