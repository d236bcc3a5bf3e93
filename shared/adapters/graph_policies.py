"""The tenant's policies through Microsoft Graph."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from shared.adapters.inventory_sources import Limit
from shared.adapters.patient_graph import PatientGraph, expect
from shared.domain.posture.estate_facts import OwnPolicy, Policy
from shared.errors import RetryLaterError
from shared.wire.app_management_policy import parse_app_management_policy, parse_own_policy, parse_targets

APP_MANAGEMENT = "/v1.0/policies/defaultAppManagementPolicy"
OWN_POLICIES = "/v1.0/policies/appManagementPolicies"
MOST_EXPANDED = 20


class GraphPolicies:
    """See `TenantPolicies`."""

    def __init__(self, graph: PatientGraph) -> None:
        self._graph = graph

    async def app_management(self) -> Policy:
        """See `TenantPolicies.app_management`."""
        answer, _ = await self._graph.get(Limit.DIRECTORY, APP_MANAGEMENT)
        return parse_app_management_policy(expect(answer))

    async def own_app_management(self) -> tuple[OwnPolicy, ...]:
        """See `TenantPolicies.own_app_management`."""
        rows = [row async for row in self._rows(f"{OWN_POLICIES}?$expand=appliesTo")]
        found = [parse_own_policy(row, await self._all_targets(row)) for row in rows]
        return tuple(sorted(found, key=lambda one: sorted(one.applies_to)))

    async def _all_targets(self, row: Any) -> list[str] | None:  # noqa: ANN401 - JSON from outside
        """What the policy applies to, where its row may show only the first of them."""
        shown = row.get("appliesTo") if isinstance(row, dict) else None
        if not isinstance(shown, list) or (len(shown) < MOST_EXPANDED and "appliesTo@odata.nextLink" not in row):
            return None
        path = f"{OWN_POLICIES}/{quote(str(row.get('id')))}/appliesTo?$select=id&$top=999"
        return parse_targets([one async for one in self._rows(path)])

    async def _rows(self, path: str) -> AsyncIterator[Any]:
        link: str | None = path
        while link is not None:
            answer, _ = await self._graph.get(Limit.DIRECTORY, link)
            page = expect(answer, resumed=link != path)
            values = page.get("value")
            if not isinstance(values, list):
                raise RetryLaterError("graph-answered-nonsense", "policies are no list")
            for value in values:
                yield value
            link = page.get("@odata.nextLink")
