"""Report posture: one scan, judged, compared with the report before, and kept for whoever may read it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from shared.domain.posture.blast_radius import BlastRadius, blast_radii
from shared.domain.posture.catalogue import ALL_APP_CHECKS, IN_TENANT_CHECKS, TENANT_CHECKS, judge_app, judge_tenant
from shared.domain.posture.check import unknown
from shared.domain.posture.coverage_beside import sources_beside
from shared.domain.posture.coverage_block import coverage_block
from shared.domain.posture.estate_facts import InCommon, Tenant
from shared.domain.posture.exceptions import Exemption
from shared.domain.posture.finding import About, Finding, ObjectKind
from shared.domain.posture.gateway_catalogue import ESTATE_CHECKS, judge_estate
from shared.domain.posture.gateway_view import Estate
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.jobs import report_id_of
from shared.domain.posture.report import Basis, Report, Snapshot, build_report
from shared.domain.posture.rules import PostureRules
from shared.domain.posture.scan import Judge
from shared.domain.posture.vault_judge import VAULT_CHECKS, Vaulted
from shared.errors import RejectedError, RetryLaterError
from shared.handlers.except_findings import except_findings
from shared.handlers.look_closer import look_closer
from shared.handlers.name_owners import name_owners
from shared.handlers.prepare_announcement import Judged, prepare_announcement
from shared.handlers.read_estate import EstatePorts, EstateRules, read_estate
from shared.handlers.read_tenant import TenantPorts, read_tenant
from shared.handlers.read_vaults import read_vaults
from shared.handlers.scan_inventory import ScanPorts, ScanRules, scan_inventory
from shared.ports import ApprovalRules, Ports, Reports, Rules, SessionLog, Vaults
from shared.ports.reports import ANNOUNCEMENT, SNAPSHOT
from shared.wire.announcement import encode_announcement
from shared.wire.report import Pictured, encode_snapshot, parse_snapshot, report_files

FIRST = Unknown("first-report")


@dataclass(frozen=True, slots=True)
class ReportPorts:
    """Everything outside that a report needs; what `tenant` and `vaults` would tell is unknown without them."""

    scan: ScanPorts
    reports: Reports
    around: Ports
    log: SessionLog
    tenant: TenantPorts | None = None
    vaults: Vaults | None = None


@dataclass(frozen=True, slots=True)
class ReportRules:
    """What the operator decided about reports; `asking` is `None` where nobody is told of them in Teams."""

    tenant: Tenant
    gateway: Rules
    posture: PostureRules = field(default_factory=PostureRules)
    asking: ApprovalRules | None = None
    scan: ScanRules = field(default_factory=ScanRules)


@dataclass(frozen=True, slots=True)
class Published:
    """A report that is there for readers."""

    report_id: str
    report: Report


async def report_posture(ports: ReportPorts, rules: ReportRules) -> Published:
    """The newest report: what the tenant looks like now, and what has changed since the report before.

    Raises:
        AlreadyDecidedError: `scan-under-way`: somebody else makes one now.
        RetryLaterError: storage cannot be reached; the scan goes on from where it was.
    """
    async with scan_inventory(ports.scan, rules.scan, partial(_learn, ports, rules), partial(_judging, rules)) as scan:
        report_id = report_id_of(scan.at)
        before = await _previous(ports.reports, report_id)
        estate = await _estate(scan.at, ports, rules)
        vaulted = await _vaulted(ports, rules)
        closer = await look_closer(scan, rules.posture.limits, vaulted)
        seen, radii = await _judge_estate(estate, scan.at, ports, rules)
        of_tenant = judge_tenant(scan.tenant, scan.at, rules.posture.limits)
        findings = (*scan.findings, *of_tenant, *closer.vault_findings, *seen)
        declared = await except_findings(findings, scan.apps(), scan.at, rules.posture, ports.around)
        beside = sources_beside(scan.tenant, estate, vaulted, has_resources=bool(rules.posture.facts.protected))
        exempt = (*await _exempt(ports.around), *declared)
        coverage, name = coverage_block(scan.coverage, beside), rules.tenant.name or rules.tenant.tenant_id
        report = build_report(findings, Basis(scan.at, name, _titles(), coverage, before, exempt))
        reaches, widest = [one.reach for one in radii], next(iter(radii), None)
        pictured = Pictured(closer.credentials, reaches, widest, closer.rotations)
        files = {**report_files(report, pictured), SNAPSHOT: encode_snapshot(report.snapshot())}
        if rules.asking is not None and ports.around.posture is not None:
            known = estate.value if isinstance(estate, Known) else None
            judged = Judged(findings, scan.apps(), known, declared)
            told = await prepare_announcement(report_id, report, judged, ports.around, rules.asking)
            files[ANNOUNCEMENT] = encode_announcement(told)
        await ports.reports.put(report_id, files)
    return Published(report_id, report)


async def _previous(reports: Reports, report_id: str) -> Known[Snapshot] | Unknown:
    """What the report before left; one that is damaged is unknown, and then nothing is called new or fixed.

    This report itself is there already when its scan could not be ended: it would find nothing new beside itself.
    """
    before = next((known for known in await reports.list_ids() if known != report_id), None)
    if before is None:
        return FIRST
    data = await reports.read(before, SNAPSHOT)
    return Unknown("snapshot-missing") if data is None else parse_snapshot(data)


async def _estate(at: datetime, ports: ReportPorts, rules: ReportRules) -> Known[Estate] | Unknown:
    """The gateway as a whole; one that does not answer is said so."""
    try:
        reading = EstatePorts(ports.around, ports.log, ports.tenant.audit if ports.tenant is not None else None)
        return Known(await read_estate(reading, EstateRules(rules.gateway, rules.posture), at))
    except (RetryLaterError, RejectedError) as error:
        return Unknown(error.reason)


async def _judge_estate(
    estate: Known[Estate] | Unknown, at: datetime, ports: ReportPorts, rules: ReportRules
) -> tuple[tuple[Finding, ...], tuple[BlastRadius, ...]]:
    """What is said of the gateway, and how far everybody reaches there."""
    if isinstance(estate, Unknown):
        gateway = About(ObjectKind.TENANT, "gateway", "gateway")
        return tuple(unknown(name, gateway, estate) for name in ESTATE_CHECKS), ()
    found = judge_estate(estate.value, at, rules.posture.limits)
    return await name_owners(found, estate.value, ports.around.directory), blast_radii(estate.value, at)


async def _learn(ports: ReportPorts, rules: ReportRules, common: InCommon, at: datetime) -> Tenant:
    return rules.tenant if ports.tenant is None else await read_tenant(rules.tenant, common, at, ports.tenant)


def _judging(rules: ReportRules, tenant: Tenant, at: datetime) -> Judge:
    limits_of = tenant.limits_of(rules.posture.limits)
    return lambda app: judge_app(app, at, limits_of(app), tenant)


async def _exempt(ports: Ports) -> Sequence[Exemption]:
    return await ports.posture.exemptions.all() if ports.posture is not None else ()


def _titles() -> dict[str, str]:
    catalogues = (ALL_APP_CHECKS, IN_TENANT_CHECKS, TENANT_CHECKS, ESTATE_CHECKS, VAULT_CHECKS)
    return {check.check_id: check.title for catalogue in catalogues for check in catalogue.values()}


async def _vaulted(ports: ReportPorts, rules: ReportRules) -> Vaulted:
    return await read_vaults(ports.vaults, rules.posture.vaults) if ports.vaults is not None else Vaulted()
