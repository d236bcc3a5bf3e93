"""Plan: what to do at the gateway about a loss, given what one identity holds there and who reaches what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.gateway import GatewayIdentity, Holdings, IdentityKind, IdentityRef, Review, ReviewType, Session
from shared.domain.ledger import Needs, Taken, TakenKind
from shared.domain.reach import AccessPolicy


class Escalation(StrEnum):
    """What to do when taking a group away would make access easier, or would take nothing away."""

    DEACTIVATE = "deactivate"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Loss:
    """What one gateway identity loses: everything, or the grants that some Entra groups stood for.

    `grants` are gateway groups (connections, for a machine identity). `needs` says, for every governed grant, which
    Entra groups stand for it. `before` names grants taken earlier: sessions that only they opened must be gone too.
    `promised` are the connections that the identity map ties to the lost grants by name.
    """

    everything: bool = False
    grants: frozenset[str] = frozenset()
    needs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    before: frozenset[str] = frozenset()
    promised: frozenset[str] = frozenset()
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Guards:
    """Who must never be locked out, and what to do when a removal cannot be pushed as it is."""

    break_glass: bool = False
    active_admins: frozenset[IdentityRef] = frozenset()
    own_subject: str = ""
    escalation: Escalation = Escalation.DEACTIVATE


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan is made under: who reaches what, who is guarded, and the time."""

    policy: AccessPolicy
    guards: Guards
    now: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order in which they are taken: the door first, then reviews, then sessions.

    `door` is the identity as it must be written, `None` when it is closed already. `alerts` are kebab-case reasons why
    somebody should look.
    """

    door: GatewayIdentity | None = None
    taken: tuple[Taken, ...] = ()
    reviews: tuple[Review, ...] = ()
    sessions: tuple[Session, ...] = ()
    alerts: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the gateway shows the loss already."""
        return self.door is None and not self.reviews and not self.sessions


def plan(identity: GatewayIdentity, loss: Loss, holdings: Holdings, under: Circumstances) -> Plan:
    """What has to happen to one identity at the gateway, guards applied."""
    if under.guards.break_glass:
        return Plan(alerts=("break-glass-kept",))
    if identity.ref.key == under.guards.own_subject:
        return Plan(alerts=("own-identity-kept",))
    if loss.everything:
        return _shut(identity, loss, holdings, under)
    if identity.ref.kind is IdentityKind.MACHINE_IDENTITY:
        return _detach(identity, loss, holdings, under)
    return _take_groups(identity, loss, holdings, under)


def _shut(
    identity: GatewayIdentity, loss: Loss, holdings: Holdings, under: Circumstances, needs: Needs = frozenset()
) -> Plan:
    if _is_last_admin(identity, under):
        return Plan(alerts=("last-admin-kept",))
    reviews = tuple(review for review in holdings.reviews if is_in_effect(review, under.now))
    taken = _whole_account(identity, loss, needs, under.now)
    return Plan(_closed(identity) if identity.is_open else None, taken, reviews, holdings.sessions)


def _closed(identity: GatewayIdentity) -> GatewayIdentity:
    if identity.ref.kind.is_key:
        return replace(identity, status="revoked")
    return replace(identity, status="inactive", groups=frozenset(), connections=frozenset(), attributes=frozenset())


def _whole_account(identity: GatewayIdentity, loss: Loss, needs: Needs, now: datetime) -> tuple[Taken, ...]:
    def taken(kind: TakenKind, name: str) -> Taken:
        own_needs = needs | _needs(loss, name) if kind is not TakenKind.ACCOUNT else needs
        return Taken(identity.ref, kind, name, now, own_needs, loss.confirmed)

    entries: list[Taken] = []
    if identity.ref.kind is not IdentityKind.MACHINE_IDENTITY and identity.status not in ("inactive", "revoked"):
        entries.append(taken(TakenKind.ACCOUNT, identity.status))
    if identity.ref.kind.is_account:
        entries += [taken(TakenKind.GROUP, name) for name in sorted(identity.groups)]
    entries += [taken(TakenKind.CONNECTION, name) for name in sorted(identity.connections)]
    entries += [taken(TakenKind.ATTRIBUTE, name) for name in sorted(identity.attributes)]
    return tuple(entries)


def _needs(loss: Loss, grant: str) -> Needs:
    return frozenset({loss.needs[grant]}) if grant in loss.needs else frozenset()


