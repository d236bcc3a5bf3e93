"""Identify a requester: who in Entra stands behind a session at the gateway, and who stands behind an agent."""

from dataclasses import replace

from shared.domain.approval import Person, Requester
from shared.domain.gateway import GatewayIdentity, IdentityKind
from shared.domain.identity_map import IdentityMap, is_object_id
from shared.domain.principals import AccountState, Principal, PrincipalKind
from shared.domain.reviews import GatewaySession, Question
from shared.errors import RetryLaterError
from shared.handlers.review_turn import needed
from shared.ports import Ports, Rules

RECENT = 3
# How old the gateway's roster may be when it is handed out.
ROSTER_SECONDS = 5.0


async def identify_requester(question: Question, ports: Ports, rules: Rules) -> Requester:
    """The requester, with the people behind an agent; without an object id when Tether cannot tell for certain.

    Raises:
        RetryLaterError: `requester-not-met` when the roster may be older than the requester's first sign-in.
    """
    session, roster = question.session, await ports.gateway.roster()
    identity = next((one for one in roster.identities if one.session_user == session.subject), None)
    if identity is None and not is_object_id(session.subject):
        _check_age(question, ports)
    principal = await _principal(session, identity, ports, rules.identity_map)
    recent = tuple(await needed(ports).approvals.recent(session.subject, RECENT))
    name = session.name or session.email or session.subject
    if principal is None:
        return Requester(session.subject, name, session.email, recent=recent)
    sponsors, owners = (
        ((), ()) if principal.kind is PrincipalKind.USER else await ports.directory.people_behind(principal)
    )
    makers = await _makers(identity, principal, ports)
    return Requester(
        session.subject,
        principal.display_name or name,
        session.email,
        principal.principal_id,
        principal.kind,
        principal.state,
        principal.blueprint_id is not None,
        tuple(sponsors),
        tuple(dict.fromkeys((*owners, *makers))),
        recent,
    )


def _check_age(question: Question, ports: Ports) -> None:
    """Nobody could ever approve for somebody who was not recognised, so a roster of before does not count."""
    age = (ports.clock.now() - question.review.created_at).total_seconds()
    if 0 <= age < ROSTER_SECONDS:
        raise RetryLaterError("requester-not-met", question.session.subject, retry_after=ROSTER_SECONDS)


async def _makers(identity: GatewayIdentity | None, principal: Principal, ports: Ports) -> list[Person]:
    """Who made the gateway's key has seen it, and could ask with it."""
    if identity is None or not identity.ref.kind.is_key or not identity.created_by:
        return []
    email = identity.created_by.casefold()
    makers = (await ports.directory.find_users([email])).get(email, ())
    return [Person(m.principal_id, m.display_name) for m in makers if m.principal_id != principal.principal_id]


async def requester_now(requester: Requester, ports: Ports) -> Requester:
    """The requester as Entra says at this moment, with whoever stands behind it now besides those who did before."""
    if requester.principal_id is None:
        return requester
    principal = await ports.directory.describe(requester.principal_id, requester.kind)
    if principal is None:
        return replace(requester, state=AccountState.DELETED)
    if principal.kind is PrincipalKind.USER:
        return replace(requester, state=principal.state)
    sponsors, owners = await ports.directory.people_behind(principal)
    return replace(
        requester,
        state=principal.state,
        sponsors=tuple(dict.fromkeys((*requester.sponsors, *sponsors))),
        owners=tuple(dict.fromkeys((*requester.owners, *owners))),
    )


async def _principal(
    session: GatewaySession, identity: GatewayIdentity | None, ports: Ports, identity_map: IdentityMap
) -> Principal | None:
    """A user by the one address that nobody else in Entra carries, a workload by object id or by the operator's map."""
    mapped = _mapped(identity, identity_map)
    if mapped is not None:
        return await ports.directory.describe(mapped, PrincipalKind.UNKNOWN)
    if is_object_id(session.subject):
        return await ports.directory.describe(session.subject.lower(), PrincipalKind.SERVICE_PRINCIPAL)
    email = identity.email.casefold() if identity is not None and identity.ref.kind is IdentityKind.USER else ""
    if not email:
        return None
    holders = (await ports.directory.find_users([email])).get(email, ())
    return holders[0] if len(holders) == 1 else None


def _mapped(identity: GatewayIdentity | None, identity_map: IdentityMap) -> str | None:
    if identity is None:
        return None
    for principal_id, refs in identity_map.agents.items():
        if any(ref.kind is identity.ref.kind and ref.key in (identity.ref.key, identity.name) for ref in refs):
            return principal_id
    return None
