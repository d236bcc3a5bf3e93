"""The tenant's policies through Microsoft Graph."""

from shared.adapters.json_api import JsonApi
from shared.domain.posture.estate_facts import Policy
from shared.errors import RejectedError, RetryLaterError
from shared.wire.app_management_policy import parse_app_management_policy

APP_MANAGEMENT = "/v1.0/policies/defaultAppManagementPolicy"
_REFUSALS = ("graph-401", "graph-403")


class GraphPolicies:
    """See `TenantPolicies`."""

    def __init__(self, graph: JsonApi) -> None:
        self._graph = graph

    async def app_management(self) -> Policy:
        """See `TenantPolicies.app_management`."""
        try:
            answer = await self._graph.get(APP_MANAGEMENT)
        except RetryLaterError as error:
            if error.reason in _REFUSALS:
                raise RejectedError(error.reason, error.detail) from error
            raise
        if answer.status >= 400:
            raise RejectedError(f"graph-{answer.status}", "the app management policy")
        return parse_app_management_policy(answer.document)
