"""Exposure: who may sign in to it, where answers go, and what it calls itself."""

from collections.abc import Iterator

from shared.domain.posture.check import Case, Check, about_app, unknown
from shared.domain.posture.checks.appearance import looks_like_microsoft
from shared.domain.posture.checks.redirects import host_of, is_loopback, is_open_http, redirects
from shared.domain.posture.checks.saying import READ_APPLICATIONS, fails, listed
from shared.domain.posture.checks.traits import is_managed_identity, is_microsofts, opens_doors
from shared.domain.posture.finding import Finding, Severity
from shared.domain.posture.inventory import App, Unknown

SINGLE_TENANT = "AzureADMyOrg"
PATCH_REDIRECTS = (
    'PATCH /applications/{object_id} {"web": {"redirectUris": […]}, "spa": {"redirectUris": […]}} without it; '
    "the old list in the same call takes it back"
)
SWITCH_OFF = 'PATCH /servicePrincipals/{principal_id} {"accountEnabled": false}; the same call with true takes it back'


def _multi_tenant(case: Case[App]) -> Iterator[Finding]:
    app, one = case.subject, case.subject.application
    is_product = app.principal is not None and bool(app.principal.verified_publisher)
    if one is not None and one.audience != SINGLE_TENANT and not is_product:
        says = "Every tenant can sign in to it."
        yield fails("F1", about_app(app), Severity.MEDIUM, says, ("audience", one.audience))


def _unlocked(case: Case[App]) -> Iterator[Finding]:
    one = case.subject.application
    if one is not None and one.audience != SINGLE_TENANT and not one.locked:
        says = "Its instances in other tenants can be given credentials that act in its name."
        yield fails("F2", about_app(case.subject), Severity.HIGH, says)


def _implicit_grant(case: Case[App]) -> Iterator[Finding]:
    one = case.subject.application
    if one is not None and one.implicit_grant:
        says = "It gets access tokens through the address bar."
        yield fails("F3", about_app(case.subject), Severity.MEDIUM, says)


def _open_http(case: Case[App]) -> Iterator[Finding]:
    bad = [uri for uri in redirects(case.subject) if is_open_http(uri)]
    if bad:
        says = "Codes and tokens travel unencrypted."
        yield fails("F4", about_app(case.subject), Severity.HIGH, says, ("redirects", listed(bad)))


def _wildcard(case: Case[App]) -> Iterator[Finding]:
    bad = [uri for uri in redirects(case.subject) if "*" in uri]
    if bad:
        says = "Codes and tokens go wherever a wildcard allows."
        yield fails("F5", about_app(case.subject), Severity.HIGH, says, ("redirects", listed(bad)))


def _loopback_in_production(case: Case[App]) -> Iterator[Finding]:
    one = case.subject.application
    local = [uri for uri in one.web_redirects if is_loopback(uri)] if one is not None else []
    if local and any(host_of(uri) and not is_loopback(uri) for uri in redirects(case.subject)):
        says = "Whatever listens on a person's own machine gets its codes."
        yield fails("F6", about_app(case.subject), Severity.LOW, says, ("redirects", listed(local)))


def _public_client(case: Case[App]) -> Iterator[Finding]:
    one = case.subject.application
    if one is not None and one.public_client:
        severity = Severity.HIGH if opens_doors(case.subject, case.at) else Severity.MEDIUM
        says = "It hands tokens to clients that prove nothing about themselves."
        yield fails("F8", about_app(case.subject), severity, says)


def _impersonating(case: Case[App]) -> Iterator[Finding]:
    app, about = case.subject, about_app(case.subject)
    names = {one.name for one in (app.application, app.principal) if one is not None}
    if is_microsofts(app) or is_managed_identity(app) or not any(looks_like_microsoft(name) for name in names):
        return
    if app.application is not None:
        yield fails("F10", about, Severity.MEDIUM, "It is called as if it were Microsoft's, and it is ours.")
    elif app.principal is not None and app.principal.owner_tenant:
        says = "It is called as if it were Microsoft's, and it is not."
        yield fails("F10", about, Severity.HIGH, says, ("owner tenant", app.principal.owner_tenant))
    else:
        yield unknown("F10", about, Unknown("owner-tenant-not-known"))


