"""Entra's logs in memory: events and tokens as they were put in; what fails says so."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.posture.gateway_view import AuditEvent, TokenUse
from shared.errors import RejectedError


@dataclass
class FakeAuditLog:
    """`refused` names methods that Graph refuses; `asked` are the methods that were asked."""

    events: list[AuditEvent] = field(default_factory=list)
    issued: list[TokenUse] = field(default_factory=list)
    tags: dict[str, frozenset[str]] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    async def credential_changes(self, since: datetime) -> tuple[AuditEvent, ...]:
        self._check("credential_changes")
        return tuple(one for one in self.events if one.at >= since and "group_id" not in one.details)

    async def membership_changes(self, since: datetime, group_ids: Collection[str]) -> tuple[AuditEvent, ...]:
        self._check("membership_changes")
        return tuple(one for one in self.events if one.at >= since and one.details.get("group_id") in group_ids)

    async def tokens(self, since: datetime, resource_ids: Collection[str]) -> AsyncIterator[TokenUse]:
        for token in self.issued:
            if token.at >= since and token.resource_id in resource_ids:
                yield token
        self._check("tokens")

    async def attributes(
        self, object_ids: Collection[str], blueprints: Collection[str]
    ) -> Mapping[str, frozenset[str]]:
        self._check("attributes")
        return {one: self.tags.get(one, frozenset()) for one in (*object_ids, *blueprints)}

    def _check(self, method: str) -> None:
        self.asked.append(method)
        if method in self.refused:
            raise RejectedError("graph-403")
