"""Shrink reach: unused grants are taken away at the gateway, after a look at everything anew, and read back.

Nothing of it is put into the principal's ledger: the ledger is what Tether took because Entra did, and gives back once
Entra does. This is taken because somebody who answers for the identity said so, while Entra went on granting it; an
entry would be due at once, and `restore_access` would undo the answer. What the ledger holds of these grants already
leaves it for the same reason. The gateway itself may give a group back at the next sign-in, for as long as Entra says
that the identity is a member: that is why the card shows the call that ends the membership.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.gateway import GatewayIdentity, IdentityKind, IdentityRef
from shared.domain.identity_map import IdentityMap
from shared.domain.ledger import give_back, of_identity
from shared.domain.plan import Circumstances, Guards
from shared.domain.posture.attestation import Attestation, UnusedGrant
from shared.domain.posture.shrink import Cut, cut, opens_more
from shared.domain.principals import Principal, PrincipalChange, PrincipalKind, Source
from shared.domain.records import PrincipalState
from shared.errors import RejectedError, RetryLaterError
from shared.handlers.identify_principal import resolve_map
from shared.handlers.revoke_access import describe
from shared.handlers.turn import Turn, turn
from shared.ports import Ports, Rules, SessionLog


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What was taken or is gone, and why the rest had to stay."""

    taken: tuple[UnusedGrant, ...]
    refused: tuple[tuple[UnusedGrant, str], ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """What every cut of one answer needs."""

    attestation: Attestation
    ports: Ports
    rules: Rules
    log: SessionLog
    identity_map: IdentityMap
    correlation_id: str
    used: Mapping[str, frozenset[str]]
    read_until: datetime


async def shrink_reach(
    attestation: Attestation, ports: Ports, log: SessionLog, rules: Rules, correlation_id: str
) -> Shrunk:
    """The unused grants of the question are gone from the gateway, as far as they are still unused and may go.

    Repeating it changes nothing more. What was taken before this call counts as taken.

    Raises:
        RejectedError: not one of them can go; the reason is that of the first.
        RetryLaterError: something could not be read or written, or `revocation-not-proven`.
    """
    identity_map, is_whole = await resolve_map(ports, rules)
    if not is_whole:
        raise RetryLaterError("groups-not-resolved", "Graph did not say which groups the identity map names")
    grants_of = _by_identity(attestation.question.unused)
    # Reading the log may take long: before anybody's turn, as a revocation must not wait for it.
    now, since = ports.clock.now(), attestation.question.seen_until or attestation.asked_at
    used = await _used(await _users([_ref(identity) for identity, _ in grants_of], ports), log, since, now)
    look = _Look(attestation, ports, rules, log, identity_map, correlation_id, used, now)
    taken: list[UnusedGrant] = []
    refused: list[tuple[UnusedGrant, str]] = []
    for (identity, principal_id), grants in grants_of.items():
        some = await _shrink(_ref(identity), principal_id, grants, look)
        taken += some.taken
        refused += some.refused
    if not taken:
        raise RejectedError(*((refused[0][1], refused[0][0].group) if refused else ("nothing-to-shrink",)))
    return Shrunk(tuple(taken), tuple(refused))


async def _users(refs: Iterable[IdentityRef], ports: Ports) -> frozenset[str]:
    """What the sessions of these identities carry as user id."""
    found = [await ports.gateway.read_identity(ref) for ref in dict.fromkeys(refs)]
    return frozenset(one.session_user for one in found if one is not None)


async def _used(
    users: frozenset[str], log: SessionLog, since: datetime, until: datetime
) -> Mapping[str, frozenset[str]]:
    """The connections that each of them opened in a span of time."""
    found: dict[str, set[str]] = {}
    async for user, use in log.uses(since, until):
        if user in users:
            found.setdefault(user, set()).add(use.connection)
    return {user: frozenset(connections) for user, connections in found.items()}


async def _shrink(ref: IdentityRef, principal_id: str, grants: Sequence[UnusedGrant], look: _Look) -> Shrunk:
    """One identity's, in its principal's turn: no revocation or restore writes the same object meanwhile."""
    async with await _turn_of(principal_id, look) as ours:
        identity = await look.ports.gateway.read_identity(ref)
        if identity is None:
            return Shrunk(tuple(grants), ())
        wanted = await _judge(identity, grants, ours, look)
        if wanted.after is not None or (ours is not None and wanted.ledger != of_identity(ours.state.ledger, ref)):
            await _take(identity, wanted, ours, look)
    return Shrunk(
        tuple(_with_entra_groups(one, identity, look) for one in grants if one.group not in wanted.refused),
        tuple((one, wanted.refused[one.group]) for one in grants if one.group in wanted.refused),
    )


async def _turn_of(principal_id: str, look: _Look) -> AbstractAsyncContextManager[Turn | None]:
    """The principal's turn; for an identity that is nobody's in Entra there is nobody to take turns with."""
    if not principal_id:
        return nullcontext(None)
    record = await look.ports.records.read(principal_id)
    principal = record.facts or Principal(principal_id, PrincipalKind.UNKNOWN)
    now = look.ports.clock.now()
    change = PrincipalChange(principal_id, Source.OPERATOR, now, look.correlation_id, principal.kind)
    return turn(change, principal, look.ports, look.rules, record.state or PrincipalState(principal_id))


async def _judge(identity: GatewayIdentity, grants: Sequence[UnusedGrant], ours: Turn | None, look: _Look) -> Cut:
    gateway, now = look.ports.gateway, look.ports.clock.now()
    roster, policy = await gateway.roster(), await gateway.access_policy()
    user = identity.session_user
    late = await _used(frozenset({user}), look.log, look.read_until, now) if now > look.read_until else {}
    used = look.used.get(user, frozenset()) | late.get(user, frozenset())
    # What is live is read after the log: a session that began in between is in one of both.
    holdings = await gateway.holdings(identity)
    guards = Guards(
        _is_break_glass(identity, ours, look.identity_map),
        roster.active_admins(policy.admin_group),
        roster.own_subject,
    )
    ledger = of_identity(ours.state.ledger, identity.ref) if ours is not None else ()
    under = Circumstances(policy, guards, now)
    whole = give_back(identity, ledger)
    beyond = {one.group: "opens-more" for one in grants if opens_more(whole, one, policy)}
    wanted = cut(identity, [one.group for one in grants if one.group not in beyond], ledger, (holdings, used), under)
    return replace(wanted, refused={**wanted.refused, **beyond})


async def _take(identity: GatewayIdentity, wanted: Cut, ours: Turn | None, look: _Look) -> None:
    """On record in the principal's own chain, too; then written, and read back."""
    after = wanted.after or identity
    if ours is not None:
        others = (one for one in ours.state.ledger if one.ref != identity.ref)
        await ours.note(
            "shrink-decided",
            attestation=look.attestation.attestation_id,
            identity=str(identity.ref),
            before=describe(identity),
            after=describe(after),
        )
        ours.keep((*others, *wanted.ledger))
        await ours.save()
        ours.check()
    await look.ports.gateway.write_identity(identity, after)
    now = await look.ports.gateway.read_identity(identity.ref)
    if now is not None and wanted.going & (now.groups | now.connections):
        raise RetryLaterError("revocation-not-proven", f"{identity.ref} still has what was taken")
    if ours is not None:
        await ours.note("shrunk", identity=str(identity.ref), now=describe(now) if now is not None else {})


def _is_break_glass(identity: GatewayIdentity, ours: Turn | None, identity_map: IdentityMap) -> bool:
    """Whether it may never be locked out; an identity of nobody's is judged by its address."""
    is_named = identity.email.casefold() in identity_map.break_glass if identity.email else False
    return is_named or (ours is not None and identity_map.is_break_glass(ours.principal))


def _with_entra_groups(grant: UnusedGrant, identity: GatewayIdentity, look: _Look) -> UnusedGrant:
    """The grant with the Entra groups that stand for it, whether the identity has it still or not."""
    is_machine = identity.ref.kind is IdentityKind.MACHINE_IDENTITY
    held = {"connections": frozenset({grant.group})} if is_machine else {"groups": frozenset({grant.group})}
    behind = look.identity_map.governed(replace(identity, **held)).get(grant.group, frozenset())  # type: ignore[arg-type]
    return replace(grant, entra_groups=tuple(sorted(behind)))


def _by_identity(grants: Sequence[UnusedGrant]) -> dict[tuple[str, str], list[UnusedGrant]]:
    found: dict[tuple[str, str], list[UnusedGrant]] = {}
    for grant in grants:
        found.setdefault((grant.identity, grant.principal_id), []).append(grant)
    return found


def _ref(identity: str) -> IdentityRef:
    kind, _, key = identity.partition("/")
    return IdentityRef(IdentityKind(kind), key)
