"""Gateway view: what only the gateway knows: who reaches which connection, and which was really opened, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.gateway import GatewayIdentity
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.live_spans import Span
from shared.domain.principals import Principal


@dataclass(frozen=True, slots=True)
class Use:
    """One session that was opened; `source` is an address or client, where the gateway recorded one."""

    connection: str
    opened_at: datetime
    ended_at: datetime | None = None
    source: str = ""
    interactive: bool = False


@dataclass(frozen=True, slots=True)
class Holder:
    """One gateway identity, the principal that it belongs to, and what it reaches and used.

    `task_groups` are the Entra groups (object ids) that stand for something at the gateway and that hold the principal
    by any path. `reach` gives for each connection the groups that open it, and whether it asks for an approval.
    `uses` is the newest first; nothing before `Estate.sessions_since` is known. `granted_at` says since when each
    connection is within reach; one without a date was granted before the directory audit begins. `live` says of the
    connections that protect a resource when any session was live, those that `uses` leaves out included.
    """

    identity: GatewayIdentity
    principal: Principal | None
    task_groups: Known[frozenset[str]] | Unknown
    reach: Mapping[str, frozenset[str]] = field(default_factory=dict)
    needs_approval: frozenset[str] = frozenset()
    uses: Known[tuple[Use, ...]] | Unknown = field(default_factory=lambda: Unknown("not-read"))
    granted_at: Mapping[str, datetime] = field(default_factory=dict)
    live: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """An Entra group that stands for something at the gateway, or is named as if it did.

    `connections` are those that it opens, `promised` those that the identity map says it opens, if it says so.
    """

    group_id: str
    name: str
    connections: frozenset[str]
    promised: frozenset[str] = frozenset()
    scope: str = ""
    member_count: int | None = None
    owner_count: int | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What Entra says of a group; a count is `None` when it did not say. Members are the direct ones."""

    name: str
    member_count: int | None = None
    owner_count: int | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Overlap:
    """An approval to be in several task groups at once, until a moment."""

    principal_id: str
    group_ids: frozenset[str]
    until: datetime


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line of the directory audit; `details` hold what it changed, such as key ids.

    For a membership `target_id` is the member, and `group_id` in the details the group; `member_kind` is `group` where
    the member is a group itself.
    """

    at: datetime
    activity: str
    actor: str
    target_id: str
    correlation_id: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TokenUse:
    """A token that Entra issued to an agent for a protected resource."""

    principal_id: str
    resource_id: str
    at: datetime
    key_id: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Estate:
    """The gateway as a whole, joined with Entra.

    `protected` says which resource (app id) is reached through which connection. `expected_changes` are the correlation
    ids, or `membership` keys, of additions that were approved; `trusted_actors` may add members besides.
    `approvers` names the groups that must approve, by connection; `sensitive` connections weigh more, `standby` ones
    rest by design. `overlaps` were approved; `break_glass` (principal ids) may always get in; `probes` (principal ids)
    ask for tokens without opening anything. `workloads` names the workload behind a source, where several sources are
    one. `attributes` are the custom security attributes, by object id of an agent or app id of a blueprint.
    """

    holders: tuple[Holder, ...]
    groups: tuple[TaskGroup, ...]
    connections: frozenset[str]
    sessions_since: datetime | None
    audits: Known[tuple[AuditEvent, ...]] | Unknown
    tokens: Known[tuple[TokenUse, ...]] | Unknown
    protected: Mapping[str, str] = field(default_factory=dict)
    expected_changes: frozenset[str] = frozenset()
    connections_without_group: frozenset[str] = frozenset()
    approvers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    sensitive: frozenset[str] = frozenset()
    standby: frozenset[str] = frozenset()
    overlaps: tuple[Overlap, ...] = ()
    break_glass: frozenset[str] = frozenset()
    probes: frozenset[str] = frozenset()
    trusted_actors: frozenset[str] = frozenset()
    workloads: Mapping[str, str] = field(default_factory=dict)
    attributes: Known[Mapping[str, frozenset[str]]] | Unknown = field(default_factory=lambda: Unknown("not-read"))


def membership(group_id: str, member_id: str) -> str:
    """What an approved membership is called in `Estate.expected_changes`."""
    return f"{group_id.lower()}/{member_id.lower()}"
