"""Made-up applications, principals and credentials, in order until told otherwise, and what the checks say of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeAlias

from shared.domain.posture.catalogue import judge_app, judge_tenant
from shared.domain.posture.checks.tier_zero import GRAPH
from shared.domain.posture.estate_facts import Policy, Tenant
from shared.domain.posture.finding import Finding, Verdict
from shared.domain.posture.inventory import (
    App,
    Application,
    AppRole,
    Credential,
    CredentialKind,
    FederatedCredential,
    Known,
    Owner,
    OwnerKind,
    ServicePrincipal,
    Unknown,
)
from shared.domain.posture.limits import Limits

Changed: TypeAlias = Any
"""A value for any field of the record that a builder makes."""
Days: TypeAlias = float | None
Uses: TypeAlias = Mapping[str, float] | None
Fields: TypeAlias = dict[str, Any]
Used: TypeAlias = Known[datetime | None] | Unknown
Roles: TypeAlias = Known[tuple[AppRole, ...]] | Unknown
Names: TypeAlias = Known[tuple[str, ...]] | Unknown
Owners: TypeAlias = Known[tuple[Owner, ...]] | Unknown

AT = datetime(2026, 9, 1, 6, tzinfo=UTC)
HOME = "11111111-0000-4000-8000-000000000001"
PARTNER = "22222222-0000-4000-8000-000000000002"
MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
NOT_READ = Unknown("graph-403")
GITHUB = "https://token.actions.githubusercontent.com"
ENTRA = f"https://login.microsoftonline.com/{HOME}/v2.0"
OBJECT, PRINCIPAL = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000001"
IDENTITY = "dddddddd-0000-4000-8000-000000000001"
TAKE_OVER = AppRole(GRAPH, "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8")
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
TENANT = Tenant(
    HOME,
    "Contoso",
    applications=Known(1),
    policy=Known(Policy(True, 181, 366, blocks_custom_secrets=True)),
    shared_thumbprints=Known({}),
    live_principals=Known(frozenset({IDENTITY, PRINCIPAL})),
    unresolved_hosts=Known(frozenset()),
    credential_changes=Known({}),
)


def ago(days: float) -> datetime:
    return AT - timedelta(days=days)


def ahead(days: float) -> datetime:
    return AT + timedelta(days=days)


def secret(
    key_id: str = "secret-1", starts: float | None = 20, ends: float | None = 100, **more: Changed
) -> Credential:
    """Issued so many days ago, for so many days from now."""
    dates = (None if starts is None else ago(starts), None if ends is None else ahead(ends))
    return Credential(key_id, CredentialKind.SECRET, "by hand", *dates, **more)


def certificate(
    key_id: str = "cert-1", starts: float | None = 20, ends: float | None = 100, **more: Changed
) -> Credential:
    good: Fields = {"usages": frozenset({"Verify"}), "key_bits": 2048, "signature_algorithm": "sha256WithRSAEncryption"}
    good["thumbprint"] = key_id
    return replace(secret(key_id, starts, ends), kind=CredentialKind.CERTIFICATE, **(good | more))


def signing(key_id: str = "sign-1", usages: tuple[str, ...] = ("Sign", "Verify"), **more: Changed) -> Credential:
    saml: Fields = {"usages": frozenset(usages), "thumbprint": "saml"}
    return certificate(key_id, 700, 395, **(saml | more))


def person(object_id: str = "ada", **more: Changed) -> Owner:
    alive: Fields = {"kind": OwnerKind.USER, "name": object_id, "enabled": True, "has_mfa": True}
    return Owner(object_id, **(alive | more))


def machine(object_id: str = "pipeline", **more: Changed) -> Owner:
    return person(object_id, kind=OwnerKind.SERVICE_PRINCIPAL, **more)


def group(object_id: str = "team", members: int | None = 3) -> Owner:
    return person(object_id, kind=OwnerKind.GROUP, enabled=None, members=members)


def trust(subject: str = "", issuer: str = GITHUB, name: str = "deploy", expression: str = "") -> FederatedCredential:
    return FederatedCredential(name, issuer, subject, expression, ("api://AzureADTokenExchange",))


def application(**more: Changed) -> Application:
    healthy: Fields = {
        "object_id": OBJECT,
        "app_id": "app-1",
        "name": "payroll",
        "created_at": ago(900),
        "web_redirects": ("https://payroll.contoso.example/signed-in",),
        "locked": True,
        "owner_count": 2,
        "federated_count": 0,
    }
    return Application(**(healthy | more))


def principal(**more: Changed) -> ServicePrincipal:
    healthy: Fields = {
        "object_id": PRINCIPAL,
        "app_id": "app-1",
        "name": "payroll",
        "created_at": ago(900),
        "owner_tenant": HOME,
        "owner_count": 2,
    }
    return ServicePrincipal(**(healthy | more))


READ: Fields = {
    "last_used_at": Known(ago(1)),
    "credential_uses": Known({}),
    "owners": Known((person(), person("grace"))),
    "sponsors": Known((person(),)),
    "federated": Known(()),
    "app_roles": Known(()),
    "directory_roles": Known(()),
    "delegated_scopes": Known(frozenset()),
    "agent_worked_at": Known(None),
}
ORDINARY = App("app-1", application(), principal(), **READ)


def app(of_application: Fields | None = None, of_principal: Fields | None = None, **more: Changed) -> App:
    """The ordinary application, but for what is said."""
    both: Fields = {
        "application": application(**(of_application or {})),
        "principal": principal(**(of_principal or {})),
    }
    return replace(ORDINARY, **(both | more))


def used(days_ago: Uses = MappingProxyType({})) -> Known[Mapping[str, datetime]] | Unknown:
    """When each key was used last; `None` when that was not read."""
    return NOT_READ if days_ago is None else Known({key: ago(days) for key, days in days_ago.items()})


def holding(*credentials: Credential, **more: Changed) -> App:
    return app({"credentials": credentials}, **more)


def trusting(*trusts: FederatedCredential, **more: Changed) -> App:
    return app({"federated_count": len(trusts)}, federated=Known(trusts), **more)


def foreign(**more: Changed) -> App:
    """An application of a partner, of which only the principal is here."""
    here = {"owner_tenant": PARTNER, "verified_publisher": "Fabrikam"} | more.pop("of_principal", {})
    return app(of_principal=here, **({"application": None} | more))


def managed_identity(**more: Changed) -> App:
    return foreign(of_principal={"kind": "ManagedIdentity", "owner_tenant": "", "owner_count": 0}, **more)


def microsofts(**more: Changed) -> App:
    return foreign(of_principal={"owner_tenant": MICROSOFT, "owner_count": 0} | more.pop("of_principal", {}), **more)


def agent(**more: Changed) -> App:
    here = {"kind": "ServiceIdentity", "blueprint_id": "app-9", "owner_tenant": HOME} | more.pop("of_principal", {})
    return foreign(of_principal=here, **more)


def findings(one: App, *check_ids: str, tenant: Tenant = TENANT, limits: Limits | None = None) -> tuple[Finding, ...]:
    """What these checks find, or all of them."""
    found = judge_app(one, AT, limits or Limits(), tenant)
    return tuple(finding for finding in found if not check_ids or finding.check_id in check_ids)


def said(one: App, check_id: str, *, tenant: Tenant = TENANT, limits: Limits | None = None) -> list[str]:
    """How severe each finding of this check is, or `unknown`."""
    return [_word(finding) for finding in findings(one, check_id, tenant=tenant, limits=limits)]


def keys(one: App, check_id: str, tenant: Tenant = TENANT) -> list[str]:
    """Which credentials the failures of this check are about."""
    return [one.about.key_id for one in findings(one, check_id, tenant=tenant) if one.verdict is Verdict.FAIL]


def said_of_tenant(tenant: Tenant, limits: Limits | None = None) -> list[str]:
    return [_word(finding) for finding in judge_tenant(tenant, AT, limits or Limits())]


def _word(finding: Finding) -> str:
    return "unknown" if finding.verdict is Verdict.UNKNOWN else finding.severity.word
