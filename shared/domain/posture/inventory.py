"""Inventory: app registrations, service principals and their credentials, as read from Entra.

What could not be read is `Unknown`, with the reason, and never an empty list: an absence is a fact that was read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import wraps
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")

MICROSOFT_TENANTS = frozenset(
    {
        "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "33e01921-4d64-4f8c-a055-5bdaffd5e33d",
    }
)
"""The tenants that own Microsoft's own applications: these, and no display name, say that something is Microsoft's."""


@dataclass(frozen=True, slots=True)
class Known(Generic[Value]):
    """What was read, completely."""

    value: Value


@dataclass(frozen=True, slots=True)
class Unknown:
    """What was not read, or only in part: `reason` is a kebab-case word such as `graph-403` or `no-licence`."""

    reason: str


class CredentialKind(StrEnum):
    """A secret or a certificate; federated credentials hold no secret and are listed apart."""

    SECRET = "secret"  # noqa: S105 - a kind, not a value
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret or certificate, without its value. One certificate listed for several usages is one credential.

    `thumbprint` is Entra's `customKeyIdentifier`; `key_bits` and `signature_algorithm` are known for certificates that
    were read one by one.
    """

    key_id: str
    kind: CredentialKind
    name: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    thumbprint: str = ""
    usages: frozenset[str] = frozenset()
    key_bits: int | None = None
    signature_algorithm: str = ""

    def is_live(self, at: datetime) -> bool:
        """Whether it opens the door; one without an end always does."""
        return self.ends_at is None or at < self.ends_at


@dataclass(frozen=True, slots=True)
class FederatedCredential:
    """A trust in somebody else's tokens; `subject` or `expression` says whose."""

    name: str
    issuer: str
    subject: str = ""
    expression: str = ""
    audiences: tuple[str, ...] = ()


class OwnerKind(StrEnum):
    """Who can own an application."""

    USER = "user"
    SERVICE_PRINCIPAL = "service-principal"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner or sponsor. `enabled` is `None` when nobody said; `members` counts a sponsor group's."""

    object_id: str
    kind: OwnerKind
    name: str = ""
    enabled: bool | None = None
    is_guest: bool = False
    has_mfa: bool | None = None
    home_tenant: str = ""
    members: int | None = None


class Purpose(StrEnum):
    """What Entra's own data says that an application is for, where that explains why it never asks for tokens."""

    ORDINARY = ""
    DEVICE_TRUST = "device-trust"
    CLOUD_SYNC = "cloud-sync"
    OFFICE_ADD_IN = "office-add-in"


@dataclass(frozen=True, slots=True)
class Application:
    """An app registration of this tenant; `locked` is the instance property lock, and `None` when none was configured.

    `implicit_grant` speaks of access tokens: id tokens alone belong to the hybrid flow. `exposes_api` says that it
    offers scopes or app roles. `owner_count` and `federated_count` are `None` when they were not read.
    """

    object_id: str
    app_id: str
    name: str
    created_at: datetime | None = None
    audience: str = "AzureADMyOrg"
    disabled: bool = False
    disabled_by_microsoft: bool = False
    is_blueprint: bool = False
    credentials: tuple[Credential, ...] = ()
    web_redirects: tuple[str, ...] = ()
    spa_redirects: tuple[str, ...] = ()
    implicit_grant: bool = False
    public_client: bool = False
    locked: bool | None = None
    exposes_api: bool = False
    purpose: Purpose = Purpose.ORDINARY
    owner_count: int | None = None
    federated_count: int | None = None


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """A service principal: of an application here or elsewhere, a managed identity, or an agent identity."""

    object_id: str
    app_id: str
    name: str
    kind: str = "Application"
    created_at: datetime | None = None
    owner_tenant: str = ""
    enabled: bool = True
    disabled_by_microsoft: bool = False
    blueprint_id: str = ""
    is_blueprint: bool = False
    credentials: tuple[Credential, ...] = ()
    single_sign_on: str = ""
    tags: frozenset[str] = frozenset()
    assignment_required: bool = False
    verified_publisher: str = ""
    owner_count: int | None = None

    @property
    def is_microsofts(self) -> bool:
        """Whether Microsoft owns the application, by tenant and never by name."""
        return self.owner_tenant in MICROSOFT_TENANTS

    @property
    def is_agent(self) -> bool:
        """Whether it is an agent identity: a principal with a blueprint."""
        return bool(self.blueprint_id)


@dataclass(frozen=True, slots=True)
class AppRole:
    """An application permission that was granted: the resource's app id and the role's id, never its name alone."""

    resource_app_id: str
    role_id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class App:
    """One application in this tenant: its registration, its service principal, or both, joined by app id.

    `last_used_at` holds the newest sign-in as client or resource, `credential_uses` the last use of each key id.
    `agent_worked_at` is the last day in the log on which it signed in as an agent.
    `unread_half` says why a registration or principal that is `None` may exist all the same. `remembered` keeps what
    was worked out of all this, by name.
    """

    app_id: str
    application: Application | None = None
    principal: ServicePrincipal | None = None
    last_used_at: Known[datetime | None] | Unknown = field(default_factory=lambda: Unknown("not-read"))
    credential_uses: Known[Mapping[str, datetime]] | Unknown = field(default_factory=lambda: Unknown("not-read"))
    owners: Known[tuple[Owner, ...]] | Unknown = field(default_factory=lambda: Unknown("not-read"))
    sponsors: Known[tuple[Owner, ...]] | Unknown = field(default_factory=lambda: Unknown("not-read"))
    federated: Known[tuple[FederatedCredential, ...]] | Unknown = field(default_factory=lambda: Unknown("not-read"))
    app_roles: Known[tuple[AppRole, ...]] | Unknown = field(default_factory=lambda: Unknown("not-read"))
    directory_roles: Known[tuple[str, ...]] | Unknown = field(default_factory=lambda: Unknown("not-read"))
    delegated_scopes: Known[frozenset[str]] | Unknown = field(default_factory=lambda: Unknown("not-read"))
    unread_half: Unknown | None = None
    agent_worked_at: Known[datetime | None] | Unknown = field(default_factory=lambda: Unknown("not-read"))
    remembered: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def object_id(self) -> str:
        """The registration's object id, or else the principal's: what a finding is about."""
        if self.application is not None:
            return self.application.object_id
        return self.principal.object_id if self.principal is not None else ""

    @property
    def name(self) -> str:
        """What people call it; chosen by whoever made it, and hostile."""
        known = self.application or self.principal
        return known.name if known is not None else self.app_id

    @property
    def created_at(self) -> datetime | None:
        """When the older of both was made, as far as Entra says."""
        known = [one.created_at for one in (self.application, self.principal) if one is not None]
        return min((at for at in known if at is not None), default=None)

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """Every secret and certificate, of the registration and of the principal, each key once."""
        both = [one.credentials for one in (self.application, self.principal) if one is not None]
        return tuple({credential.key_id: credential for some in both for credential in some}.values())


def once(trait: Callable[[App], Value]) -> Callable[[App], Value]:
    """The same, worked out once for each application, because one check after the other asks for it."""
    name = trait.__qualname__

    @wraps(trait)
    def remembering(app: App) -> Value:
        try:
            value: Value = app.remembered[name]
        except KeyError:
            value = app.remembered[name] = trait(app)
        return value

    return remembering
