"""Sweep: every few seconds, ask Graph what changed, for what has no notification and for what was lost on the way."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.domain.ledger import is_taken
from shared.domain.principals import Hint, PrincipalChange, PrincipalKind
from shared.domain.records import PrincipalRecord
from shared.domain.subscriptions import DirectoryEvent, DirectoryEventKind
from shared.domain.sweep import DirectoryChange
from shared.errors import AlreadyDecidedError, DeltaLinkLostError
from shared.handlers.hold_sweep import send_or_hold
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
    looks = [look for entry in found for look in await _relevant(entry, records, ports)]
    await send_or_hold(looks, _count_known(looks, records), f"sweep-{resource.lower()}", ports, rules)
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


def _count_known(looks: Sequence[PrincipalChange], records: Records) -> int:
    """How many of those who hold something at the gateway would lose it: strangers do not count."""
    losing = {look.principal_id for look in looks if look.hint.takes_away}
    return sum(1 for id_ in losing if id_ not in records or records[id_].facts is not None)


async def _agents_of(entry: DirectoryChange, ports: Ports) -> Sequence[str]:
    """What an application or blueprint principal does to those that depend on it."""
    if entry.app_id is None or entry.change.kind is PrincipalKind.USER:
        return ()
    dependants = await ports.records.by_app(entry.app_id)
    return [principal.principal_id for principal in dependants if principal.principal_id != entry.change.principal_id]
