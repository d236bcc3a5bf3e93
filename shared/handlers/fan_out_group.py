"""Fan out: what happens to a group happens to everybody who holds access through it."""

from collections.abc import Iterable
from dataclasses import replace

from shared.domain.gateway import Roster
from shared.domain.identity_map import IdentityMap, join
from shared.domain.ledger import needed_groups
from shared.domain.principals import AccountState, Hint, PrincipalChange, PrincipalKind
from shared.domain.records import PrincipalRecord
from shared.domain.subscriptions import DirectoryEvent, DirectoryEventKind
from shared.errors import RejectedError, RetryLaterError
from shared.handlers.identify_principal import resolve_map
from shared.ports import Ports, Rules


async def fan_out_group(change: PrincipalChange, ports: Ports, rules: Rules) -> None:
    """Everybody who holds or lost access through the group is looked at, with the same hint.

    Raises:
        RetryLaterError: Graph did not say what the group is nested in, or who is in it.
    """
    identity_map, names_known = await resolve_map(ports, rules)
    if not names_known:
        raise RetryLaterError("graph-silent", "the identity map's group names are not resolved yet")
    roster = await ports.gateway.roster()
    governed = identity_map.governed_groups(roster)
    if change.group_id is None:
        await _fan_out_deletion(change, governed, ports, roster, identity_map)
        return
    affected = governed & {change.group_id}
    affected |= await ports.directory.memberships(change.group_id, governed) if governed else frozenset()
    holders = await _holders(replace(change, via=change.principal_id), affected, ports, roster, identity_map)
    await _send(await _inside(change.principal_id, holders, ports), ports)


async def _inside(group_id: str, holders: list[PrincipalChange], ports: Ports) -> list[PrincipalChange]:
    """Those who are in the nested group: nothing happened to others who are in the same groups by another path."""
    found = await ports.directory.memberships_of_many({holder.principal_id: [group_id] for holder in holders})
    return [holder for holder in holders if found[holder.principal_id]]


async def _fan_out_deletion(
    change: PrincipalChange, governed: frozenset[str], ports: Ports, roster: Roster, identity_map: IdentityMap
) -> None:
    if change.hint is not Hint.DELETED:
        group = await ports.directory.describe(change.principal_id, PrincipalKind.GROUP)
        if group is not None and group.state is not AccountState.DELETED:
            return
    if change.principal_id in governed:
        removal = replace(change, hint=Hint.REMOVED_FROM_GROUP, group_id=change.principal_id)
        await _send(await _holders(removal, frozenset({change.principal_id}), ports, roster, identity_map), ports)
    # What a deleted group was nested in can no longer be asked: everybody is looked at as well.
    missed = DirectoryEvent(DirectoryEventKind.MISSED, "", "group deleted", change.correlation_id)
    await ports.queue.send_directory_events([missed])


async def _send(looks: list[PrincipalChange], ports: Ports) -> None:
    for part in _parts(looks):
        await ports.queue.send(part)


async def _holders(
    change: PrincipalChange, affected: frozenset[str], ports: Ports, roster: Roster, identity_map: IdentityMap
) -> list[PrincipalChange]:
    """A look at everybody who holds or lost one of the affected groups."""
    if not affected:
        return []
    return [
        replace(change, principal_id=record.facts.principal_id, kind=record.facts.kind)
        async for record in ports.records.all()
        if record.facts is not None and affected & _groups_of(record, roster, identity_map)
    ]


def _groups_of(record: PrincipalRecord, roster: Roster, identity_map: IdentityMap) -> frozenset[str]:
    if record.facts is None:
        return frozenset()
    try:
        identities = join(record.facts, roster, identity_map)
    except RejectedError:
        return frozenset()
    held = (groups for identity in identities for groups in identity_map.governed(identity).values())
    return needed_groups(record.state.ledger if record.state else ()).union(*held)


def _parts(changes: list[PrincipalChange], size: int = 500) -> Iterable[list[PrincipalChange]]:
    return (changes[start : start + size] for start in range(0, len(changes), size))
