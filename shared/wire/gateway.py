"""The gateway's JSON in our words. Lists may be `null`, and durations of reviews are nanoseconds.

Shapes: the gateway's published OpenAPI document, corrected by what its code does.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.domain.gateway import GatewayIdentity, Holdings, IdentityKind, IdentityRef, Review, ReviewType, Session
from shared.domain.reach import AccessPolicy, ApprovalRule
from shared.errors import RetryLaterError

Strings = list[str] | None
LIVE = ("open", "ready")
# What the gateway writes when it is told to kill a session whose stream is not in that process's memory.
UNKNOWN_EXIT = -100


class LenientBody(BaseModel):
    """What a vendor sends, whatever it adds."""

    model_config = ConfigDict(extra="ignore")


class UserBody(LenientBody):
    """A gateway user. Only what we read; writes carry the whole original object."""

    id: str
    email: str | None = ""
    name: str | None = ""
    status: str | None = "inactive"
    groups: Strings = None


class ServiceAccountBody(LenientBody):
    """A service account; `subject` is the object id of its service principal."""

    subject: str
    name: str | None = ""
    status: str | None = "inactive"
    groups: Strings = None


class KeyBody(LenientBody):
    """An API key or an AI agent."""

    id: str
    name: str
    status: str | None = "revoked"
    groups: Strings = None
    created_by: str | None = ""


class MachineIdentityBody(LenientBody):
    """A machine identity: no status, only connections and attributes."""

    id: str
    name: str
    connection_names: Strings = None
    attributes: Strings = None


class _ReviewBody(LenientBody):
    id: str
    type: str
    status: str
    revoke_at: datetime | None = None


class SessionBody(LenientBody):
    """A session row; live means not ended *and* open or ready."""

    id: str
    connection: str | None = ""
    user_id: str | None = ""
    machine_identity_id: str | None = None
    status: str | None = "done"
    start_date: datetime | None = None
    end_date: datetime | None = None
    exit_code: int | None = None
    review: _ReviewBody | None = None

    def belongs_to(self, session_user: str) -> bool:
        """Whether it is really this identity's: the gateway's own filter is a LIKE."""
        return session_user in (self.user_id, self.machine_identity_id)


class _ConnectionBody(LenientBody):
    id: str
    name: str
    reviewers: Strings = None
    attributes: Strings = None


class _PluginConnection(LenientBody):
    connection_id: str | None = None
    id: str | None = None
    name: str | None = None
    config: Strings = None


class _PluginBody(LenientBody):
    connections: list[_PluginConnection] | None = None


class _AttributeBody(LenientBody):
    name: str
    access_control_group_names: Strings = None
    connection_names: Strings = None


class _RuleBody(LenientBody):
    connection_names: Strings = None
    attributes: Strings = None
    approval_required_groups: Strings = None
    skip_review_groups: Strings = None
    reviewers_groups: Strings = None


class _AuthConfigBody(LenientBody):
    admin_role_name: str | None = None
    auditor_role_name: str | None = None


class PolicyDocuments(LenientBody):
    """What has to be read to know who reaches what; `access_control` is `None` when it is not installed."""

    connections: list[_ConnectionBody] | None = None
    access_control: _PluginBody | None = None
    attributes: list[_AttributeBody] | None = None
    rules: list[_RuleBody] | None = None
    auth: _AuthConfigBody = Field(default_factory=_AuthConfigBody)


_Body = TypeVar("_Body", bound=BaseModel)


def parse_list(body: type[_Body], document: object) -> list[_Body]:
    """A list of bodies; `null` is an empty one. Nonsense is a reason to ask again."""
    try:
        return TypeAdapter(list[body]).validate_python([] if document is None else document)  # type: ignore[valid-type]
    except ValidationError as error:
        raise _nonsense(body, error) from error


def parse_one(body: type[_Body], document: object) -> _Body:
    """One body. Nonsense is a reason to ask again."""
    try:
        return body.model_validate(document)
    except ValidationError as error:
        raise _nonsense(body, error) from error


def _nonsense(body: type[BaseModel], error: ValidationError) -> RetryLaterError:
    return RetryLaterError("gateway-answered-nonsense", f"{body.__name__}: {error.error_count()} fields are wrong")


def user(body: UserBody) -> GatewayIdentity:
    """A user; its id in the API is its subject."""
    ref = IdentityRef(IdentityKind.USER, body.id)
    return GatewayIdentity(ref, body.id, body.name or "", body.status or "", _set(body.groups), body.email or "")


def service_account(body: ServiceAccountBody) -> GatewayIdentity:
    """A service account."""
    ref = IdentityRef(IdentityKind.SERVICE_ACCOUNT, body.subject)
    return GatewayIdentity(ref, body.subject, body.name or "", body.status or "", _set(body.groups))


def key(body: KeyBody, kind: IdentityKind) -> GatewayIdentity:
    """An API key or AI agent."""
    ref = IdentityRef(kind, body.id)
    return GatewayIdentity(
        ref, body.id, body.name, body.status or "", _set(body.groups), created_by=body.created_by or ""
    )


def machine_identity(body: MachineIdentityBody) -> GatewayIdentity:
    """A machine identity, addressed by name."""
    ref = IdentityRef(IdentityKind.MACHINE_IDENTITY, body.name)
    connections, attributes = _set(body.connection_names), _set(body.attributes)
    status = "active" if connections or attributes else "inactive"
    return GatewayIdentity(ref, body.id, body.name, status, connections=connections, attributes=attributes)


def holdings(rows: Iterable[SessionBody]) -> Holdings:
    """The live sessions and the reviews with effect among some rows, each once."""
    sessions: dict[str, Session] = {}
    reviews: dict[str, Review] = {}
    unproven: set[str] = set()
    for row in rows:
        if row.end_date is None and row.status in LIVE:
            sessions[row.id] = Session(row.id, row.connection or "")
        if row.review is not None and row.review.status in ("PENDING", "APPROVED"):
            reviews[row.review.id] = _review(row, row.review)
        if row.end_date is not None and row.exit_code == UNKNOWN_EXIT:
            unproven.add(row.id)
    return Holdings(tuple(sessions.values()), tuple(reviews.values()), frozenset(unproven))


def _review(row: SessionBody, body: _ReviewBody) -> Review:
    kind = ReviewType.ONETIME if body.type == ReviewType.ONETIME else ReviewType.JIT
    return Review(body.id, row.id, row.connection or "", kind, body.status == "PENDING", body.revoke_at)


def access_policy(documents: PolicyDocuments) -> AccessPolicy:
    """Who reaches what."""
    connections = documents.connections or []
    names = {connection.id: connection.name for connection in connections}
    plugin = documents.access_control
    attributes_of: dict[str, frozenset[str]] = {c.name: _set(c.attributes) for c in connections}
    for attribute in documents.attributes or []:
        for name in attribute.connection_names or []:
            attributes_of[name] = attributes_of.get(name, frozenset()) | {attribute.name}
    return AccessPolicy(
        enforced=plugin is not None,
        connections=frozenset(names.values()),
        groups_of_connection=_plugin_groups(plugin, names),
        groups_of_attribute={a.name: _set(a.access_control_group_names) for a in documents.attributes or []},
        attributes_of_connection=attributes_of,
        reviewed_connections=frozenset(c.name for c in connections if c.reviewers),
        rules=tuple(_rule(body) for body in documents.rules or []),
        admin_group=documents.auth.admin_role_name or "admin",
        auditor_group=documents.auth.auditor_role_name or "auditor",
        reviewers_of_connection={c.name: _set(c.reviewers) for c in connections if c.reviewers},
    )


def _plugin_groups(plugin: _PluginBody | None, names: Mapping[str, str]) -> dict[str, frozenset[str]]:
    entries = (plugin.connections if plugin else None) or []
    named = ((e.name or names.get(e.connection_id or "") or names.get(e.id or ""), e.config) for e in entries)
    return {name: _set(config) for name, config in named if name}


def _rule(body: _RuleBody) -> ApprovalRule:
    return ApprovalRule(
        _set(body.connection_names),
        _set(body.attributes),
        _set(body.approval_required_groups),
        _set(body.skip_review_groups),
        _set(body.reviewers_groups),
    )


def _set(names: Strings) -> frozenset[str]:
    return frozenset(names or ())
