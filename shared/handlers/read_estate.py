"""Read the estate: everybody at the gateway with what they reach and opened, joined with Entra."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.domain.gateway import GatewayIdentity, IdentityRef
from shared.domain.identity_map import join
from shared.domain.posture.doors import Doors
from shared.domain.posture.gateway_view import Estate, Holder
from shared.domain.posture.grants import Additions, additions, granted_at
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.rules import PostureRules
from shared.domain.posture.sessions import HISTORY
from shared.domain.principals import AccountState, Principal, PrincipalKind
from shared.errors import RejectedError, RetryLaterError
from shared.handlers.read_entra_logs import LOGGED, read_additions, read_tags, read_tokens
from shared.handlers.read_place import Place, called, groups_of, object_ids, read_group_facts, read_place
from shared.handlers.read_sessions import Seen, Watch, read_sessions
from shared.ports import AuditLog, Ports, Rules, SessionLog

AMBIGUOUS = Unknown("ambiguous-identity")
NOWHERE: Known[frozenset[str]] = Known(frozenset())
_Memberships = Mapping[str, Known[frozenset[str]] | Unknown]


@dataclass(frozen=True, slots=True)
class EstatePorts:
    """Everything outside that the estate is read from; `audit` is `None` for who can not wait for Entra's logs."""

    around: Ports
    log: SessionLog
    audit: AuditLog | None = None


@dataclass(frozen=True, slots=True)
class EstateRules:
    """What the operator decided, and how far back sessions are wanted."""

    gateway: Rules
    posture: PostureRules = field(default_factory=PostureRules)
    span: timedelta = HISTORY


@dataclass(frozen=True, slots=True)
class _Matches:
    """Whose each gateway identity is; `unclear` are those of principals who have more than one place."""

    principals: Mapping[IdentityRef, Principal]
    unclear: frozenset[IdentityRef]


async def read_estate(ports: EstatePorts, rules: EstateRules, at: datetime) -> Estate:
    """The gateway as a whole. What a source would not tell is `Unknown`, for everybody it is about, and nothing else.

    Raises:
        RejectedError: `empty-roster`: a gateway without anybody is suspicious, and not clean.
        RetryLaterError: the gateway did not say who is there, or Graph which groups the identity map means.
    """
    place, asked = await read_place(ports.around, rules.gateway), rules.posture
    matches = await _match(place, ports.around)
    task_groups = place.task_groups()
    memberships = await _memberships(place, matches, task_groups, ports.around)
    window = timedelta(minutes=asked.limits.bypass_minutes)
    watch = Watch(frozenset(asked.facts.protected.values()), at - LOGGED - window, 2 * window)
    seen = await read_sessions(place.identities, ports.log, at, watch, rules.span)
    audits = await read_additions(ports.audit, at, task_groups)
    holders = [_holder(one, place.doors, matches, memberships, seen) for one in place.identities]
    if isinstance(audits, Known):
        added = additions(audits.value)
        holders = [_dated(one, place, added) for one in holders]
    approvers = place.doors.approvers()
    facts = await read_group_facts(task_groups, object_ids(approvers) - task_groups, ports.around)
    groups = groups_of(place, {one: facts[one] for one in sorted(task_groups)})
    promised = frozenset().union(*(one.promised for one in groups))
    return Estate(
        holders=tuple(holders),
        groups=groups,
        connections=place.doors.policy.connections,
        sessions_since=seen.since,
        audits=audits,
        tokens=await read_tokens(ports.audit, at, holders, asked.facts.protected, window),
        connections_without_group=place.doors.without_group() - promised,
        approvers={one: frozenset(called(name, facts) for name in names) for one, names in approvers.items()},
        break_glass=place.identity_map.break_glass,
        attributes=await read_tags(ports.audit, set(matches.principals.values())),
        protected=asked.facts.protected,
        expected_changes=asked.facts.expected_changes,
        sensitive=asked.facts.sensitive,
        standby=asked.facts.standby,
        overlaps=asked.facts.overlaps,
        probes=asked.facts.probes,
        trusted_actors=asked.facts.trusted_actors,
        workloads=asked.facts.workloads,
    )


