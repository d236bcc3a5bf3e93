"""The identity map: which Entra group and principal stands for what at the gateway."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from shared.domain.gateway import GatewayIdentity, IdentityKind, IdentityRef, Roster
from shared.domain.principals import Principal
from shared.errors import RejectedError


@dataclass(frozen=True, slots=True)
class GroupMapping:
    """One Entra group (object id or display name) and the gateway group or connection it stands for."""

    entra_group: str
    gateway_group: str | None = None
    connection: str | None = None
    scope: str | None = None
    record: bool = False


@dataclass(frozen=True, slots=True)
class IdentityMap:
    """The operator's map. `agents` names gateway identities that only a person can tie to a principal.

    `group_ids` are the object ids of those Entra groups that the map calls by display name.
    """

    groups: tuple[GroupMapping, ...] = ()
    agents: Mapping[str, tuple[IdentityRef, ...]] = field(default_factory=dict)
    break_glass: frozenset[str] = frozenset()
    group_ids: Mapping[str, str] = field(default_factory=dict)

    def resolved(self, group_ids: Mapping[str, str]) -> "IdentityMap":
        """The same map with the object ids of the groups that it calls by display name."""
        return replace(self, group_ids=dict(group_ids))

    @property
    def display_names(self) -> frozenset[str]:
        """The Entra groups that must be looked up, because the map calls them by display name."""
        return frozenset(entry.entra_group for entry in self.groups if not is_object_id(entry.entra_group))

    def governed(self, identity: GatewayIdentity) -> dict[str, frozenset[str]]:
        """The identity's grants that Entra governs, each with the object ids of the Entra groups that stand for it.

        Grants are gateway groups, and the connections of a machine identity, which has no groups. A gateway group
        named by an object id stands for that Entra group without being mapped.
        """
        if identity.ref.kind is IdentityKind.MACHINE_IDENTITY:
            standing = {name: self._entra_groups_of_connection(name) for name in identity.connections}
        else:
            standing = {name: self._entra_groups_of_group(name) for name in identity.groups}
        return {name: entra_groups for name, entra_groups in standing.items() if entra_groups}

    def connections_of(self, entra_groups: Iterable[str]) -> frozenset[str]:
        """The connections that the map promises to these Entra groups (object ids) by name."""
        wanted = frozenset(entra_groups)
        return frozenset(e.connection for e in self.groups if e.connection and self._object_id(e) in wanted)

    def mapped_groups(self) -> frozenset[str]:
        """The object ids of every Entra group the map names."""
        return frozenset(filter(None, (self._object_id(entry) for entry in self.groups)))

    def refs_of(self, principal: Principal) -> tuple[IdentityRef, ...]:
        """The gateway identities that the operator tied to this principal."""
        return self.agents.get(principal.principal_id, ())

    def governed_groups(self, roster: Roster) -> frozenset[str]:
        """The Entra groups that stand for anything that anybody holds at the gateway, or that the map names."""
        held = (groups for identity in roster.identities for groups in self.governed(identity).values())
        return self.mapped_groups().union(*held)

    def is_break_glass(self, principal: Principal) -> bool:
        """Whether the operator said that this principal must always get in."""
        return bool(self.break_glass & ({principal.principal_id} | principal.emails))

    def _entra_groups_of_group(self, gateway_group: str) -> frozenset[str]:
        mapped = {self._object_id(entry) for entry in self.groups if gateway_group in self._gateway_names(entry)}
        if not mapped and is_object_id(gateway_group):
            return frozenset({gateway_group.lower()})
        return frozenset(filter(None, mapped))

    def _entra_groups_of_connection(self, connection: str) -> frozenset[str]:
        return frozenset(filter(None, (self._object_id(e) for e in self.groups if e.connection == connection)))

    def _object_id(self, entry: GroupMapping) -> str | None:
        if is_object_id(entry.entra_group):
            return entry.entra_group.lower()
        return self.group_ids.get(entry.entra_group)

    def _gateway_names(self, entry: GroupMapping) -> frozenset[str]:
        if entry.gateway_group:
            return frozenset({entry.gateway_group})
        return frozenset(filter(None, (entry.entra_group, self._object_id(entry))))


def is_object_id(text: str) -> bool:
    """Whether the text has the form of an Entra object id."""
    parts = text.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and all(c in "0123456789abcdefABCDEF-" for c in text)


def join(principal: Principal, roster: Roster, identity_map: IdentityMap) -> tuple[GatewayIdentity, ...]:
    """The gateway identities that belong to a principal.

    Users join by e-mail or UPN without regard to case, service accounts by object id, the rest through the map. With a
    service account comes the user that the gateway makes of it when it speaks MCP: same subject, no address of ours.

    Of several users with one address, those that are closed already do not count: they are what a former holder left.

    Raises:
        RejectedError: `ambiguous-identity` when two open gateway users carry an address of the principal.
    """
    by_object_id = (IdentityRef(kind, principal.principal_id) for kind in IdentityKind if kind.is_account)
    wanted = (*by_object_id, *identity_map.refs_of(principal))
    others = (identity for ref in wanted for identity in roster.by_ref.get(ref, ()))
    users = dict.fromkeys(user for email in principal.emails for user in roster.users_by_email.get(email, ()))
    candidates = [user for user in users if user.is_open] if len(users) > 1 else list(users)
    if len(candidates) > 1:
        subjects = ", ".join(sorted(user.ref.key for user in candidates))
        raise RejectedError("ambiguous-identity", f"{len(candidates)} gateway users share one address: {subjects}")
    return tuple(dict.fromkeys((*candidates, *others)))
