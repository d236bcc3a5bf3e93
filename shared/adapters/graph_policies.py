"""The tenant's policies through Microsoft Graph."""

from shared.adapters.inventory_sources import Limit
from shared.adapters.patient_graph import PatientGraph, expect
from shared.domain.posture.estate_facts import Policy
from shared.wire.app_management_policy import parse_app_management_policy

APP_MANAGEMENT = "/v1.0/policies/defaultAppManagementPolicy"


class GraphPolicies:
    """See `TenantPolicies`."""

    def __init__(self, graph: PatientGraph) -> None:
        self._graph = graph

    async def app_management(self) -> Policy:
        """See `TenantPolicies.app_management`."""
        answer, _ = await self._graph.get(Limit.DIRECTORY, APP_MANAGEMENT)
        return parse_app_management_policy(expect(answer))
