"""Sweeps: how many revocations at once are a person's to approve."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from shared.domain.principals import PrincipalChange


@dataclass(frozen=True, slots=True)
class SweepLimit:
    """A sweep may revoke this share of the roster (percent), and always at least `minimum` principals."""

    percent: int = 20
    minimum: int = 5

    def allows(self, revocations: int, roster: int) -> bool:
        """Whether a sweep may go on without asking a person."""
        return revocations <= max(self.minimum, floor(roster * self.percent / 100))


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """One entry of a delta page, in our words. `app_id` is known only while the object exists."""

    change: PrincipalChange
    app_id: str | None = None


@dataclass(frozen=True, slots=True)
class DeltaPage:
    """One page of changes, and the link to the next page or, when `is_last`, to the next sweep."""

    changes: Sequence[DirectoryChange]
    link: str
    is_last: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """A sweep that stopped: what it wanted to revoke, waiting for a person."""

    hold_id: str
    roster: int
    changes: Sequence[PrincipalChange]
