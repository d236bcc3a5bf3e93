"""Judge a role: what somebody is to an identity at this moment, as Entra says."""

import asyncio
from dataclasses import dataclass

from shared.domain.approval import Person
from shared.domain.posture.attestation import Role
from shared.domain.principals import AccountState, PrincipalKind
from shared.ports import Directory


@dataclass(frozen=True, slots=True)
class Owners:
    """Who answers for an identity, by object id; `groups` are those of them that are groups."""

    ids: frozenset[str]
    groups: frozenset[str] = frozenset()


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
