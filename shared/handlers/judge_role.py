"""Judge a role: what somebody is to an identity at this moment, as Entra says."""

import asyncio
from dataclasses import dataclass

from shared.domain.approval import Person
from shared.domain.posture.attestation import Role
from shared.domain.posture.finding import About, ObjectKind
from shared.domain.principals import AccountState, Principal, PrincipalKind
from shared.ports import Directory

_SIGNS_IN = (ObjectKind.SERVICE_PRINCIPAL, ObjectKind.AGENT_IDENTITY)


@dataclass(frozen=True, slots=True)
class Owners:
    """Who answers for an identity, by object id; `groups` are those of them that are groups."""

    ids: frozenset[str]
    groups: frozenset[str] = frozenset()


async def owners_now(about: About, known: Owners, directory: Directory) -> Owners:
    """Those who were known, and whoever Entra says has come to own or sponsor it since."""
    if about.kind is not ObjectKind.APPLICATION and about.kind not in _SIGNS_IN:
        return known
    principal = Principal(about.object_id, PrincipalKind.SERVICE_PRINCIPAL, app_id=about.app_id or None)
    if about.kind in _SIGNS_IN:
        principal = await directory.describe(about.object_id, PrincipalKind.SERVICE_PRINCIPAL) or principal
    sponsors, owners = await directory.people_behind(principal)
    return Owners(known.ids | {one.principal_id.lower() for one in (*sponsors, *owners)}, known.groups)


async def role_of(person: Person, owners: Owners, approvers: str, directory: Directory) -> tuple[Role, Person]:
    """The role, and the person as Entra calls them. `approvers` is a group's object id; empty, nobody is one."""
    person_id, approvers = person.principal_id.lower(), approvers.lower()
    groups = owners.groups | ({approvers} if approvers else frozenset())
    principal, held = await asyncio.gather(
        directory.describe(person_id, PrincipalKind.USER),
        directory.memberships(person_id, groups) if groups else _none(),
    )
    if principal is None or principal.kind is not PrincipalKind.USER or principal.state is not AccountState.ENABLED:
        return Role.NOBODY, person
    known = Person(person_id, principal.display_name or person.name)
    if person_id in {one.lower() for one in owners.ids} or held & owners.groups:
        return Role.OWNER, known
    return (Role.APPROVER if approvers in held else Role.NOBODY), known


async def _none() -> frozenset[str]:
    return frozenset()
