"""Scan: rows as they are read and kept, and the checkpoints from which a scan that was killed goes on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.posture.coverage import SourceCoverage, SourceState
from shared.domain.posture.estate_facts import InCommon, Tenant
from shared.domain.posture.finding import Finding
from shared.domain.posture.inventory import App
from shared.errors import AlreadyDecidedError

PAGE_LOST, NO_LICENCE, NOT_KEPT = "page-token-expired", "no-licence", "page-not-kept"
EMPTY, COUNT_MISMATCH, OVER_LIMIT = "empty", "count-mismatch", "over-limit"
Judge = Callable[[App], tuple[Finding, ...]]
Judging = Callable[[Tenant, datetime], Judge]
"""Who judges applications of this tenant, at this moment."""

Learning = Callable[[InCommon, datetime], Awaitable[Tenant]]
"""What is known of the tenant, once its applications were read."""


class Source(StrEnum):
    """What is read, in the order in which it is begun."""

    APPLICATIONS = "applications"
    SERVICE_PRINCIPALS = "service-principals"
    SIGN_INS = "sign-ins"
    CREDENTIAL_SIGN_INS = "credential-sign-ins"
    REGISTRATIONS = "registrations"
    OWNERLESS_APPLICATIONS = "ownerless-applications"
    SINGLE_OWNER_APPLICATIONS = "single-owner-applications"
    OWNERLESS_PRINCIPALS = "ownerless-principals"
    SINGLE_OWNER_PRINCIPALS = "single-owner-principals"
    FEDERATED_APPLICATIONS = "federated-applications"
    APP_ROLES = "app-roles"
    DIRECTORY_ROLES = "directory-roles"
    DELEGATED_GRANTS = "delegated-grants"
    FEDERATED_CREDENTIALS = "federated-credentials"
    AGENTS = "agents"
    AGENT_SIGN_INS = "agent-sign-ins"
    OWNERS = "owners"
    PEOPLE = "people"
    CERTIFICATES = "certificates"


REPORTS = (Source.SIGN_INS, Source.CREDENTIAL_SIGN_INS, Source.REGISTRATIONS)
LISTS = (
    Source.APPLICATIONS,
    Source.SERVICE_PRINCIPALS,
    Source.OWNERLESS_APPLICATIONS,
    Source.SINGLE_OWNER_APPLICATIONS,
    Source.OWNERLESS_PRINCIPALS,
    Source.SINGLE_OWNER_PRINCIPALS,
    Source.FEDERATED_APPLICATIONS,
    Source.APP_ROLES,
    Source.DIRECTORY_ROLES,
    Source.DELEGATED_GRANTS,
)
# Tether is an application itself, and signs in to read.
NEVER_EMPTY = frozenset({Source.APPLICATIONS, Source.SERVICE_PRINCIPALS, Source.SIGN_INS})


@dataclass(frozen=True, slots=True)
class Row:
    """One trimmed row: what it is joined by, what tells it from others with the same key, and its JSON text."""

    key: str
    ident: str
    body: str


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and where the next ones are: a link, or `None` after the last. `counted` is Entra's own count, if given."""

    rows: tuple[Row, ...]
    link: str | None = None
    requests: int = 1
    counted: int | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far one source was read. A restart, after Graph forgot the page token, begins a new generation.

    `version` is opaque: a save succeeds only while nobody else saved since.
    """

    source: Source
    pages: int = 0
    rows: int = 0
    link: str | None = None
    generation: int = 0
    requests: int = 0
    counted: int | None = None
    state: SourceState = SourceState.READING
    reason: str = ""
    version: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing more to read."""
        return self.state is not SourceState.READING

    def after(self, page: Page, rows: int) -> "Checkpoint":
        """The same with one page more, and so many distinct rows in all."""
        counted = self.counted if self.counted is not None else page.counted
        return replace(
            self,
            pages=self.pages + 1,
            rows=rows,
            link=page.link,
            requests=self.requests + page.requests,
            counted=counted,
        )

    def restarted(self) -> "Checkpoint":
        """The beginning again; requests that were made stay counted."""
        generation, requests = self.generation + 1, self.requests + 1
        return Checkpoint(self.source, generation=generation, requests=requests, version=self.version)

    def settled(self, state: SourceState, reason: str = "") -> "Checkpoint":
        """The end."""
        return replace(self, state=state, reason=reason, link=None)

    @property
    def coverage(self) -> SourceCoverage:
        """What the report says of it."""
        return SourceCoverage(self.source, self.state, self.rows, self.counted, self.requests, self.reason)


@dataclass(frozen=True, slots=True)
class ScanClaim:
    """Which scan is under way, since when, and whose it is until when; `ended` once its coverage is complete."""

    scan_id: str
    at: datetime
    owner: str
    expires_at: datetime
    ended: bool = False
    version: str | None = None

    def taken_by(self, wanted: "ScanClaim", oldest: datetime) -> "ScanClaim":
        """What stands once somebody wants to scan: this scan, theirs from now on, or theirs if this one is over.

        Raises:
            AlreadyDecidedError: `scan-under-way`: whoever holds it is still at work.
        """
        if not self.ended and self.owner != wanted.owner and wanted.at < self.expires_at:
            raise AlreadyDecidedError("scan-under-way", self.scan_id)
        if self.ended or self.at < oldest:
            return replace(wanted, version=self.version)
        return replace(self, owner=wanted.owner, expires_at=wanted.expires_at)
