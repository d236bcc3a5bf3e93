"""Scan the inventory: every source to its end or to a reason, then every application before the checks, once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.posture.coverage import Coverage, Unjudged
from shared.domain.posture.estate_facts import Tenant
from shared.domain.posture.finding import Finding, Verdict
from shared.domain.posture.inventory import App, CredentialKind, Unknown
from shared.domain.posture.scan import Checkpoint, Judge, Judging, Learning, ScanClaim, Source
from shared.errors import AlreadyDecidedError, RetryLaterError
from shared.handlers.read_sources import SourceReader, together
from shared.ports.posture import AppJoin, Inventory, ScanStore
from shared.ports.running import Alerts, Clock

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class ScanPorts:
    """Everything outside that a scan needs; `show` hears of each page that was read."""

    inventory: Inventory
    store: ScanStore
    clock: Clock
    alerts: Alerts
    new_join: Callable[[], AppJoin]
    show: Callable[[Checkpoint], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class ScanRules:
    """How long a claim lasts that nobody renews, which is how long a killed scan waits before it can go on.

    One that was left unfinished longer than `resume_within` is not gone on with: too much has changed since.
    """

    claim_seconds: float = 120.0
    resume_within: timedelta = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found: the tenant, every failed check, by object id, and the applications once more."""

    coverage: Coverage
    tenant: Tenant
    findings: tuple[Finding, ...]
    apps: Callable[[], Iterator[App]]

    @property
    def at(self) -> datetime:
        """When the scan began: what every age is counted from."""
        return self.coverage.at


@asynccontextmanager
async def scan_inventory(
    ports: ScanPorts, rules: ScanRules, learning: Learning, judging: Judging
) -> AsyncIterator[Scan]:
    """The scan that was left unfinished, else a new one; it is over once the caller is done with it.

    The tenant as a whole is learnt once its applications were read; it is what every application is judged in.

    Raises:
        AlreadyDecidedError: `scan-under-way`: somebody else is at work on it.
        RetryLaterError: storage cannot be reached; what was read is kept, and the next call goes on from there.
    """
    now, expires_at = ports.clock.now(), ports.clock.now() + timedelta(seconds=rules.claim_seconds)
    wanted = ScanClaim(ports.clock.new_id(), now, ports.clock.new_id(), expires_at)
    turn = _Turn(ports, await ports.store.claim(wanted, now - rules.resume_within), rules)
    join = ports.new_join()
    renewal = asyncio.create_task(turn.renew())
    try:
        yield await _look(turn, join, learning, judging)
        await turn.end()
    finally:
        renewal.cancel()
        join.close()


class _Turn:
    """The time in which the scan is ours."""

    def __init__(self, ports: ScanPorts, claim: ScanClaim, rules: ScanRules) -> None:
        self.ports = ports
        self.claim = claim
        self._seconds = rules.claim_seconds
        self._writing = asyncio.Lock()

    async def renew(self) -> None:
        """Keep it; whoever lost it notices at the next checkpoint."""
        while True:
            await asyncio.sleep(self._seconds / 3)
            expires_at = self.ports.clock.now() + timedelta(seconds=self._seconds)
            try:
                async with self._writing:
                    self.claim = await self.ports.store.save_claim(replace(self.claim, expires_at=expires_at))
            except AlreadyDecidedError:
                self.ports.alerts.raise_alert("claim-lost", scan_id=self.claim.scan_id)
                return
            except RetryLaterError:
                continue

    async def end(self) -> None:
        """The next scan is a new one; what older ones kept is deleted."""
        async with self._writing:
            self.claim = await self.ports.store.save_claim(replace(self.claim, ended=True))
        await self.ports.store.forget_others(self.claim.scan_id)


async def _look(turn: _Turn, join: AppJoin, learning: Learning, judging: Judging) -> Scan:
    reader = SourceReader(turn.ports.inventory, turn.ports.store, join, turn.claim, turn.ports.show)
    tenant = Tenant()

    async def learn() -> None:
        nonlocal tenant
        await reader.directory()
        tenant = await learning(join.in_common(reader.missing), turn.claim.at)

    await together(reader.reports(), learn())
    await reader.agent_sign_ins()
    judgement = _Judgement(judging(tenant, turn.claim.at))
    await judgement.first_look(join, reader.missing)
    await reader.details(Source.CERTIFICATES)
    await judgement.second_look(join, reader.missing)
    findings = sorted(judgement.failed, key=_order)
    return Scan(_coverage(turn.claim, reader, judgement), tenant, tuple(findings), lambda: join.apps(reader.missing))


class _Judgement:
    """Failed checks, and how often which check could not be made; a second look where certificates were read since."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.failed: list[Finding] = []
        self.unjudged: Counter[tuple[str, str]] = Counter()
        self.apps = 0

    async def first_look(self, join: AppJoin, missing: dict[Source, Unknown]) -> None:
        """Judge everything; flag what failed and holds a certificate, whose bytes say more."""
        flagged: list[str] = []
        for app in join.apps(missing):
            findings = self._judge(app)
            if _has_certificate(app) and any(one.verdict is Verdict.FAIL for one in findings):
                flagged.append(app.object_id)
            else:
                self._keep(findings)
            await self._breathe()
        join.flag(flagged)

    async def second_look(self, join: AppJoin, missing: dict[Source, Unknown]) -> None:
        """Judge again what was flagged."""
        for app in join.flagged_apps(missing):
            self._keep(self._judge(app))

    def _keep(self, findings: tuple[Finding, ...]) -> None:
        for one in findings:
            if one.verdict is Verdict.FAIL:
                self.failed.append(one)
            else:
                self.unjudged[one.check_id, _reason(one)] += 1

    async def _breathe(self) -> None:
        """Let the claim be renewed meanwhile."""
        self.apps += 1
        if self.apps % AT_ONCE == 0:
            await asyncio.sleep(0)


def _coverage(claim: ScanClaim, reader: SourceReader, judgement: _Judgement) -> Coverage:
    marks = [reader.marks[source] for source in Source if source in reader.marks]
    unjudged = (Unjudged(*why, count) for why, count in sorted(judgement.unjudged.items()))
    return Coverage(
        claim.scan_id,
        claim.at,
        tuple(mark.coverage for mark in marks),
        judgement.apps,
        sum(mark.requests for mark in marks if mark.source is Source.CERTIFICATES),
        tuple(unjudged),
    )


def _has_certificate(app: App) -> bool:
    return any(one.kind is CredentialKind.CERTIFICATE for one in app.credentials)


def _reason(finding: Finding) -> str:
    return dict(finding.facts).get("missing", "")


def _order(finding: Finding) -> tuple[str, ...]:
    return finding.about.object_id, finding.check_id, finding.about.key_id, finding.finding_id
