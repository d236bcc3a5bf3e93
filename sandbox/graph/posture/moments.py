"""Moments around the one that a tenant was generated for, as directory objects carry them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Moments:
    """The moment that every date of a tenant is relative to."""

    at: datetime

    def ago(self, days: float) -> str:
        """So many days before; a negative number lies ahead."""
        return (self.at - timedelta(days=days)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def ahead(self, days: float) -> str:
        """So many days after."""
        return self.ago(-days)
