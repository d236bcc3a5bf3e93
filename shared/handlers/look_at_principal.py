"""Look at a principal: read the truth, converge the gateway on it, prove it, and decide when to look again."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from shared.domain.consequences import Look, account_for, loss_of
from shared.domain.decision import Decision, Verdict, decide
from shared.domain.gateway import GatewayIdentity, Holdings, IdentityKind, Roster
from shared.domain.identity_map import IdentityMap, join
from shared.domain.ledger import is_taken, needed_groups
from shared.domain.plan import Circumstances, Guards
from shared.domain.principals import AccountState, Hint, Principal, PrincipalChange, PrincipalKind, Source
from shared.domain.reach import AccessPolicy
from shared.domain.records import PrincipalState
from shared.errors import ClaimedElsewhereError, RetryLaterError
from shared.handlers.fan_out_group import fan_out_group
from shared.handlers.identify_principal import identify_principal, recognisable, resolve_map
from shared.handlers.look_again import look_again, look_for_newcomer, look_for_return
from shared.handlers.observe_principal import find_holders, observe_principal
from shared.handlers.restore_access import restore_access
from shared.handlers.revoke_access import read, revoke_access
from shared.handlers.tell_of_leaver import tell_of_leaver
from shared.handlers.turn import Turn, turn
from shared.ports import Ports, Rules


async def look_at_principal(change: PrincipalChange, ports: Ports, rules: Rules) -> None:
    """The gateway grants the principal no more than Entra does.

    Raises:
        ClaimedElsewhereError: another worker is at it.
        RejectedError: `ambiguous-identity`.
        RetryLaterError: something could not be read, written or proven; what could be done has been.
    """
    if change.hint.takes_away:
        await tell_of_leaver(change, ports)
    record = await ports.records.read(change.principal_id)
    state = record.state or PrincipalState(change.principal_id)
    if _is_done(change, state):
        return
    principal = await identify_principal(change, record, ports)
    if principal is None:
        return
    if principal.kind is PrincipalKind.GROUP:
        await fan_out_group(change, ports, rules)
        return
    roster = await ports.gateway.roster()
    identity_map, names_known = await resolve_map(ports, rules)
    identities = join(principal, roster, identity_map)
    if not identities and not state.ledger:
        await _fan_out_blueprint(change, principal, ports)
        await look_for_newcomer(change, ports, rules)
        return
    if record.facts is None:
        await ports.records.remember(principal)
    async with turn(_without_stale_hint(change, ports, rules), principal, ports, rules, state) as ours:
        decision = await _converge(ours, identities, roster, identity_map)
        unsure = decision.unsure or not names_known
        # A look that has to be repeated leaves its successors to the repetition: otherwise each attempt had its own.
        await (look_for_return(ours) if unsure else look_again(ours, decision))
    if unsure:
        raise RetryLaterError("graph-silent", "Graph did not answer everything that was asked")


def _is_done(change: PrincipalChange, state: PrincipalState) -> bool:
    """Whether a sweep only says what a notification said before it, and that has been obeyed and proven."""
    is_echo = change.source is Source.SWEEP and change.hint.takes_away
    return is_echo and state.unproven_since is None and is_taken(state.ledger, change)


async def _fan_out_blueprint(change: PrincipalChange, principal: Principal, ports: Ports) -> None:
    """A blueprint holds nothing at the gateway itself, but its agent identities do."""
    if principal.app_id is None or not principal.state.is_shut:
        return
    agents = [agent for agent in await ports.records.by_app(principal.app_id) if agent.blueprint_id == principal.app_id]
    await ports.queue.send(replace(change, principal_id=agent.principal_id, kind=agent.kind) for agent in agents)


def _without_stale_hint(change: PrincipalChange, ports: Ports, rules: Rules) -> PrincipalChange:
    """A hint is for speed: one that waited longer than Graph may lag says less than a read."""
    is_stale = ports.clock.now() - change.received_at > rules.restore.horizon
    return replace(change, hint=Hint.CHANGED, group_id=None) if is_stale else change


async def _converge(
    ours: Turn, identities: Sequence[GatewayIdentity], roster: Roster, identity_map: IdentityMap
) -> Decision:
    """Revoke and restore; what was decided."""
    held = _held(identities, identity_map) | needed_groups(ours.state.ledger)
    (seen, described), policy, found = await asyncio.gather(
        observe_principal(ours.change, ours.principal, held, ours.ports.directory, ours.rules.read_budget),
        ours.ports.gateway.access_policy(),
        asyncio.gather(*(read(ours, identity) for identity in identities)),
    )
    decision = decide(ours.change, seen, held)
    look = Look(ours.change, seen, decision, ours.ports.clock.now())
    ours.keep(account_for(ours.state.ledger, look))
    await _remember(ours, described, roster)
    under = _circumstances(ours, roster, identity_map, policy)
    present = await _without_heirs(ours, [one for one in found if one is not None], decision, described)
    failures: list[RetryLaterError] = []
    for identity, holdings in present:
        loss = loss_of(identity, look, identity_map, ours.state.ledger, ours.rules.restore)
        try:
            await revoke_access(ours, (identity, holdings), loss, under, decision)
        except ClaimedElsewhereError:
            raise
        except RetryLaterError as error:
            # What one identity resists must not protect the others.
            failures.append(error)
    if failures:
        raise failures[0]
    await _prove(ours, present)
    if seen.account is AccountState.ENABLED and seen.transitive is not None:
        for ref in dict.fromkeys(entry.ref for entry in ours.state.ledger):
            await restore_access(ours, ref)
    if decision.verdict is Verdict.LOSE_EVERYTHING and ours.revoked:
        _warn_of_keys(ours, roster, identities)
    if ours.revoked and not ours.change.hint.takes_away:
        await tell_of_leaver(ours.change, ours.ports)
    if decision.second_path:
        await ours.note("access-kept", because=decision.because, kept=sorted(decision.second_path))
    return decision


async def _without_heirs(
    ours: Turn,
    present: Sequence[tuple[GatewayIdentity, Holdings]],
    decision: Decision,
    described: Principal | None,
) -> Sequence[tuple[GatewayIdentity, Holdings]]:
    """Without gateway users whose address has passed from a deleted principal to somebody else in Entra."""
    if decision.verdict is not Verdict.LOSE_EVERYTHING or described is None:
        return present
    if described.state is not AccountState.DELETED:
        return present
    emails = frozenset(i.email.casefold() for i, _ in present if i.ref.kind is IdentityKind.USER and i.email)
    holders = await find_holders(emails, ours.ports.directory, ours.rules.read_budget)
    inherited = {email for email, ids in holders.items() if ids - {ours.principal.principal_id}}
    if inherited:
        ours.ports.alerts.raise_alert("address-recycled", principal_id=ours.principal.principal_id)
    taken = {entry.ref for entry in ours.state.ledger}
    return [(i, h) for i, h in present if i.ref in taken or i.email.casefold() not in inherited]


def _held(identities: Sequence[GatewayIdentity], identity_map: IdentityMap) -> frozenset[str]:
    governed = (identity_map.governed(identity) for identity in identities)
    return frozenset(group for grants in governed for groups in grants.values() for group in groups)


async def _remember(ours: Turn, described: Principal | None, roster: Roster) -> None:
    """Keep what was read."""
    if described is None:
        return
    current = recognisable(described, ours.principal, roster)
    if current != ours.principal:
        await ours.ports.records.remember(current)


def _circumstances(ours: Turn, roster: Roster, identity_map: IdentityMap, policy: AccessPolicy) -> Circumstances:
    guards = Guards(
        identity_map.is_break_glass(ours.principal),
        roster.active_admins(policy.admin_group),
        roster.own_subject,
        ours.rules.escalation,
    )
    return Circumstances(policy, guards, ours.ports.clock.now())


async def _prove(ours: Turn, present: Sequence[tuple[GatewayIdentity, Holdings]]) -> None:
    """Every identity has been read back by now: say so, once, with how long it took."""
    since = ours.state.unproven_since
    if since is None:
        return
    took = (ours.ports.clock.now() - since).total_seconds()
    await ours.note("revoked", identities=[str(i.ref) for i, _ in present], seconds=round(took, 3))
    ours.ports.alerts.measure("notification-to-revocation", took, source=ours.change.source)
    if ours.change.source is Source.VERIFICATION and ours.revoked:
        ours.ports.alerts.raise_alert("access-came-back", principal_id=ours.principal.principal_id)
    delay = timedelta(seconds=ours.rules.verify_after[0])
    verification = ours.change.follow_up(source=Source.VERIFICATION)
    await ours.ports.queue.send_verification(verification, ours.ports.clock.now() + delay)
    ours.state = replace(ours.state, unproven_since=None)


def _warn_of_keys(ours: Turn, roster: Roster, own: Sequence[GatewayIdentity]) -> None:
    """A bearer key outlives the person who made it: nobody but an operator can say whose it is."""
    keys = [
        str(identity.ref)
        for identity in roster.identities
        if identity.ref.kind.is_key
        and identity.status == "active"
        and identity.created_by.casefold() in ours.principal.emails
        and identity not in own
    ]
    if keys:
        ours.ports.alerts.raise_alert("keys-outlive-creator", principal_id=ours.principal.principal_id, keys=keys)
