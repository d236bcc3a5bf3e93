"""Shrink: which unused grants of an identity can be taken away at the gateway now, and why the others cannot."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from shared.domain.gateway import GatewayIdentity, Holdings, IdentityKind
from shared.domain.ledger import Ledger, TakenKind, give_back, returned
from shared.domain.plan import Circumstances, Escalation, Loss, Plan, is_in_effect, plan
from shared.domain.posture.attestation import UnusedGrant
from shared.domain.reach import AccessPolicy


@dataclass(frozen=True, slots=True)
class Cut:
    """What becomes of the grants of one identity: `going` is taken away, `gone` is not there any more.

    `after` is the identity as it must be written, `None` when there is nothing to write. `ledger` is what Tether still
    owes the identity once these grants are not to come back. `refused` says why a grant has to stay.
    """

    going: frozenset[str]
    gone: frozenset[str]
    refused: Mapping[str, str]
    after: GatewayIdentity | None
    ledger: Ledger


def cut(
    identity: GatewayIdentity,
    grants: Iterable[str],
    ledger: Ledger,
    seen: tuple[Holdings, frozenset[str]],
    under: Circumstances,
) -> Cut:
    """What of the grants can go, given what the identity runs now and which connections it opened since it was asked.

    Nothing is ever taken instead: where a removal would open more than it closes, or lock somebody out, it is refused.
    `ledger` is what Tether took from this identity: what it may give back one day is weighed as if it were there.
    """
    holdings, used = seen
    wanted = frozenset(grants)
    whole = give_back(identity, ledger)
    held = _held(whole) & wanted
    refused = {name: reason for name in sorted(held) if (reason := _use(whole, name, holdings, used, under))}
    going = held - refused.keys()
    if _objection(identity, whole, going, under):
        going, objections = _as_many_as_possible(identity, whole, going, under)
        refused |= objections
    kept_out = (one for one in ledger if one.kind in (TakenKind.GROUP, TakenKind.CONNECTION) and one.name in going)
    after = _without(identity, going, under)
    return Cut(going, wanted - held, refused, after if after != identity else None, returned(ledger, kept_out))


def opened_by(identity: GatewayIdentity, grant: str, policy: AccessPolicy) -> frozenset[str]:
    """The connections that a grant opens; with a machine identity's connection go those that share its attributes."""
    if identity.ref.kind is not IdentityKind.MACHINE_IDENTITY:
        return policy.reachable({grant})
    carried = policy.attributes_of_connection
    going = identity.attributes & carried.get(grant, frozenset())
    return frozenset({grant, *(one for one in policy.connections if carried.get(one, frozenset()) & going)})


def opens_more(identity: GatewayIdentity, grant: UnusedGrant, policy: AccessPolicy) -> bool:
    """Whether a grant that is held opens what was not shown of it: nobody has looked at how that is used."""
    beyond = opened_by(identity, grant.group, policy) - frozenset(grant.connections)
    is_theirs = grant.group in _held(identity) and not _administers(identity, grant.group, policy)
    return is_theirs and len(beyond) > grant.left_out


def _held(identity: GatewayIdentity) -> frozenset[str]:
    is_machine = identity.ref.kind is IdentityKind.MACHINE_IDENTITY
    return identity.connections if is_machine else identity.groups


def _use(
    identity: GatewayIdentity, grant: str, holdings: Holdings, used: frozenset[str], under: Circumstances
) -> str | None:
    """Why a grant is not unused, if it is not."""
    policy = under.policy
    if _administers(identity, grant, policy):
        return "administers"
    opened = opened_by(identity, grant, policy)
    live = {one.connection for one in holdings.sessions}
    live |= {one.connection for one in holdings.reviews if is_in_effect(one, under.now)}
    if opened & live:
        return "still-in-use"
    return "used-since" if opened & used else None


def _administers(identity: GatewayIdentity, grant: str, policy: AccessPolicy) -> bool:
    is_machine = identity.ref.kind is IdentityKind.MACHINE_IDENTITY
    return not is_machine and grant in (policy.admin_group, policy.auditor_group)


def _as_many_as_possible(
    identity: GatewayIdentity, whole: GatewayIdentity, wanted: frozenset[str], under: Circumstances
) -> tuple[frozenset[str], Mapping[str, str]]:
    """The grants that can go together, and what stands against each of the others.

    One may be in the way of another only as long as it is there itself: until nothing changes, each is tried again.
    """
    going: frozenset[str] = frozenset()
    while True:
        before, objections = going, {}
        for name in sorted(wanted - going):
            objection = _objection(identity, whole, going | {name}, under)
            if objection is None:
                going |= {name}
            else:
                objections[name] = objection
        if going == before:
            return going, objections


def _objection(
    identity: GatewayIdentity, whole: GatewayIdentity, going: frozenset[str], under: Circumstances
) -> str | None:
    """What a revocation of the same grants would be stopped by, now or once the identity has back what was taken."""
    alerts = (alert for one in dict.fromkeys((identity, whole)) for alert in _planned(one, going, under).alerts)
    return next(alerts, None) if going else None


def _without(identity: GatewayIdentity, going: frozenset[str], under: Circumstances) -> GatewayIdentity:
    return (_planned(identity, going, under).door if going else None) or identity


def _planned(identity: GatewayIdentity, going: frozenset[str], under: Circumstances) -> Plan:
    guards = replace(under.guards, escalation=Escalation.ALERT)
    return plan(identity, Loss(grants=going), Holdings(), replace(under, guards=guards))
