"""Entra's audit and sign-in logs through Microsoft Graph: row by row, the newest first, one page in memory."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any
from urllib.parse import quote

from shared.adapters.inventory_sources import Limit
from shared.adapters.patient_graph import PatientGraph, expect
from shared.domain.posture.gateway_view import AuditEvent, TokenUse
from shared.domain.posture.scan import PAGE_LOST
from shared.errors import RejectedError, RetryLaterError
from shared.wire.audit_log import (
    filter_moment,
    is_older,
    moment_of,
    parse_attributes,
    parse_credential_changes,
    parse_membership,
    parse_token,
)

PAGE = 999
MOST_LOST = 5
# Entra writes this dash or that, and a space after the name or none: what begins like this is looked at.
CREDENTIALS_CHANGED = ("Update application ", "Add service principal credentials", "Update service principal ")
MEMBER_ADDED = "Add member to group"
# A workload signs in as one or the other; the log of people is another.
WORKLOADS = ("servicePrincipal", "managedIdentity")
_ATTRIBUTES = "$select=id,appId,customSecurityAttributes"


@dataclass(frozen=True, slots=True)
class _Log:
    """One of the logs, and the property that its rows are ordered by."""

    path: str
    moment: str

    def first_page(self, conditions: str, since: datetime, until: str | None) -> str:
        span = f"{self.moment} ge {filter_moment(since)}" + (f" and {self.moment} le {until}" if until else "")
        filtered = quote(f"{conditions} and {span}", safe="'(),:/")
        return f"{self.path}?$filter={filtered}&$orderby={self.moment}%20desc&$top={PAGE}"


AUDITS = _Log("/v1.0/auditLogs/directoryAudits", "activityDateTime")
SIGN_INS = _Log("/beta/auditLogs/signIns", "createdDateTime")


@dataclass(slots=True)
class _Bookmark:
    """The last row that was seen, and those of the same moment: where a read goes on whose page token is lost.

    `is_ordered` until a row is newer than the one before it: then nobody knows where to go on.
    """

    until: str | None = None
    seen: set[str] = field(default_factory=set)
    is_ordered: bool = True

    def is_new(self, row: Any, moment: str) -> bool:  # noqa: ANN401 - JSON from outside
        at, row_id = moment_of(row, moment), str(row.get("id"))
        if at != self.until:
            self.is_ordered = self.is_ordered and (self.until is None or is_older(at, self.until))
            self.until, self.seen = at, set()
        if row_id in self.seen:
            return False
        self.seen.add(row_id)
        return True


class GraphAuditLog:
    """See `AuditLog`. It shares the limits of whatever else reads through the same `PatientGraph`."""

    def __init__(self, graph: PatientGraph) -> None:
        self._graph = graph

    async def credential_changes(self, since: datetime) -> tuple[AuditEvent, ...]:
        """See `AuditLog.credential_changes`."""
        found: list[AuditEvent] = []
        for beginning in CREDENTIALS_CHANGED:
            async for row in self._rows(AUDITS, f"startswith(activityDisplayName,'{beginning}')", since):
                found += parse_credential_changes(row)
        return tuple(found)

    async def membership_changes(self, since: datetime, group_ids: Collection[str]) -> tuple[AuditEvent, ...]:
        """See `AuditLog.membership_changes`. A row that names no group may be about any of them."""
        if not group_ids:
            return ()
        wanted = {one.lower() for one in group_ids}
        found: list[AuditEvent] = []
        async for row in self._rows(AUDITS, f"activityDisplayName eq '{MEMBER_ADDED}'", since):
            event = parse_membership(row)
            if event is not None and event.details.get("group_id", "") in wanted | {""}:
                found.append(event)
        return tuple(found)

    async def tokens(self, since: datetime, resource_ids: Collection[str]) -> AsyncIterator[TokenUse]:
        """See `AuditLog.tokens`."""
        for resource_id, kind in product(sorted(resource_ids), WORKLOADS):
            conditions = f"signInEventTypes/any(t: t eq '{kind}') and resourceId eq '{resource_id}'"
            async for row in self._rows(SIGN_INS, conditions, since):
                token = parse_token(row)
                if token is not None:
                    yield token

    async def attributes(
        self, object_ids: Collection[str], blueprints: Collection[str]
    ) -> Mapping[str, frozenset[str]]:
        """See `AuditLog.attributes`."""
        paths = {one: f"/servicePrincipals/{one}?{_ATTRIBUTES}" for one in sorted(object_ids)}
        paths |= {one: f"/servicePrincipals(appId='{one}')?{_ATTRIBUTES}" for one in sorted(blueprints)}
        answers, _ = await self._graph.batch(paths, "beta")
        found: dict[str, frozenset[str]] = {}
        for name, answer in answers.items():
            # What is gone has no attributes, and no tokens either.
            found[name] = frozenset() if answer.status == 404 else parse_attributes(expect(answer))
        return found

    async def _rows(self, log: _Log, conditions: str, since: datetime) -> AsyncIterator[Any]:
        """Every row since then. Where Graph forgets the page, the read goes on from the last row that it gave."""
        mark, lost = _Bookmark(), 0
        link: str | None = None
        while True:
            try:
                page = await self._page(link or log.first_page(conditions, since, mark.until), resumed=link is not None)
            except RejectedError as error:
                lost += 1
                if error.reason != PAGE_LOST or lost > MOST_LOST or not mark.is_ordered:
                    raise
                link = None
                continue
            for row in _values(page):
                if mark.is_new(row, log.moment):
                    yield row
            link = page.get("@odata.nextLink")
            if link is None:
                return

    async def _page(self, path: str, *, resumed: bool) -> Mapping[str, Any]:
        answer, _ = await self._graph.get(Limit.REPORTS, path)
        return expect(answer, resumed=resumed)


def _values(page: Mapping[str, Any]) -> Iterator[Any]:
    values = page.get("value")
    if not isinstance(values, list):
        raise RetryLaterError("graph-answered-nonsense", "a log is no list")
    yield from values
