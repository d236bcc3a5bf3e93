"""Rows of the gateway's session list as uses of a connection; rows that only look like one are none."""

from datetime import datetime
from typing import Any

from pydantic import Field

from shared.domain.posture.gateway_view import Use
from shared.wire.gateway import LenientBody

_NEVER_OPENED = ("PENDING", "REJECTED")


class _Review(LenientBody):
    status: str = ""


class LogRow(LenientBody):
    """One session row, as far as it tells of use."""

    id: str
    connection: str | None = ""
    user_id: str | None = ""
    machine_identity_id: str | None = None
    verb: str | None = ""
    status: str | None = "done"
    start_date: datetime | None = None
    end_date: datetime | None = None
    metadata: dict[str, Any] | None = None
    review: _Review | None = Field(default=None)

    @property
    def user(self) -> str:
        """Whose session it was."""
        return self.machine_identity_id or self.user_id or ""

    @property
    def is_use(self) -> bool:
        """Whether somebody really opened the connection: not the issue of a credential, not a wait for a review."""
        is_bookkeeping = self.status == "done" and self.end_date is None
        is_issue = bool(self.metadata and "credentials_expire_at" in self.metadata)
        waited = self.review is not None and self.review.status in _NEVER_OPENED
        return bool(self.start_date and self.connection and self.user) and not (is_bookkeeping or is_issue or waited)


def use_of(row: LogRow) -> Use | None:
    """The use that a row tells of; `None` when there was none."""
    if not row.is_use or row.start_date is None:
        return None
    return Use(row.connection or "", row.start_date, row.end_date, interactive=row.verb == "connect")
