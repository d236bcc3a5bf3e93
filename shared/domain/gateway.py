"""The gateway's side: identities that hold grants, their live sessions and their reviews."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class IdentityKind(StrEnum):
    """The gateway's kinds of identity, each with an endpoint of its own."""

    USER = "user"
    SERVICE_ACCOUNT = "service-account"
    AI_AGENT = "ai-agent"
    API_KEY = "api-key"
    MACHINE_IDENTITY = "machine-identity"

    @property
    def is_account(self) -> bool:
        """Whether it has a status and groups that a whole-object write replaces."""
        return self in (IdentityKind.USER, IdentityKind.SERVICE_ACCOUNT)

    @property
    def is_key(self) -> bool:
        """Whether it is a bearer key that can be revoked and reactivated."""
        return self in (IdentityKind.AI_AGENT, IdentityKind.API_KEY)


@dataclass(frozen=True, slots=True, order=True)
class IdentityRef:
    """Which gateway identity: users and service accounts by subject, the others by name or id."""

    kind: IdentityKind
    key: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.key}"


@dataclass(frozen=True, slots=True)
class GatewayIdentity:
    """An identity as the gateway holds it now.

    `session_user` is what its sessions carry as user id. `connections` and `attributes` are a machine identity's only.
    """

    ref: IdentityRef
    session_user: str
    name: str
    status: str
    groups: frozenset[str] = frozenset()
    email: str = ""
    created_by: str = ""
    connections: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        """Whether the gateway would still let it in."""
        if self.ref.kind is IdentityKind.MACHINE_IDENTITY:
            return bool(self.connections or self.attributes)
        if self.ref.kind.is_account:
            return self.status != "inactive" or bool(self.groups)
        return self.status == "active"


@dataclass(frozen=True, slots=True)
class Session:
    """A live use of a grant."""

    session_id: str
    connection: str


class ReviewType(StrEnum):
    """A review grants either a span of time or one execution."""

    JIT = "jit"
    ONETIME = "onetime"


@dataclass(frozen=True, slots=True)
class Review:
    """A question at the gateway that is still open, or was answered with yes and still has effect."""

    review_id: str
    session_id: str
    connection: str
    type: ReviewType
    pending: bool
    revoke_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one identity has running at the gateway: a snapshot to be taken before anything is closed.

    `unproven_ends` are sessions that the gateway marked as ended without having seen their stream end.
    """

    sessions: tuple[Session, ...] = ()
    reviews: tuple[Review, ...] = ()
    unproven_ends: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody who holds access at the gateway, which of them is Tether itself, and how to find them quickly."""

    identities: tuple[GatewayIdentity, ...]
    own_subject: str
    by_ref: Mapping[IdentityRef, tuple[GatewayIdentity, ...]] = field(default_factory=dict, repr=False)
    users_by_email: Mapping[str, tuple[GatewayIdentity, ...]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, identities: Iterable[GatewayIdentity], own_subject: str) -> "Roster":
        """A roster that is indexed by reference and by case-folded e-mail.

        A key answers to its id and its name, a service account to its object id in lower case, too.
        """
        everybody = tuple(identities)
        by_ref: dict[IdentityRef, tuple[GatewayIdentity, ...]] = {}
        by_email: dict[str, tuple[GatewayIdentity, ...]] = {}
        for identity in everybody:
            for ref in (IdentityRef(identity.ref.kind, name) for name in _names(identity)):
                by_ref[ref] = (*by_ref.get(ref, ()), identity)
            if identity.ref.kind is IdentityKind.USER and identity.email:
                email = identity.email.casefold()
                by_email[email] = (*by_email.get(email, ()), identity)
        return cls(everybody, own_subject, by_ref, by_email)

    def active_admins(self, admin_group: str) -> frozenset[IdentityRef]:
        """People and service accounts, other than Tether, who can administer the gateway now."""
        return frozenset(
            identity.ref
            for identity in self.identities
            if identity.ref.kind.is_account
            and identity.status == "active"
            and admin_group in identity.groups
            and identity.ref.key != self.own_subject
        )


def _names(identity: GatewayIdentity) -> frozenset[str]:
    key = identity.ref.key
    if identity.ref.kind is IdentityKind.SERVICE_ACCOUNT:
        return frozenset((key, key.lower()))
    return frozenset((key,) if identity.ref.kind.is_account else (key, identity.name))
