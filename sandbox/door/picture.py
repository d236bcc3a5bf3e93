"""Who is who: which principal stands behind which gateway identity, and which groups lead where."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sandbox.door.events import Json

ADMIN_GROUP = "admin"
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class IdentityLinks:
    """What the operator's identity map says: names a group stands for, agents tied to a principal, who stays in."""

    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    agents: Mapping[str, frozenset[str]] = field(default_factory=dict)
    break_glass: frozenset[str] = NOTHING


@dataclass(frozen=True, slots=True)
class Picture:
    """The directory and the gateway as they are linked at one moment; ids are object ids, subjects the gateway's."""

    names: Mapping[str, str] = field(default_factory=dict)
    off: frozenset[str] = NOTHING
    break_glass: frozenset[str] = NOTHING
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    subjects: Mapping[str, frozenset[str]] = field(default_factory=dict)
    stands_for: Mapping[str, frozenset[str]] = field(default_factory=dict)
    agents_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    groups_of_connection: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def subjects_of(self, principal_ids: Iterable[str]) -> frozenset[str]:
        """The gateway identities behind these principals."""
        return frozenset().union(*(self.subjects.get(one, NOTHING) for one in principal_ids))

    def groups_above(self, member_id: str) -> frozenset[str]:
        """Every group that holds this member, directly or through other groups."""
        found: set[str] = set()
        edge = {member_id}
        while edge:
            edge = {group for group, members in self.members.items() if members & edge} - found
            found |= edge
        return frozenset(found)

    def principals_in(self, member_id: str) -> frozenset[str]:
        """The principal itself, or everybody inside when the id is a group's."""
        seen: set[str] = set()
        edge = {member_id}
        while edge:
            seen |= edge
            edge = {one for group in edge for one in self.members.get(group, NOTHING)} - seen
        return frozenset(seen - self.members.keys())

    def gateway_groups(self, group_ids: Iterable[str]) -> frozenset[str]:
        """The names under which these Entra groups may appear at the gateway."""
        return frozenset().union(*(self.stands_for.get(one, NOTHING) for one in group_ids))

    def label(self, gateway_group: str) -> str:
        """A gateway group as people know it: an object id becomes the Entra group's name."""
        return self.names.get(gateway_group.lower(), gateway_group)

    def reaches(self, groups: frozenset[str], connection: str) -> bool:
        """Whether an identity with these groups reaches a connection; yes wherever that cannot be known."""
        needed = self.groups_of_connection.get(connection)
        return needed is None or ADMIN_GROUP in groups or bool(needed & groups)


def draw(directory: Json, snapshot: Json, links: IdentityLinks) -> Picture:
    """The picture that a directory, a gateway snapshot and the identity map make together."""
    kinds = ("users", "groups", "servicePrincipals", "applications")
    everything = [row for kind in kinds for row in directory[kind]] + directory["deleted"]
    groups = directory["groups"]
    return Picture(
        names={row["id"]: row.get("displayName") or row["id"] for row in everything},
        off=frozenset(row["id"] for row in everything if is_off(row)) | {row["id"] for row in directory["deleted"]},
        break_glass=frozenset(row["id"] for row in everything if _addresses(row) & links.break_glass),
        members={group["id"]: frozenset(group["members"]) for group in groups},
        subjects=_subjects(directory, snapshot, links),
        stands_for={group["id"]: _names_of(group, links) for group in groups},
        agents_of=_agents_of(directory),
        groups_of_connection=groups_of_connection(snapshot),
    )


def is_off(row: Json) -> bool:
    """Whether Entra says that this principal, or the application behind it, is disabled."""
    return row.get("accountEnabled") is False or bool(row.get("isDisabled") or row.get("disabledByMicrosoftStatus"))


def groups_of_connection(snapshot: Json) -> dict[str, frozenset[str]]:
    """For each connection, the groups that access control lets in; no entry where attributes may let in more."""
    plugin = snapshot.get("access_control")
    if not plugin:
        return {}
    granted = {row["name"]: frozenset(row["config"] or ()) for row in plugin["connections"] or ()}
    plain = (row["name"] for row in snapshot["connections"] if not row.get("attributes"))
    return {name: granted.get(name, NOTHING) for name in plain}


def _subjects(directory: Json, snapshot: Json, links: IdentityLinks) -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    by_address: defaultdict[str, set[str]] = defaultdict(set)
    for user in snapshot["users"]:
        by_address[(user.get("email") or "").casefold()].add(user["id"])
    people = [*directory["users"], *(row for row in directory["deleted"] if row["@odata.type"].endswith("ser"))]
    for person in people:
        for address in _addresses(person):
            found[person["id"]] |= by_address.get(address, set())
    for account in snapshot["service_accounts"]:
        found[account["subject"].lower()].add(account["subject"])
    keys = (*snapshot["api_keys"], *snapshot["ai_agents"], *snapshot["machine_identities"])
    for principal_id, tied in links.agents.items():
        found[principal_id] |= {key["id"] for key in keys if tied & {key["id"], key["name"]}} | (
            tied & {account["subject"] for account in snapshot["service_accounts"]}
        )
    return {principal_id: frozenset(subjects) for principal_id, subjects in found.items() if subjects}


def _addresses(row: Json) -> frozenset[str]:
    """The object id and every address, without regard to case."""
    return frozenset(row[name].casefold() for name in ("id", "mail", "userPrincipalName") if row.get(name))


def _names_of(group: Json, links: IdentityLinks) -> frozenset[str]:
    spelled = {group["id"], group.get("displayName") or ""}
    mapped = [links.groups[name] for name in spelled if name in links.groups]
    return frozenset(spelled - {""}).union(*mapped)


def _agents_of(directory: Json) -> dict[str, frozenset[str]]:
    agents: defaultdict[str, set[str]] = defaultdict(set)
    for row in directory["servicePrincipals"]:
        if row.get("agentIdentityBlueprintId"):
            agents[row["agentIdentityBlueprintId"]].add(row["id"])
    blueprints = (row for row in directory["applications"] if row["@odata.type"].endswith("agentIdentityBlueprint"))
    return {row["id"]: frozenset(agents[row["id"]] | agents[row.get("appId") or ""]) for row in blueprints}
