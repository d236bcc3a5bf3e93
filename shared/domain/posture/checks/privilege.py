"""Privilege: what an application may do without anybody signed in, or in everybody's name."""

from collections.abc import Iterator

from shared.domain.posture.check import Case, Check, about_app, unknown
from shared.domain.posture.checks.saying import READ_APPLICATIONS, READ_DIRECTORY, READ_ROLES, fails, listed
from shared.domain.posture.checks.tier_zero import (
    DIRECTORY_ROLES,
    HARMLESS_DIRECTORY_ROLES,
    RISKY_SCOPES,
    TIER_ONE,
    permission_name,
)
from shared.domain.posture.checks.traits import directory_roles, is_microsofts, tier_zero_roles
from shared.domain.posture.finding import Finding, Severity
from shared.domain.posture.inventory import App, Unknown

ASSIGNMENTS = "GET /servicePrincipals/{resource}/appRoleAssignedTo?$top=999, one stream for each resource"
REMOVE_ROLE = (
    "DELETE /servicePrincipals/{principal_id}/appRoleAssignments/{assignment}; "
    'POST /servicePrincipals/{principal_id}/appRoleAssignments {"principalId": "{principal_id}", "resourceId": "…", '
    '"appRoleId": "…"} gives it back'
)


def _tier_zero(case: Case[App]) -> Iterator[Finding]:
    roles, about = tier_zero_roles(case.subject), about_app(case.subject)
    if isinstance(roles, Unknown):
        yield unknown("E1", about, roles)
    elif roles.value:
        says = "It could give itself, or anybody, every other permission."
        yield fails("E1", about, Severity.CRITICAL, says, ("permissions", listed(roles.value)))


def _tier_one(case: Case[App]) -> Iterator[Finding]:
    app, about = case.subject, about_app(case.subject)
    if app.principal is None or is_microsofts(app):
        return
    if isinstance(app.app_roles, Unknown):
        yield unknown("E2", about, app.app_roles)
        return
    data = [
        permission_name(role.resource_app_id, role.role_id)
        for role in app.app_roles.value
        if role.role_id.lower() in TIER_ONE.get(role.resource_app_id.lower(), {})
    ]
    if data:
        yield fails("E2", about, Severity.HIGH, "It reads or writes everybody's data.", ("permissions", listed(data)))


def _directory_role(case: Case[App]) -> Iterator[Finding]:
    roles, about = directory_roles(case.subject), about_app(case.subject)
    if isinstance(roles, Unknown):
        yield unknown("E3", about, roles)
    elif roles.value:
        severity = Severity.HIGH
        if any(role in DIRECTORY_ROLES for role in roles.value):
            severity = Severity.CRITICAL
        elif all(role in HARMLESS_DIRECTORY_ROLES for role in roles.value):
            severity = Severity.MEDIUM
        known = {**DIRECTORY_ROLES, **HARMLESS_DIRECTORY_ROLES}
        facts = ("roles", listed(known.get(role, role) for role in roles.value))
        yield fails("E3", about, severity, "It holds a role of the directory.", facts)


def _delegated_for_everybody(case: Case[App]) -> Iterator[Finding]:
    app, about = case.subject, about_app(case.subject)
    if app.principal is None or is_microsofts(app):
        return
    if isinstance(app.delegated_scopes, Unknown):
        yield unknown("E4", about, app.delegated_scopes)
    elif risky := RISKY_SCOPES & app.delegated_scopes.value:
        says = "It acts in the name of everybody who signs in, without asking them."
        yield fails("E4", about, Severity.HIGH, says, ("scopes", listed(risky)))


CHECKS: tuple[Check[App], ...] = (
    Check(
        "E1",
        "Could take over the tenant by a permission",
        Severity.CRITICAL,
        "An application permission of Microsoft Graph with a known path to every other one.",
        ASSIGNMENTS,
        READ_APPLICATIONS,
        "Matched by the id of the role on Microsoft Graph, never by name. Microsoft's own are left out; your own tools "
        "are not: accept them for 30 days at a time",
        REMOVE_ROLE,
        _tier_zero,
        baselines=("OWASP NHI5", "MITRE T1098.003"),
    ),
    Check(
        "E2",
        "Reads or writes everybody's data",
        Severity.HIGH,
        "Mail, files, sites, chats or calendars of everybody, or all of Exchange.",
        ASSIGNMENTS + ": Microsoft Graph, Exchange Online, SharePoint Online",
        READ_APPLICATIONS,
        "Exchange's role-based access for applications and Sites.Selected narrow the reach, and are not seen here",
        REMOVE_ROLE + ". Grant Sites.Selected, or an Exchange management scope, instead",
        _tier_one,
        baselines=("OWASP NHI5",),
    ),
    Check(
        "E3",
        "Holds a role of the directory",
        Severity.CRITICAL,
        "A role assignment whose principal is a service principal; high or medium for roles without a path upwards.",
        "GET /roleManagement/directory/roleAssignments",
        READ_ROLES,
        "Members of directoryRoles mix in activations: assignments are read instead",
        "DELETE /roleManagement/directory/roleAssignments/{assignment}; POST /roleManagement/directory/roleAssignments "
        '{"principalId": "{principal_id}", "roleDefinitionId": "…", "directoryScopeId": "/"} gives it back',
        _directory_role,
        baselines=("OWASP NHI5", "MITRE T1098.003"),
    ),
    Check(
        "E4",
        "Acts in everybody's name",
        Severity.HIGH,
        "A delegated grant for all principals, with a scope that is worth as much as the person's role.",
        "GET /oauth2PermissionGrants, consentType AllPrincipals",
        READ_DIRECTORY,
        "None known",
        "DELETE /oauth2PermissionGrants/{grant}; POST /oauth2PermissionGrants with the same scope gives it back",
        _delegated_for_everybody,
        baselines=("OWASP NHI5",),
    ),
)
