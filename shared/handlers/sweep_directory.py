"""Sweep: every few seconds, ask Graph what changed, for what has no notification and for what was lost on the way."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.domain.ledger import is_taken
from shared.domain.principals import Hint, PrincipalChange, PrincipalKind
from shared.domain.records import PrincipalRecord
from shared.domain.subscriptions import DirectoryEvent, DirectoryEventKind
from shared.domain.sweep import DirectoryChange
from shared.errors import AlreadyDecidedError, DeltaLinkLostError, RetryLaterError
from shared.handlers.hold_sweep import Sweep, send_or_hold
from shared.handlers.identify_principal import resolve_map
from shared.ports import Ports, Rules

PARALLEL_READS = 16
RESOURCES = ("users", "groups", "servicePrincipals", "applications")


async def sweep_directory(resource: str, ports: Ports, rules: Rules) -> int:
    """The number of looks that one sweep of one resource led to; where it goes on is stored last.

    A sweep that has nowhere to start from, or whose link Graph has forgotten, starts from now and has everybody looked
    at. Two sweeps at once enqueue the same looks, which changes nothing, and only one of them advances.
    """
    started = ports.clock.now()
    link, version = await ports.delta_links.read(resource)
    if link is None:
        await _start_over(resource, version, "first sweep", ports)
        return 0
    try:
        found, next_link = await _read_pages(resource, link, ports)
    except DeltaLinkLostError as error:
        await _start_over(resource, version, error.reason, ports)
        return 0
    records = await _read_records(found, ports)
    relevant = [look for entry in found for look in await _relevant(entry, records, ports)]
    looks = await _that_matter(relevant, ports, rules)
    await send_or_hold(_sweep(f"sweep-{resource.lower()}-{started:%Y%m%dT%H%M%S}", looks, records), ports, rules)
    await _advance(resource, next_link, version, ports)
    ports.alerts.measure("sweep", (ports.clock.now() - started).total_seconds(), resource=resource)
    return len(looks)


async def _read_pages(resource: str, link: str, ports: Ports) -> tuple[Sequence[DirectoryChange], str]:
    found: list[DirectoryChange] = []
    while True:
        page = await ports.directory.delta(resource, link)
        found += page.changes
        link = page.link
        if page.is_last:
            return found, link


async def _start_over(resource: str, version: str | None, because: str, ports: Ports) -> None:
    """Count from now on first, and only then look at everybody, so that nothing falls in between.

    The link is kept last: whoever fails before that starts over again.
    """
    link = await ports.directory.latest_delta_link(resource)
    missed = DirectoryEvent(DirectoryEventKind.MISSED, "", f"{because}: {resource}", ports.clock.new_id())
    await ports.queue.send_directory_events([missed])
    await _advance(resource, link, version, ports)


async def _advance(resource: str, link: str, version: str | None, ports: Ports) -> None:
    try:
        await ports.delta_links.save(resource, link, version)
    except AlreadyDecidedError:
        return


Records = Mapping[str, PrincipalRecord]


async def _read_records(found: Sequence[DirectoryChange], ports: Ports) -> Records:
    """What we remember about everybody in a sweep, a few reads at a time."""
    ids = sorted({entry.change.principal_id for entry in found})
    records: dict[str, PrincipalRecord] = {}
    for start in range(0, len(ids), PARALLEL_READS):
        part = ids[start : start + PARALLEL_READS]
        records.update(zip(part, await asyncio.gather(*map(ports.records.read, part)), strict=True))
    return records


async def _relevant(entry: DirectoryChange, records: Records, ports: Ports) -> Sequence[PrincipalChange]:
    """The looks that matter: at principals we know, at groups, and at strangers who lost something."""
    change = entry.change
    agents = [
        replace(change, principal_id=agent, kind=PrincipalKind.SERVICE_PRINCIPAL)
        for agent in await _agents_of(entry, ports)
    ]
    record = records[change.principal_id]
    ledger = record.state.ledger if record.state else ()
    if change.kind is PrincipalKind.APP_REGISTRATION or (change.hint.takes_away and is_taken(ledger, change)):
        return agents
    if change.kind is PrincipalKind.GROUP or change.hint.takes_away or (record.facts and ledger):
        return [*agents, change]
    if record.facts and change.group_id is None:
        return [*agents, replace(change, hint=Hint.CHANGED)]
    return agents


async def _that_matter(looks: Sequence[PrincipalChange], ports: Ports, rules: Rules) -> Sequence[PrincipalChange]:
    """The looks without removals from groups that stand for nothing at the gateway, directly or by nesting."""
    groups = {look.group_id for look in looks if look.hint is Hint.REMOVED_FROM_GROUP and look.group_id}
    if not groups:
        return looks
    identity_map, names_known = await resolve_map(ports, rules)
    governed = identity_map.governed_groups(await ports.gateway.roster())
    idle = {group for group in groups - governed if names_known and not await _reaches(group, governed, ports)}
    return [look for look in looks if look.hint is not Hint.REMOVED_FROM_GROUP or look.group_id not in idle]


async def _reaches(group: str, governed: frozenset[str], ports: Ports) -> bool:
    """Whether a group is nested in one that matters; one that Graph says nothing about may be."""
    try:
        return bool(governed and await ports.directory.memberships(group, governed))
    except RetryLaterError:
        return True


def _sweep(hold_id: str, looks: Sequence[PrincipalChange], records: Records) -> Sweep:
    """The looks in two parts; of those who may lose something, strangers do not count."""
    taking = [look for look in looks if look.hint.takes_away]
    losers = {look.principal_id for look in taking if look.kind is not PrincipalKind.GROUP}
    known = [id_ for id_ in losers if id_ not in records or records[id_].facts is not None]
    return Sweep(hold_id, taking, [look for look in looks if not look.hint.takes_away], len(known))


async def _agents_of(entry: DirectoryChange, ports: Ports) -> Sequence[str]:
    """What an application or blueprint principal does to those that depend on it."""
    if entry.app_id is None or entry.change.kind is PrincipalKind.USER:
        return ()
    dependants = await ports.records.by_app(entry.app_id)
    return [principal.principal_id for principal in dependants if principal.principal_id != entry.change.principal_id]
