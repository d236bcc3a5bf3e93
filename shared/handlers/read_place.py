"""Read the place: who is at the gateway, what opens what there, and which Entra groups stand for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.domain.gateway import GatewayIdentity, IdentityKind, IdentityRef, Roster
from shared.domain.identity_map import GroupMapping, IdentityMap, is_object_id
from shared.domain.posture.doors import Doors
from shared.domain.posture.gateway_view import GroupFacts, Holder, TaskGroup
from shared.errors import RejectedError, RetryLaterError
from shared.handlers.identify_principal import resolve_map
from shared.ports import Ports, Rules


@dataclass(frozen=True, slots=True)
class Place:
    """The gateway's side, and what of it stands for which Entra group."""

    identities: tuple[GatewayIdentity, ...]
    roster: Roster
    identity_map: IdentityMap
    doors: Doors

    def task_groups(self) -> frozenset[str]:
        """The Entra groups that open something here, or that the map names; others may be held for other reasons."""
        return self.identity_map.mapped_groups().union(*self.standing().values())

    def standing(self) -> dict[str, frozenset[str]]:
        """The Entra groups behind each gateway group that opens something, whether anybody has it or not."""
        anybody = GatewayIdentity(IdentityRef(IdentityKind.USER, ""), "", "", "", frozenset(self.doors.opens))
        return self.identity_map.governed(anybody)

    def ways(self, holder: Holder) -> dict[str, list[frozenset[str]]]:
        """For each connection within reach the grants of it, each as the Entra groups that stand for it."""
        governed = self.identity_map.governed(holder.identity)
        if holder.identity.ref.kind is IdentityKind.MACHINE_IDENTITY:
            return {one: [governed.get(one, frozenset())] for one in holder.reach}
        return {
            one: [governed.get(name, frozenset()) for name in sorted(groups)] for one, groups in holder.reach.items()
        }


async def read_place(ports: Ports, rules: Rules) -> Place:
    """The gateway as it is.

    Raises:
        RejectedError: `empty-roster`: a gateway without anybody is suspicious, and not clean.
        RetryLaterError: it did not say who is there, or Graph not which groups the identity map means.
    """
    roster = await ports.gateway.roster()
    if not roster.identities:
        raise RejectedError("empty-roster", "the gateway lists no identity at all")
    policy = await ports.gateway.access_policy()
    identity_map, is_whole = await resolve_map(ports, rules)
    if not is_whole:
        raise RetryLaterError("groups-not-resolved", "Graph did not say which groups the identity map names")
    others = (one for one in roster.identities if not _is_tether(one, roster))
    return Place(tuple(sorted(others, key=lambda one: one.ref)), roster, identity_map, Doors(policy))


def _is_tether(identity: GatewayIdentity, roster: Roster) -> bool:
    """Whether it is Tether itself, which administers the gateway and never opens a connection."""
    return identity.ref.kind.is_account and identity.ref.key.lower() == roster.own_subject.lower()


async def read_group_facts(
    task_groups: frozenset[str], approvers: frozenset[str], ports: Ports
) -> Mapping[str, GroupFacts]:
    """What Entra says of each group: nothing, where it does not answer or the group is gone."""
    wanted = sorted(task_groups | approvers)
    unsaid = {group_id: GroupFacts("") for group_id in wanted}
    try:
        return unsaid | dict(await ports.directory.group_facts(wanted))
    except (RejectedError, RetryLaterError):
        return unsaid


def object_ids(approvers: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The reviewer groups that are Entra groups by their name."""
    return frozenset(name.lower() for names in approvers.values() for name in names if is_object_id(name))


def called(name: str, facts: Mapping[str, GroupFacts]) -> str:
    """A reviewer group as people know it: the gateway may know it by an object id only."""
    known = facts.get(name.lower())
    return known.name if known is not None and known.name else name


def groups_of(place: Place, facts: Mapping[str, GroupFacts]) -> tuple[TaskGroup, ...]:
    """The groups with these facts, with what each opens and what the map promises."""
    opened: dict[str, set[str]] = {}
    for gateway_group, entra_groups in place.standing().items():
        for group_id in entra_groups:
            opened.setdefault(group_id, set()).update(place.doors.opens[gateway_group])
    of_machines = frozenset().union(*(one.connections for one in place.identities))
    found = []
    for group_id, said in facts.items():
        promised = place.identity_map.connections_of({group_id})
        entries = _entries(place.identity_map, group_id)
        connections = opened.get(group_id, set()) | (promised & of_machines)
        scope = ", ".join(dict.fromkeys(entry.scope for entry in entries if entry.scope))
        found.append(
            TaskGroup(
                group_id,
                said.name or _name(entries, group_id),
                frozenset(connections),
                promised,
                scope,
                said.member_count,
                said.owner_count,
                said.created_at,
            )
        )
    return tuple(found)


def _entries(identity_map: IdentityMap, group_id: str) -> list[GroupMapping]:
    names = {name for name, id_ in identity_map.group_ids.items() if id_ == group_id}
    return [one for one in identity_map.groups if one.entra_group in names or one.entra_group.lower() == group_id]


def _name(entries: Iterable[GroupMapping], group_id: str) -> str:
    """What the map calls it, if it does."""
    return next((one.entra_group for one in entries if not is_object_id(one.entra_group)), group_id)
