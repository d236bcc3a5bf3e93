"""In its tenant: what is wrong with an application only beside others, or beside what the world knows."""

from collections.abc import Iterator, Mapping

from shared.domain.posture.check import Case, Check, about_app, unknown
from shared.domain.posture.checks.credentials import live_doors
from shared.domain.posture.checks.redirects import is_private, named_hosts, redirects
from shared.domain.posture.checks.saying import (
    READ_APPLICATIONS,
    READ_AUDIT_LOG,
    REMOVE_CREDENTIAL,
    ROTATE_CREDENTIAL,
    day,
    fails,
    listed,
)
from shared.domain.posture.checks.subjects import is_trusted, managed_identity
from shared.domain.posture.checks.traits import federated, is_microsofts, privileges
from shared.domain.posture.estate_facts import AppInTenant
from shared.domain.posture.finding import Finding, Severity
from shared.domain.posture.gateway_view import AuditEvent
from shared.domain.posture.inventory import App, CredentialKind, Known, ServicePrincipal, Unknown

InTenant = Case[AppInTenant]


def _shared_certificate(case: InTenant) -> Iterator[Finding]:
    app, shared = case.subject.app, case.subject.tenant.shared_thumbprints
    for one in live_doors(Case(app, case.at, case.limits)):
        # A secret's customKeyIdentifier is its description, which many share by chance.
        if one.credential.kind is not CredentialKind.CERTIFICATE or not one.credential.thumbprint:
            continue
        if isinstance(shared, Unknown):
            yield unknown("C15", one.about, shared)
        elif others := set(shared.value.get(one.credential.thumbprint, ())) - {app.app_id}:
            says = "Other applications sign in with the same certificate."
            yield fails("C15", one.about, Severity.HIGH, says, ("shared with", listed(others)))


def _unexpected_change(case: InTenant) -> Iterator[Finding]:
    app, tenant = case.subject.app, case.subject.tenant
    if isinstance(tenant.credential_changes, Unknown):
        yield unknown("C16", about_app(app), tenant.credential_changes)
        return
    for key, event in _changes(app, tenant.credential_changes.value).items():
        if event.actor in tenant.rotation_actors or {key, event.correlation_id} & tenant.expected_changes:
            continue
        power = privileges(app)
        severity = Severity.CRITICAL if isinstance(power, Known) and power.value else Severity.HIGH
        holds = "not known" if isinstance(power, Unknown) else listed(power.value) or "nothing of tier-0"
        facts = (("by", event.actor), ("on", day(event.at)), ("holds", holds))
        says = "Somebody added or changed a credential outside every planned rotation."
        yield fails("C16", about_app(app, key), severity, says, *facts)


def _changes(app: App, changes: Mapping[str, tuple[AuditEvent, ...]]) -> dict[str, AuditEvent]:
    """Each change of either object once, by the key id that it names, or else by what correlates it."""
    objects = [one.object_id for one in (app.application, app.principal) if one is not None]
    events = [event for object_id in objects for event in changes.get(object_id, ())]
    found: dict[str, AuditEvent] = {}
    for event in sorted(events, key=lambda one: (one.at, one.correlation_id, one.actor, one.target_id)):
        found.setdefault(event.details.get("key_id") or event.correlation_id or event.at.isoformat(), event)
    return found


def _strange_issuer(case: InTenant) -> Iterator[Finding]:
    app, principals = case.subject.app, case.subject.tenant.live_principals
    trusts = federated(app)
    if isinstance(trusts, Unknown):
        yield unknown("D3", about_app(app), trusts)
        return
    for one in trusts.value:
        about, identity = about_app(app, one.name), managed_identity(one)
        facts = (("issuer", one.issuer), ("trusts", one.expression or one.subject))
        if not is_trusted(one.issuer, case.limits.trusted_issuers):
            yield fails("D3", about, Severity.HIGH, "It trusts an issuer that is not on the list.", *facts)
        elif identity and isinstance(principals, Unknown):
            yield unknown("D3", about, principals)
        elif identity and isinstance(principals, Known) and identity not in principals.value:
            says = "It trusts an identity that is not in this tenant any more."
            yield fails("D3", about, Severity.HIGH, says, *facts)


def _dangling_redirect(case: InTenant) -> Iterator[Finding]:
    app, tenant, hosts = case.subject.app, case.subject.tenant, named_hosts(redirects(case.subject.app))
    if not hosts:
        return
    if isinstance(tenant.unresolved_hosts, Unknown):
        yield unknown("F7", about_app(app), tenant.unresolved_hosts)
        return
    private = {host for host in hosts if is_private(host, tenant.private_zones)}
    gone = (hosts - private) & tenant.unresolved_hosts.value
    if gone:
        says = "Nobody answers at a redirect: whoever claims its name gets the codes."
        yield fails("F7", about_app(app), Severity.HIGH, says, ("hosts", listed(gone)))
    elif private or hosts & tenant.unanswered_hosts:
        reason = "private-zone" if private else "name-server-did-not-answer"
        yield unknown("F7", about_app(app), Unknown(reason))


