"""Where each list of posture stands in Graph, and under which limit it is read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from shared.domain.posture.scan import Source
from shared.wire.audit_log import filter_moment
from shared.wire.inventory_rows import APPLICATION_FIELDS, PRINCIPAL_FIELDS

LOGGED = timedelta(days=30)
MICROSOFT_GRAPH = "00000003-0000-0000-c000-000000000000"
RESOURCES = (
    MICROSOFT_GRAPH,
    "00000002-0000-0ff1-ce00-000000000000",  # Exchange Online
    "00000003-0000-0ff1-ce00-000000000000",  # SharePoint Online
    "00000002-0000-0000-c000-000000000000",  # Azure AD Graph
    "00000009-0000-0000-c000-000000000000",  # Power BI
    "c5393580-f805-4401-95e8-94b7a6ef2fc2",  # Office 365 Management APIs
    "fc780465-2017-40d4-a0c5-307022471b92",  # Defender for Endpoint
    "797f4846-ba00-4fd7-ba43-dac1f8f63013",  # Azure Service Management
)


class Limit(Enum):
    """Graph's limits, per tenant and application: so many requests in so many seconds.

    https://learn.microsoft.com/graph/throttling-limits. A batch counts each of its twenty items.
    """

    DIRECTORY = (50, 1.0)
    BATCH = (8, 1.0)
    REPORTS = (5, 10.0)
    KEYS = (150, 60.0)


@dataclass(frozen=True, slots=True)
class Listing:
    """One list: its first page, where its rows are counted, its limit, and whether it is an advanced query.

    `dated` names the property that the rows of a log are dated by; its path ends with a filter.
    """

    path: str
    count_path: str = ""
    limit: Limit = Limit.DIRECTORY
    advanced: bool = False
    dated: str = ""

    def first_page(self, at: datetime | None) -> str:
        """Where a read begins; that of a log goes back from `at` for as long as Entra keeps it."""
        since = f" and {self.dated} ge {filter_moment(at - LOGGED)}" if self.dated and at is not None else ""
        return f"{self.path}{since}"


def _counted(collection: str, condition: str) -> Listing:
    query = f"$filter={condition}&$count=true&$select=id&$top=999"
    return Listing(f"/v1.0/{collection}?{query}", advanced=True)


# `owners` in $expand holds at most twenty, and comes without what tells whether they can still sign in.
_APPLICATIONS = f"/v1.0/applications?$select={APPLICATION_FIELDS}&$expand=owners&$top=999"
_PRINCIPALS = f"/v1.0/servicePrincipals?$select={PRINCIPAL_FIELDS}&$expand=owners&$top=999"
_AGENT_SIGN_INS = (
    "/beta/auditLogs/signIns?$select=id,createdDateTime,servicePrincipalId,status"
    "&$orderby=createdDateTime desc&$top=999"
    "&$filter=signInEventTypes/any(t: t eq 'servicePrincipal') and agent/agentType eq 'AgentIdentity'"
)
_REGISTRATIONS = "/v1.0/reports/authenticationMethods/userRegistrationDetails"
LISTINGS = {
    Source.APPLICATIONS: Listing(_APPLICATIONS, "/v1.0/applications/$count", Limit.KEYS),
    Source.SERVICE_PRINCIPALS: Listing(_PRINCIPALS, "/v1.0/servicePrincipals/$count", Limit.KEYS),
    Source.SIGN_INS: Listing("/beta/reports/servicePrincipalSignInActivities?$top=999", limit=Limit.REPORTS),
    Source.CREDENTIAL_SIGN_INS: Listing("/beta/reports/appCredentialSignInActivities?$top=999", limit=Limit.REPORTS),
    Source.REGISTRATIONS: Listing(f"{_REGISTRATIONS}?$filter=isMfaRegistered eq false&$top=999", limit=Limit.REPORTS),
    Source.AGENT_SIGN_INS: Listing(_AGENT_SIGN_INS, limit=Limit.REPORTS, dated="createdDateTime"),
    Source.OWNERLESS_APPLICATIONS: _counted("applications", "owners/$count eq 0"),
    Source.SINGLE_OWNER_APPLICATIONS: _counted("applications", "owners/$count eq 1"),
    Source.OWNERLESS_PRINCIPALS: _counted("servicePrincipals", "owners/$count eq 0"),
    Source.SINGLE_OWNER_PRINCIPALS: _counted("servicePrincipals", "owners/$count eq 1"),
    Source.FEDERATED_APPLICATIONS: _counted("applications", "federatedIdentityCredentials/$count ne 0"),
    Source.DIRECTORY_ROLES: Listing("/v1.0/roleManagement/directory/roleAssignments"),
    Source.DELEGATED_GRANTS: Listing("/v1.0/oauth2PermissionGrants?$top=999"),
}
