"""Traits: what an application is, as the checks ask for it. What is not known stays `Unknown`."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.posture.check import Case, about_app
from shared.domain.posture.checks.tier_zero import (
    DIRECTORY_ROLES,
    GRAPH,
    HARMLESS_DIRECTORY_ROLES,
    TIER_ZERO,
)
from shared.domain.posture.finding import About, ObjectKind
from shared.domain.posture.inventory import (
    App,
    Credential,
    CredentialKind,
    FederatedCredential,
    Known,
    Owner,
    OwnerKind,
    Purpose,
    Unknown,
    once,
)

NOTHING: Known[tuple[str, ...]] = Known(())
MODES_WITH_TOKENS = frozenset({"", "oidc", "notsupported"})
APP_PROXY_TAG = "WindowsAzureActiveDirectoryOnPremApp"
TAGS_WITHOUT_TOKENS = frozenset({APP_PROXY_TAG, "WindowsAzureActiveDirectoryCustomSingleSignOnApplication"})
PROXY_SECRET = "CWAP_AuthSecret"  # noqa: S105 - how Microsoft names it
SYNC_APPLICATION = "ConnectSyncProvisioning_"
SYNC_CERTIFICATES = ("CN=Entra Connect Sync Provisioning", SYNC_APPLICATION)
DEVICE_CERTIFICATE = "CN=MS-Organization-P2P-Access ["


@dataclass(frozen=True, slots=True)
class Held:
    """A credential and the object that holds it."""

    about: About
    credential: Credential


@once
def is_microsofts(app: App) -> bool:
    """Whether Microsoft owns it; its owners, uses and credentials are not ours to judge."""
    return app.principal is not None and app.principal.is_microsofts


def is_managed_identity(app: App) -> bool:
    """Whether Azure keeps it: its credentials are renewed by the platform and it has no owners."""
    return app.principal is not None and app.principal.kind == "ManagedIdentity"


def is_agent(app: App) -> bool:
    """Whether it is an agent identity, which has sponsors and a blueprint instead of owners and credentials."""
    return app.principal is not None and app.principal.is_agent


def is_blueprint(app: App) -> bool:
    """Whether agent identities are made from it."""
    return app.application is not None and app.application.is_blueprint


def is_switched_off(app: App) -> bool:
    """Whether somebody closed it, here or in every tenant."""
    off = app.application is not None and (app.application.disabled or app.application.disabled_by_microsoft)
    return off or (app.principal is not None and (not app.principal.enabled or app.principal.disabled_by_microsoft))


def is_device_trust(app: App) -> bool:
    """Whether it is "P2P Server", which Entra makes when the first device joins, without owners, and keeps itself."""
    return app.application is not None and app.application.purpose is Purpose.DEVICE_TRUST


def is_owned(app: App) -> bool:
    """Whether people of this tenant can own it."""
    return not (is_microsofts(app) or is_managed_identity(app) or is_agent(app) or is_device_trust(app))


def needs_no_tokens(app: App) -> bool:
    """Whether it is in use without ever asking for a token, by the way it signs on or by what it is for.

    An add-in is asked for by Office; one that holds a credential asks for tokens of its own.
    """
    if signs_on_without_tokens(app):
        return True
    purpose = app.application.purpose if app.application is not None else Purpose.ORDINARY
    if purpose is Purpose.OFFICE_ADD_IN:
        return not app.credentials
    return purpose is not Purpose.ORDINARY


def signs_on_without_tokens(app: App) -> bool:
    """Whether people reach it by SAML, password or linked sign-on, or through application proxy."""
    mode = app.principal.single_sign_on.lower() if app.principal is not None else ""
    tags = app.principal.tags if app.principal is not None else frozenset()
    return mode not in MODES_WITH_TOKENS or not tags.isdisjoint(TAGS_WITHOUT_TOKENS)


def is_older(case: Case[App], days: int) -> bool:
    """Whether it was made more than so many days ago; what has no date was made before dates were kept."""
    created = case.subject.created_at
    return created is None or case.days_since(created) > days


def signs_tokens(credential: Credential) -> bool:
    """Whether it signs SAML tokens instead of opening a door."""
    return "Sign" in credential.usages


def uses_app_proxy(app: App) -> bool:
    """Whether people reach it through application proxy, as the tag says that Entra gives its principal."""
    return app.principal is not None and APP_PROXY_TAG in app.principal.tags


def is_connect_sync(app: App) -> bool:
    """Whether it is what Connect Sync makes for a server: of this tenant alone, without a secret or a redirect."""
    made = app.application
    return (
        made is not None
        and made.name.startswith(SYNC_APPLICATION)
        and made.audience == "AzureADMyOrg"
        and not (made.web_redirects or made.spa_redirects or made.public_client or made.exposes_api)
        and all(one.kind is CredentialKind.CERTIFICATE for one in app.credentials)
    )


def renews_itself(app: App, credential: Credential) -> bool:
    """Whether Microsoft renews it: its name, its kind and what holds it agree, as anybody can choose a name.

    People can copy all of it with effort: it excuses untidiness, never danger.
    """
    if signs_tokens(credential):
        return False
    if credential.kind is CredentialKind.SECRET:
        return credential.name.startswith(PROXY_SECRET) and uses_app_proxy(app)
    if credential.name.startswith(SYNC_CERTIFICATES):
        return is_connect_sync(app)
    return credential.name.startswith(DEVICE_CERTIFICATE) and is_device_trust(app)


@once
def held(app: App) -> tuple[Held, ...]:
    """Every credential that people here keep, each once, with the object that holds it."""
    if is_microsofts(app) or is_managed_identity(app):
        return ()
    return held_by_application(app) + held_by_principal(app)


@once
def held_by_application(app: App) -> tuple[Held, ...]:
    """The credentials of the registration."""
    if app.application is None or not app.application.credentials:
        return ()
    return tuple(Held(about_app(app, one.key_id), one) for one in each_once(app.application.credentials))


@once
def held_by_principal(app: App) -> tuple[Held, ...]:
    """The credentials of the principal, which portals do not show."""
    if app.principal is None or not app.principal.credentials:
        return ()
    kind = ObjectKind.AGENT_IDENTITY if app.principal.is_agent else ObjectKind.SERVICE_PRINCIPAL
    object_id, name = app.principal.object_id, app.principal.name
    found = each_once(app.principal.credentials)
    return tuple(Held(About(kind, object_id, name, one.key_id, app.app_id), one) for one in found)


def each_once(credentials: tuple[Credential, ...]) -> tuple[Credential, ...]:
    """One for each certificate, whatever its usages, and none for the password that guards a signing certificate."""
    if len(credentials) == 1 and credentials[0].kind is CredentialKind.CERTIFICATE:
        return credentials
    signing = {mark for one in credentials if signs_tokens(one) for mark in (one.key_id, one.thumbprint) if mark}
    found: dict[tuple[CredentialKind, str], Credential] = {}
    for one in sorted(credentials, key=_order):
        if one.kind is CredentialKind.SECRET and not signing.isdisjoint({one.key_id, one.thumbprint}):
            continue
        is_certificate = one.kind is CredentialKind.CERTIFICATE
        same = (one.kind, one.thumbprint if is_certificate and one.thumbprint else one.key_id)
        first = found.setdefault(same, one)
        found[same] = replace(first, usages=first.usages | one.usages)
    return tuple(found.values())


def _order(one: Credential) -> tuple[str, ...]:
    dates = (str(one.starts_at), str(one.ends_at))
    return (one.key_id, one.kind, one.name, *dates, one.thumbprint, str(one.key_bits), one.signature_algorithm)


def opens_doors(app: App, at: datetime) -> bool:
    """Whether any credential, of either object, is live."""
    return any(one.credential.is_live(at) for one in held(app))


@once
def tier_zero_roles(app: App) -> Known[tuple[str, ...]] | Unknown:
    """Names of the tier-0 application permissions that it was granted."""
    if app.principal is None or is_microsofts(app):
        return NOTHING
    if isinstance(app.app_roles, Unknown):
        return app.app_roles
    if not app.app_roles.value:
        return NOTHING
    ids = {role.role_id.lower() for role in app.app_roles.value if role.resource_app_id.lower() == GRAPH}
    return Known(tuple(sorted(TIER_ZERO[role_id] for role_id in ids if role_id in TIER_ZERO)))


@once
def directory_roles(app: App) -> Known[tuple[str, ...]] | Unknown:
    """Template ids of the directory roles that it holds."""
    if app.principal is None or is_microsofts(app):
        return NOTHING
    if isinstance(app.directory_roles, Unknown):
        return app.directory_roles
    if not app.directory_roles.value:
        return NOTHING
    return Known(tuple(sorted({role.lower() for role in app.directory_roles.value})))


@once
def privileges(app: App) -> Known[tuple[str, ...]] | Unknown:
    """Names of everything that makes it tier-0. `Unknown` only if nothing was seen and something was not read."""
    roles, directory = tier_zero_roles(app), directory_roles(app)
    if roles is directory:
        return roles
    seen = [*roles.value] if isinstance(roles, Known) else []
    if isinstance(directory, Known):
        seen += [DIRECTORY_ROLES.get(one, one) for one in directory.value if one not in HARMLESS_DIRECTORY_ROLES]
    if seen:
        return Known(tuple(sorted(set(seen))))
    missing = [one for one in (roles, directory) if isinstance(one, Unknown)]
    return missing[0] if missing else Known(())


@once
def federated(app: App) -> Known[tuple[FederatedCredential, ...]] | Unknown:
    """Its federated credentials, by name; only a registration has any, and a count of none needs no reading."""
    if app.application is None or app.application.federated_count == 0:
        return Known(())
    if isinstance(app.federated, Unknown):
        return app.federated
    return Known(tuple(sorted(app.federated.value, key=lambda one: (one.name, one.issuer, one.subject))))


@once
def owner_count(app: App) -> Known[int] | Unknown:
    """How many own the registration or the principal; a read list and a count complete each other."""
    counts = [one.owner_count for one in (app.application, app.principal) if one is not None]
    known = [count for count in counts if count is not None]
    if isinstance(app.owners, Known):
        return Known(max(len({owner.object_id for owner in app.owners.value}), *known, 0))
    if len(known) == len(counts) or max(known, default=0) > 1:
        return Known(max(known, default=0))
    return app.owners


def contacts(app: App) -> tuple[str, ...]:
    """Names of who should hear: the owners, or the sponsors of an agent, who can still sign in."""
    people = app.sponsors if is_agent(app) or is_blueprint(app) else app.owners
    if isinstance(people, Unknown):
        return ()
    reachable = [
        one for one in people.value if one.kind is not OwnerKind.SERVICE_PRINCIPAL and one.enabled is not False
    ]
    return tuple(one.name or one.object_id for one in sorted(reachable, key=_by_name))


def _by_name(owner: Owner) -> tuple[str, str]:
    return owner.name, owner.object_id
