"""Check rotation: which credentials are due, overdue or not really changed, told once to owners and security."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from tempfile import TemporaryFile
from typing import BinaryIO

from shared.domain.posture.coverage import Coverage, SourceState
from shared.domain.posture.estate_facts import InCommon, Tenant
from shared.domain.posture.rotation import RotationState
from shared.domain.posture.rotation_ledger import LedgerHead, NotedApp, side_by_side
from shared.domain.posture.rotation_look import RotationLook, Sight
from shared.domain.posture.rotation_news import AppNews
from shared.domain.posture.rotation_troubles import FIRST, STARTED_ANEW, troubles_of
from shared.domain.posture.rules import PostureRules
from shared.domain.posture.scan import Judge, Learning, Source
from shared.errors import RejectedError
from shared.handlers.read_tenant import known
from shared.handlers.read_vaults import read_vaults
from shared.handlers.scan_inventory import AT_ONCE, Scan, ScanPorts, ScanRules, scan_inventory
from shared.handlers.tell_rotation import Outbox, tell_owners, tell_security
from shared.ports import Notices, Queue, RotationLedger, TenantPolicies, Vaults
from shared.wire.rotation_ledger import LedgerWriter, check_ledger, ledger_lines

MOST_LISTED = 60
_LISTING = frozenset({Source.APPLICATIONS, Source.SERVICE_PRINCIPALS})


@dataclass(frozen=True, slots=True)
class RotationPorts:
    """Everything outside that a check of rotation needs; without `notices` nobody is told."""

    scan: ScanPorts
    ledger: RotationLedger
    policies: TenantPolicies
    vaults: Vaults
    queue: Queue
    notices: Notices | None = None


@dataclass(frozen=True, slots=True)
class RotationRules:
    """What the operator decided: thresholds, vaults, the channel, and how many owners hear at a time."""

    posture: PostureRules = field(default_factory=PostureRules)
    scan: ScanRules = field(default_factory=ScanRules)


@dataclass(frozen=True, slots=True)
class RotationCheck:
    """What a check came to, in numbers; `notices` are the ids of the cards that are on their way.

    `events` counts what is new by kind. `owners_waiting` applications have news that their owners hear another day.
    """

    at: datetime
    apps: int
    states: Mapping[RotationState, int]
    events: Mapping[str, int]
    notices: tuple[str, ...] = ()
    owners_waiting: int = 0
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ledger:
    """The ledger as it was, in a file of ours; without a head there is none to go by."""

    file: BinaryIO
    version: str | None = None
    head: LedgerHead | None = None
    troubles: tuple[str, ...] = (FIRST,)

    def lines(self) -> Iterator[NotedApp]:
        return ledger_lines(self.file) if self.head is not None else iter(())

    def has_heard(self, trouble: str) -> bool:
        return self.head is not None and trouble in self.head.troubles


async def check_rotation(
    ports: RotationPorts, rules: RotationRules, asked_at: datetime | None = None
) -> RotationCheck | None:
    """What is new about rotation, on its way to owners and security; `None` if it was checked since `asked_at`.

    Repeated after a death, it tells the same again under the same ids, which Teams shows once.

    Raises:
        AlreadyDecidedError: `scan-under-way`, or somebody else has checked meanwhile.
        RetryLaterError: storage or the queue cannot be reached; nothing counts as told.
    """
    with TemporaryFile() as stored, TemporaryFile() as draft, TemporaryFile() as final:
        ledger = await _stored(ports.ledger, stored)
        if asked_at is not None and ledger.head is not None and ledger.head.at >= asked_at:
            return None
        async with scan_inventory(ports.scan, rules.scan, _learning(ports.policies), _judge_nothing) as scan:
            sight = await _sight(scan, ports, rules)
            look = RotationLook(sight, most_listed=MOST_LISTED, most_owners=rules.posture.owners.most)
            await _see_everything(look, ledger, scan, draft)
            troubles = (
                *ledger.troubles,
                *troubles_of(scan.coverage, scan.tenant, sight.vaulted, look.unclaimed()),
            )
            desk = _Desk(ports, rules, ledger, scan.coverage.scan_id)
            notices = await desk.tell(look, sight, troubles) if sight.tells else ()
            told = LedgerHead(scan.at, troubles if sight.tells else ())
            await _write(final, told, _with_owners(draft, look.for_owners if sight.tells else ()))
            await ports.ledger.save(final, ledger.version)
    news = look.news
    return RotationCheck(scan.at, look.apps, news.states, news.events, notices, look.owners_waiting, troubles)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where cards are written."""

    ports: RotationPorts
    rules: RotationRules
    ledger: _Ledger
    scan_id: str

    async def tell(self, look: RotationLook, sight: Sight, troubles: tuple[str, ...]) -> tuple[str, ...]:
        """The ids of the notices: one for each owner's application, and the list, if there is anything new in it."""
        notices = self.ports.notices
        if notices is None:
            return ()
        # A list that was told again on another day, because there was no ledger, is another list.
        since = self.ledger.version or f"{sight.at:%Y%m%d}"
        outbox = Outbox(notices, self.ports.queue, self.ports.scan.clock, self.scan_id, since)
        fresh = tuple(one for one in troubles if not self.ledger.has_heard(one))
        news = replace(look.news, troubles=troubles)
        told = await tell_owners(look.for_owners, news, outbox)
        if not news.events and not fresh:
            return told
        return (*told, await tell_security(news, self.rules.posture.channel, outbox))