def _unverified(case: InTenant) -> Iterator[Finding]:
    app, tenant = case.subject.app, case.subject.tenant
    one = _without_registration(app)
    if one is None or is_microsofts(app) or one.owner_tenant in ("", tenant.tenant_id) or one.verified_publisher:
        return
    granted, missing = False, []
    for source in (app.app_roles, app.delegated_scopes):
        if isinstance(source, Unknown):
            missing.append(source)
        else:
            granted = granted or bool(source.value)
    if not granted and missing:
        yield unknown("F9", about_app(app), missing[0])
    elif granted and not tenant.tenant_id:
        yield unknown("F9", about_app(app), Unknown("own-tenant-not-known"))
    elif granted:
        says = "Somebody unverified in another tenant has permissions here."
        yield fails("F9", about_app(app), Severity.MEDIUM, says, ("owner tenant", one.owner_tenant))


def _without_registration(app: App) -> ServicePrincipal | None:
    """The principal, where it is an ordinary one and its registration is not here."""
    one = app.principal
    if app.application is not None or one is None or one.kind != "Application" or one.is_agent:
        return None
    return one


def _orphaned(case: InTenant) -> Iterator[Finding]:
    app, tenant = case.subject.app, case.subject.tenant
    one = _without_registration(app)
    if one is None or is_microsofts(app) or not one.owner_tenant:
        return
    unread = app.unread_half or (tenant.applications if isinstance(tenant.applications, Unknown) else None)
    if not tenant.tenant_id:
        yield unknown("F11", about_app(app), Unknown("own-tenant-not-known"))
    elif one.owner_tenant == tenant.tenant_id and unread is not None:
        yield unknown("F11", about_app(app), unread)
    elif one.owner_tenant == tenant.tenant_id:
        yield fails("F11", about_app(app), Severity.MEDIUM, "Its registration is gone, and it stayed.")


CHECKS: tuple[Check[AppInTenant], ...] = (
    Check(
        "C15",
        "One certificate for several applications",
        Severity.HIGH,
        "The same thumbprint is listed for another application.",
        "customKeyIdentifier of keyCredentials, of applications and servicePrincipals",
        READ_APPLICATIONS,
        "The customKeyIdentifier of a secret is its description and says nothing",
        ROTATE_CREDENTIAL,
        _shared_certificate,
        baselines=("OWASP NHI8", "OWASP NHI9"),
    ),
    Check(
        "C16",
        "Credential added outside every planned rotation",
        Severity.CRITICAL,
        "The directory audit shows a change of credentials that no rotation expected; high where nothing is tier-0.",
        "GET /auditLogs/directoryAudits: Update application \N{EN DASH} Certificates and secrets management; "
        "Add service principal credentials",
        READ_AUDIT_LOG,
        "Two rows are one change; the name has an en dash; applications and first credentials count too",
        REMOVE_CREDENTIAL + ". Treat it as an incident",
        _unexpected_change,
        baselines=("OWASP NHI2", "MITRE T1098.001"),
    ),
    Check(
        "D3",
        "Trusts a strange issuer, or an identity that is gone",
        Severity.HIGH,
        "The issuer is not on the list, or the managed identity is not in this tenant.",
        "GET /beta/applications/{object_id}/federatedIdentityCredentials; servicePrincipals",
        READ_APPLICATIONS,
        "The list is a setting: add the issuers of your own servers",
        "DELETE /applications/{object_id}/federatedIdentityCredentials/{key_id}; note issuer, subject and audiences to "
        "bring it back",
        _strange_issuer,
        ("trusted_issuers",),
        ("OWASP NHI6",),
    ),
    Check(
        "F7",
        "Nobody answers at a redirect",
        Severity.HIGH,
        "The host of a redirect does not resolve, or can be claimed by anybody.",
        "web.redirectUris, spa.redirectUris; the public name system",
        READ_APPLICATIONS,
        "Private zones and split-horizon names are not known outside: unknown, never dangling",
        'PATCH /applications/{object_id} {"web": {"redirectUris": […]}} without it; the old list takes it back',
        _dangling_redirect,
        baselines=("OWASP NHI6",),
    ),
    Check(
        "F9",
        "Unverified publisher from another tenant",
        Severity.MEDIUM,
        "An application of another tenant without a verified publisher holds permissions.",
        "verifiedPublisher, appOwnerOrganizationId; appRoleAssignedTo; oauth2PermissionGrants",
        READ_APPLICATIONS,
        "A partner's private application is never verified: classify it",
        'PATCH /servicePrincipals/{principal_id} {"accountEnabled": false}; the same call with true takes it back',
        _unverified,
        baselines=("OWASP NHI3",),
    ),
    Check(
        "F11",
        "Its registration is gone",
        Severity.MEDIUM,
        "A principal of this tenant whose application does not exist any more.",
        "servicePrincipals and applications, joined by appId",
        READ_APPLICATIONS,
        "Managed identities, agent identities and the legacy type never had one",
        "DELETE /servicePrincipals/{object_id}; POST /directory/deletedItems/{object_id}/restore within 30 days",
        _orphaned,
        baselines=("OWASP NHI1",),
    ),
)