CHECKS: tuple[Check[App], ...] = (
    Check(
        "F1",
        "Every tenant can sign in",
        Severity.MEDIUM,
        "signInAudience is not AzureADMyOrg.",
        "signInAudience",
        READ_APPLICATIONS,
        "A product is meant to: one with a verified publisher is left out",
        'PATCH /applications/{object_id} {"signInAudience": "AzureADMyOrg"}; the old value takes it back',
        _multi_tenant,
        baselines=("OWASP NHI3",),
    ),
    Check(
        "F2",
        "Instances are not locked",
        Severity.HIGH,
        "Multi-tenant, and servicePrincipalLockConfiguration is missing or off.",
        "servicePrincipalLockConfiguration, signInAudience",
        READ_APPLICATIONS,
        "The app management policy is something else and does not replace the lock",
        'PATCH /applications/{object_id} {"servicePrincipalLockConfiguration": {"isEnabled": true, '
        '"allProperties": true}}; isEnabled false takes it back',
        _unlocked,
        baselines=("OWASP NHI3",),
    ),
    Check(
        "F3",
        "Access tokens through the address bar",
        Severity.MEDIUM,
        "enableAccessTokenIssuance is true.",
        "web.implicitGrantSettings",
        READ_APPLICATIONS,
        "The hybrid flow issues id tokens only and is left out",
        'PATCH /applications/{object_id} {"web": {"implicitGrantSettings": {"enableAccessTokenIssuance": false}}}; '
        "true takes it back",
        _implicit_grant,
        baselines=("OWASP NHI4",),
    ),
    Check(
        "F4",
        "Unencrypted redirect",
        Severity.HIGH,
        "A web or single-page redirect is http and not a loopback address.",
        "web.redirectUris, spa.redirectUris",
        READ_APPLICATIONS,
        "Loopback addresses never leave the machine",
        PATCH_REDIRECTS,
        _open_http,
        baselines=("OWASP NHI4",),
    ),
    Check(
        "F5",
        "Redirect with a wildcard",
        Severity.HIGH,
        "A web or single-page redirect contains a star.",
        "web.redirectUris, spa.redirectUris",
        READ_APPLICATIONS,
        "None known",
        PATCH_REDIRECTS,
        _wildcard,
        baselines=("OWASP NHI4",),
    ),
    Check(
        "F6",
        "Loopback redirect in production",
        Severity.LOW,
        "A web redirect is a loopback address, beside one that is not.",
        "web.redirectUris",
        READ_APPLICATIONS,
        "An application with nothing but loopback redirects is under development; for public clients they are normal",
        PATCH_REDIRECTS,
        _loopback_in_production,
        baselines=("OWASP NHI4",),
    ),
    Check(
        "F8",
        "Public client flows are allowed",
        Severity.MEDIUM,
        "isFallbackPublicClient is true; high when it has a live credential too.",
        "isFallbackPublicClient",
        READ_APPLICATIONS,
        "Command lines that sign in by device code need it: accept them",
        'PATCH /applications/{object_id} {"isFallbackPublicClient": false}; true takes it back',
        _public_client,
        baselines=("OWASP NHI4",),
    ),
    Check(
        "F10",
        "Called as if it were Microsoft's",
        Severity.HIGH,
        "A name that looks like a Microsoft product, and an owner that is not a Microsoft tenant; medium for our own.",
        "displayName, appOwnerOrganizationId",
        READ_APPLICATIONS,
        "The owner's tenant decides, never the name: Microsoft's own applications keep theirs",
        SWITCH_OFF,
        _impersonating,
        baselines=("OWASP NHI3",),
    ),
)