async def _stored(ledger: RotationLedger, file: BinaryIO) -> _Ledger:
    version = await ledger.read(file)
    if version is None:
        return _Ledger(file)
    try:
        return _Ledger(file, version, await asyncio.to_thread(check_ledger, file), ())
    except RejectedError as error:
        return _Ledger(file, version, None, (STARTED_ANEW.format(reason=error.reason),))


def _learning(policies: TenantPolicies) -> Learning:
    """Of the tenant nothing but its policies matters here."""

    async def learn(_in_common: InCommon, _at: datetime) -> Tenant:
        policy, own = await known(policies.app_management()), await known(policies.own_app_management())
        return Tenant(policy=policy, own_policies=own)

    return learn


def _judge_nothing(_tenant: Tenant, _at: datetime) -> Judge:
    return lambda _app: ()


async def _sight(scan: Scan, ports: RotationPorts, rules: RotationRules) -> Sight:
    return Sight(
        scan.at,
        rules.posture.limits,
        scan.tenant,
        await read_vaults(ports.vaults, rules.posture.vaults),
        is_whole=_is_whole(scan.coverage),
        tells=ports.notices is not None and bool(rules.posture.channel),
    )


def _is_whole(coverage: Coverage) -> bool:
    """Whether every application and principal was read, so that what is missing is gone."""
    complete = {one.source for one in coverage.sources if one.state is SourceState.COMPLETE}
    return complete >= _LISTING


async def _see_everything(look: RotationLook, ledger: _Ledger, scan: Scan, draft: BinaryIO) -> None:
    pairs = side_by_side(ledger.lines(), scan.apps())
    await _write(draft, LedgerHead(scan.at), (look.see(before, app) for before, app in pairs))


def _with_owners(draft: BinaryIO, told: Iterable[AppNews]) -> Iterator[NotedApp]:
    """The lines again, with what the chosen owners hear now."""
    heard = {one.object_id: one.words for one in told}
    for line in ledger_lines(draft):
        owners_told = {*line.owners_told, *heard.get(line.object_id, ())}
        yield replace(line, owners_told=tuple(sorted(owners_told)))


async def _write(file: BinaryIO, head: LedgerHead, lines: Iterable[NotedApp]) -> None:
    """The whole ledger; the scan's claim is renewed meanwhile."""
    writer = LedgerWriter(file, head)
    for number, line in enumerate(lines):
        writer.write(line)
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
    writer.end()
