"""Consequences: what one look at Entra means for the ledger, and for each identity at the gateway."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.decision import Decision, Observation, Verdict
from shared.domain.gateway import GatewayIdentity
from shared.domain.identity_map import IdentityMap
from shared.domain.ledger import (
    Ledger,
    RestoreRules,
    TakenKind,
    announce_return,
    lose_again,
    needed_groups,
    of_identity,
    review,
    standing,
)
from shared.domain.plan import Loss
from shared.domain.principals import AccountState, Hint, PrincipalChange


@dataclass(frozen=True, slots=True)
class Look:
    """What a look was asked for, what Graph answered, what was decided from both, and when."""

    change: PrincipalChange
    seen: Observation
    decision: Decision
    now: datetime


def account_for(ledger: Ledger, look: Look) -> Ledger:
    """The ledger after what we were told and what we read."""
    decision, seen = look.decision, look.seen
    ledger = _hear_of_return(ledger, look.change)
    if decision.verdict is Verdict.LOSE_EVERYTHING:
        return lose_again(ledger, None, confirmed=decision.confirmed)
    if decision.verdict is Verdict.LOSE_GROUPS:
        ledger = lose_again(ledger, decision.groups, confirmed=decision.confirmed)
    if seen.account is AccountState.ENABLED and seen.transitive is not None:
        ledger = review(ledger, enabled=True, memberships=seen.transitive - decision.groups, now=look.now)
    return ledger


def loss_of(
    identity: GatewayIdentity, look: Look, identity_map: IdentityMap, ledger: Ledger, rules: RestoreRules
) -> Loss:
    """What this identity must not have: what was decided now, and what was taken and is not due."""
    decision, needs = look.decision, identity_map.governed(identity)
    entries = of_identity(ledger, identity.ref)
    absent = standing(entries, rules, look.now)
    decided = frozenset(grant for grant, groups in needs.items() if groups <= decision.groups)
    return Loss(
        everything=decision.verdict is Verdict.LOSE_EVERYTHING or any(e.kind is TakenKind.ACCOUNT for e in absent),
        grants=decided | frozenset(e.name for e in absent if e.kind is not TakenKind.ACCOUNT),
        needs=needs,
        before=frozenset(e.name for e in entries if e.kind is not TakenKind.ACCOUNT),
        promised=identity_map.connections_of(decision.groups),
        confirmed=decision.confirmed if decision.verdict is not Verdict.KEEP else all(e.confirmed for e in absent),
    )


def _hear_of_return(ledger: Ledger, change: PrincipalChange) -> Ledger:
    """News shorten the wait of what they are about: a group of what needs it, an account of what it was shut with."""
    if change.hint is Hint.ADDED_TO_GROUP:
        heard = [entry for entry in ledger if change.group_id in needed_groups((entry,))]
    elif change.hint is Hint.ENABLED:
        shut = {entry.ref for entry in ledger if entry.kind is TakenKind.ACCOUNT and not entry.needs}
        heard = [entry for entry in ledger if entry.ref in shut]
    else:
        return ledger
    announced = {entry.identity_of_entry: entry for entry in announce_return(tuple(heard))}
    return tuple(announced.get(entry.identity_of_entry, entry) for entry in ledger)