def _take_groups(identity: GatewayIdentity, loss: Loss, holdings: Holdings, under: Circumstances) -> Plan:
    alerts: tuple[str, ...] = ()
    going = identity.groups & loss.grants
    if under.policy.admin_group in going and _is_last_admin(identity, under):
        alerts, going = ("last-admin-kept",), going - {under.policy.admin_group}
    if going and not under.policy.enforced and not loss.promised:
        alerts = (*alerts, "access-control-is-off")
    remaining = identity.groups - going
    obstacle = _obstacle(identity.groups, remaining, loss, under.policy) if going else None
    if obstacle and identity.status not in ("inactive", "revoked"):
        return _escalate(identity, loss, holdings, under, (*alerts, obstacle))
    lost = under.policy.reachable(identity.groups | loss.before) - under.policy.reachable(remaining)
    return Plan(
        replace(identity, groups=remaining) if going else None,
        _entries(identity, TakenKind.GROUP, going, loss, under.now),
        tuple(r for r in holdings.reviews if r.connection in lost and is_in_effect(r, under.now)),
        tuple(s for s in holdings.sessions if s.connection in lost),
        alerts,
    )


def _escalate(
    identity: GatewayIdentity, loss: Loss, holdings: Holdings, under: Circumstances, alerts: tuple[str, ...]
) -> Plan:
    if under.guards.escalation is Escalation.ALERT:
        return Plan(alerts=alerts)
    needs = frozenset(loss.needs[grant] for grant in loss.grants & loss.needs.keys())
    shut = _shut(identity, loss, holdings, under, needs)
    return replace(shut, alerts=(*alerts, *shut.alerts))


def _detach(identity: GatewayIdentity, loss: Loss, holdings: Holdings, under: Circumstances) -> Plan:
    going = identity.connections & loss.grants
    remaining = identity.connections - going
    opening = [under.policy.attributes_of_connection.get(name, frozenset()) for name in going]
    attributes = identity.attributes.intersection(frozenset().union(*opening))
    taken = (
        *_entries(identity, TakenKind.CONNECTION, going, loss, under.now),
        *_attribute_entries(identity, attributes, going, loss, under.now),
    )
    door = replace(identity, connections=remaining, attributes=identity.attributes - attributes)
    return Plan(
        door if going else None,
        taken,
        (),
        tuple(s for s in holdings.sessions if s.connection in (loss.grants | loss.before) - remaining),
    )


def _attribute_entries(
    identity: GatewayIdentity, attributes: frozenset[str], connections: frozenset[str], loss: Loss, now: datetime
) -> tuple[Taken, ...]:
    """An attribute that opens a lost connection goes with it, and comes back when all of them may."""
    needs = frozenset(groups for name in connections for groups in _needs(loss, name))
    kind = TakenKind.ATTRIBUTE
    return tuple(Taken(identity.ref, kind, name, now, needs, loss.confirmed) for name in sorted(attributes))


def _entries(
    identity: GatewayIdentity, kind: TakenKind, names: frozenset[str], loss: Loss, now: datetime
) -> tuple[Taken, ...]:
    return tuple(Taken(identity.ref, kind, n, now, _needs(loss, n), loss.confirmed) for n in sorted(names))


def _obstacle(before: frozenset[str], remaining: frozenset[str], loss: Loss, policy: AccessPolicy) -> str | None:
    """Why pushing the smaller group set would open more than it closes, or would close nothing."""
    if easier_connections(policy, before, remaining):
        return "removal-would-skip-approval"
    if not policy.enforced and loss.promised:
        return "access-control-is-off"
    return None


def easier_connections(policy: AccessPolicy, before: Iterable[str], after: Iterable[str]) -> frozenset[str]:
    """Connections that stay open but lose their approval step when the groups change from `before` to `after`."""
    return frozenset(
        name
        for name in policy.reachable(after)
        if policy.needs_approval(before, name) and not policy.needs_approval(after, name)
    )


def is_in_effect(review: Review, now: datetime) -> bool:
    """Whether a review can still open something: undecided, approved for one execution, or granted and not run out."""
    if review.pending or review.type is ReviewType.ONETIME or review.revoke_at is None:
        return True
    return review.revoke_at > now


def _is_last_admin(identity: GatewayIdentity, under: Circumstances) -> bool:
    is_admin = identity.status == "active" and under.policy.admin_group in identity.groups
    return is_admin and under.guards.active_admins <= {identity.ref}
