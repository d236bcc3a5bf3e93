"""Doors: the gateway's access policy, asked many times: who reaches what, through which gateway groups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.domain.gateway import GatewayIdentity, IdentityKind
from shared.domain.reach import AccessPolicy


@dataclass(slots=True)
class Doors:
    """An access policy, and answers about it by group.

    Where access control is not installed everybody reaches everything, and no group opens anything.
    """

    policy: AccessPolicy
    opens: Mapping[str, frozenset[str]] = field(init=False)
    openers: Mapping[str, frozenset[str]] = field(init=False)
    _reach: dict[frozenset[str], Mapping[str, frozenset[str]]] = field(default_factory=dict)
    _asking: dict[tuple[frozenset[str], frozenset[str]], frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = sorted(_groups_named(self.policy)) if self.policy.enforced else ()
        self.opens = {name: self.policy.reachable({name}) for name in names}
        self.openers = {
            connection: frozenset(name for name in names if connection in self.opens[name])
            for connection in sorted(self.policy.connections)
        }

    def reach(self, identity: GatewayIdentity) -> Mapping[str, frozenset[str]]:
        """Each connection that it reaches, with the gateway groups of its own that open it."""
        if identity.ref.kind is IdentityKind.MACHINE_IDENTITY:
            return dict.fromkeys(sorted(identity.connections | self._attributed(identity.attributes)), frozenset())
        if identity.groups not in self._reach:
            within = sorted(self.policy.reachable(identity.groups))
            self._reach[identity.groups] = {one: self.openers[one] & identity.groups for one in within}
        return self._reach[identity.groups]

    def asking(self, groups: frozenset[str], connections: Iterable[str]) -> frozenset[str]:
        """Those of the connections that wait for an approval of whoever has these groups."""
        question = (groups, frozenset(connections))
        if question not in self._asking:
            asking = (one for one in question[1] if self.policy.needs_approval(groups, one))
            self._asking[question] = frozenset(asking)
        return self._asking[question]

    def approvers(self) -> Mapping[str, frozenset[str]]:
        """The reviewer groups of each connection that is reviewed."""
        found = {one: self.policy.approvers(one) for one in sorted(self.policy.connections)}
        return {one: groups for one, groups in found.items() if groups}

    def without_group(self) -> frozenset[str]:
        """The connections that no group opens, save those of administrators and auditors, who may open everything."""
        everywhere = {self.policy.admin_group, self.policy.auditor_group}
        return frozenset(connection for connection, groups in self.openers.items() if groups <= everywhere)

    def _attributed(self, attributes: frozenset[str]) -> frozenset[str]:
        """The connections that carry one of these attributes."""
        carried = self.policy.attributes_of_connection
        return frozenset(one for one in self.policy.connections if carried.get(one, frozenset()) & attributes)


def _groups_named(policy: AccessPolicy) -> frozenset[str]:
    named = (*policy.groups_of_connection.values(), *policy.groups_of_attribute.values())
    return frozenset({policy.admin_group, policy.auditor_group}).union(*named)