async def _match(place: Place, ports: Ports) -> _Matches:
    """The principal of each identity. What several claim belongs to one whom Entra lets in, as an address does."""
    known = [record.facts async for record in ports.records.all() if record.facts is not None]
    found: dict[IdentityRef, Principal] = {}
    unclear: set[IdentityRef] = set()
    for principal in sorted(known, key=lambda one: (one.state.is_shut, one.principal_id)):
        try:
            for identity in join(principal, place.roster, place.identity_map):
                found.setdefault(identity.ref, principal)
        except RejectedError:
            unclear |= {user.ref for email in principal.emails for user in place.roster.users_by_email.get(email, ())}
    return _Matches(found, frozenset(unclear - found.keys()))


async def _memberships(
    place: Place, matches: _Matches, task_groups: frozenset[str], ports: Ports
) -> Mapping[str, Known[frozenset[str]] | Unknown]:
    """The task groups of each principal.

    Graph is asked about agents and service principals, and about a person where the gateway does not tell: whose
    account is shut has lost everything there, and some of what they hold may stand for any of several groups.
    """
    certain: dict[str, frozenset[str]] = {}
    asked: dict[str, frozenset[str]] = {}
    for principal, identities in _by_principal(place, matches):
        if principal.state is AccountState.DELETED:
            certain[principal.principal_id] = frozenset()
            continue
        grants = [groups for one in identities for groups in place.identity_map.governed(one).values()]
        is_told = principal.kind is PrincipalKind.USER and not principal.state.is_shut
        held = [groups for groups in grants if len(groups) == 1] if is_told else []
        certain[principal.principal_id] = frozenset().union(*held) & task_groups
        open_questions = (
            frozenset().union(*grants) & task_groups - certain[principal.principal_id] if is_told else task_groups
        )
        if open_questions:
            asked[principal.principal_id] = open_questions
    return await _with_answers(certain, asked, ports)


async def _with_answers(
    certain: Mapping[str, frozenset[str]], asked: Mapping[str, frozenset[str]], ports: Ports
) -> _Memberships:
    found: dict[str, Known[frozenset[str]] | Unknown] = {id_: Known(groups) for id_, groups in certain.items()}
    if asked:
        try:
            answers = await ports.directory.memberships_of_many(asked)
        except (RejectedError, RetryLaterError) as error:
            return found | dict.fromkeys(asked, Unknown(error.reason))
        found |= {id_: Known(certain[id_] | answers[id_]) for id_ in asked}
    return found


def _by_principal(place: Place, matches: _Matches) -> Iterable[tuple[Principal, list[GatewayIdentity]]]:
    found: dict[str, tuple[Principal, list[GatewayIdentity]]] = {}
    for identity in place.identities:
        principal = matches.principals.get(identity.ref)
        if principal is not None:
            found.setdefault(principal.principal_id, (principal, []))[1].append(identity)
    return found.values()


def _holder(
    identity: GatewayIdentity, doors: Doors, matches: _Matches, memberships: _Memberships, seen: Seen
) -> Holder:
    principal, reach = matches.principals.get(identity.ref), doors.reach(identity)
    return Holder(
        identity,
        principal,
        # No Entra group holds what is nobody's in Entra.
        memberships[principal.principal_id]
        if principal is not None
        else (AMBIGUOUS if identity.ref in matches.unclear else NOWHERE),
        reach,
        doors.asking(identity.groups, reach),
        seen.uses[identity.session_user],
        live=seen.live.get(identity.session_user, {}),
    )


def _dated(holder: Holder, place: Place, added: Additions) -> Holder:
    """The holder with the dates of its grants, as far as the audit has them."""
    if holder.principal is None or isinstance(holder.task_groups, Unknown):
        return holder
    dates = granted_at(place.ways(holder), holder.task_groups.value, holder.principal.principal_id, added)
    return replace(holder, granted_at=dates)
