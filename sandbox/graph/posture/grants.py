"""What applications may do: application permissions by resource, delegated ones, directory roles, and policies."""

from starlette.responses import Response

from sandbox.graph.posture.ids import IdKind, bulk_id
from sandbox.graph.posture.listing import Part
from sandbox.graph.posture.live import Call, Read
from sandbox.graph.posture.plants.permissions import GRAPH, ROLE_DEFINITIONS, USER_READ_ALL
from sandbox.graph.posture.tenant import Json, compact
from sandbox.graph.schema import Kind

MOST_EXPANDED = 20


async def list_assigned_to(call: Call) -> Response | None:
    """Who has application permissions at a resource."""
    resource = call.tenant.find(Kind.SERVICE_PRINCIPAL, call.wanted)
    return None if resource is None else _assigned_to(call, str(resource["id"]))


async def list_assigned_to_by_app_id(call: Call) -> Response | None:
    """Who has application permissions at a resource that is named by app id."""
    resource = call.tenant.find_by_app_id(Kind.SERVICE_PRINCIPAL, call.request.path_params["app_id"])
    return None if resource is None else _assigned_to(call, str(resource["id"]))


async def list_assignments(call: Call) -> Response | None:
    """Which application permissions a service principal has."""
    principal = call.tenant.find(Kind.SERVICE_PRINCIPAL, call.wanted)
    if principal is None:
        return None
    rows = [row for row in call.tenant.garden.app_roles if row["principalId"] == principal["id"]]
    index = call.tenant.bulk.find_principal(call.wanted)
    rows += [_assignment(call, index)] if index is not None and index in call.tenant.daemons else []
    return call.rows(rows, "servicePrincipals/appRoleAssignments")


async def list_delegated(call: Call) -> Response:
    """Delegated permissions of the whole tenant."""
    consented = range(0, call.tenant.bulk.own, 20)
    parts = (
        Part(call.tenant.garden.delegated, compact),
        Part(consented, lambda index: compact(_harmless_grant(call, index))),
    )
    return call.listing(parts, "oauth2PermissionGrants")


async def list_role_assignments(call: Call) -> Response:
    """Directory roles, whoever holds them."""
    rows = call.tenant.garden.directory_roles
    if call.request.query_params.get("$expand", "").split("(")[0] == "principal":
        rows = [row | {"principal": _principal(call, row["principalId"])} for row in rows]
    return call.rows(rows, "roleManagement/directory/roleAssignments")


async def list_role_definitions(call: Call) -> Response:
    """The directory roles that there are."""
    rows: list[Json] = [
        {"id": role_id, "templateId": role_id, "displayName": name, "isBuiltIn": True, "isEnabled": True}
        for role_id, name in ROLE_DEFINITIONS.items()
    ]
    return call.rows(rows, "roleManagement/directory/roleDefinitions")


async def read_default_policy(call: Call) -> Response:
    """The app management policy of the tenant."""
    return call.entity(call.tenant.policy, "policies/defaultAppManagementPolicy")


async def list_policies(call: Call) -> Response:
    """App management policies for single applications; expanded, each shows the first twenty that it applies to."""
    is_expanded = call.request.query_params.get("$expand") == "appliesTo"
    shown = call.tenant.garden.policies
    rows = [row | ({"appliesTo": _targets(call, row)[:MOST_EXPANDED]} if is_expanded else {}) for row in shown]
    return call.rows(rows, "policies/appManagementPolicies")


async def list_applies_to(call: Call) -> Response | None:
    """Everything that one of these policies applies to."""
    found = next((row for row in call.tenant.garden.policies if row["id"] == call.wanted.lower()), None)
    return None if found is None else call.rows(_targets(call, found), "directoryObjects")


def _targets(call: Call, policy: Json) -> list[Json]:
    return [_target(call, object_id) for object_id in call.tenant.garden.targets[policy["id"]]]


def _target(call: Call, object_id: str) -> Json:
    kind, body = call.tenant.find_any(object_id) or ("directoryObject", {})
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": object_id, "appId": body.get("appId")}


def _assigned_to(call: Call, resource_id: str) -> Response:
    planted = [row for row in call.tenant.garden.app_roles if row["resourceId"] == resource_id]
    bulk = call.tenant.daemons if resource_id == call.tenant.garden.resources.get(GRAPH) else range(0)
    parts = (Part(planted, compact), Part(bulk, lambda index: compact(_assignment(call, index))))
    return call.listing(parts, "servicePrincipals/appRoleAssignedTo")


def _assignment(call: Call, index: int) -> Json:
    bulk = call.tenant.bulk
    return {
        "id": bulk_id(IdKind.ASSIGNMENT, bulk.seed, index),
        "deletedDateTime": None,
        "appRoleId": USER_READ_ALL,
        "createdDateTime": call.tenant.moments.ago(30),
        "principalDisplayName": None,
        "principalId": bulk.principal_id(index),
        "principalType": "ServicePrincipal",
        "resourceDisplayName": "Microsoft Graph",
        "resourceId": call.tenant.garden.resources[GRAPH],
    }


def _harmless_grant(call: Call, index: int) -> Json:
    bulk = call.tenant.bulk
    return {
        "id": bulk_id(IdKind.GRANT, bulk.seed, index),
        "clientId": bulk.principal_id(index),
        "consentType": "AllPrincipals",
        "principalId": None,
        "resourceId": call.tenant.garden.resources[GRAPH],
        "scope": "openid profile User.Read",
    }


def _principal(call: Call, principal_id: str) -> Json:
    found = call.tenant.find_any(principal_id)
    return {"@odata.type": f"#microsoft.graph.{found[0] if found else 'directoryObject'}", "id": principal_id}


def grant_reads() -> list[tuple[str, str, Read]]:
    """Routes that say who may do what."""
    by_app_id = "/servicePrincipals(appId='{app_id}')"
    reads = {
        "/servicePrincipals/{id}/appRoleAssignedTo": list_assigned_to,
        f"{by_app_id}/appRoleAssignedTo": list_assigned_to_by_app_id,
        "/servicePrincipals/{id}/appRoleAssignments": list_assignments,
        "/oauth2PermissionGrants": list_delegated,
        "/roleManagement/directory/roleAssignments": list_role_assignments,
        "/roleManagement/directory/roleDefinitions": list_role_definitions,
        "/policies/defaultAppManagementPolicy": read_default_policy,
        "/policies/appManagementPolicies": list_policies,
        "/policies/appManagementPolicies/{id}/appliesTo": list_applies_to,
    }
    return [("GET", path, read) for path, read in reads.items()]
