"""A made-up tenant's report, as small or as large as a test wants it, the same each time."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from shared.domain.approval import Person
from shared.domain.posture.coverage_block import CoverageBlock, SourceRead
from shared.domain.posture.exceptions import Acceptance, Class, Classification, Exemption
from shared.domain.posture.figures import CredentialFigures, Reach, Week
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity, Verdict
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.report import Basis, Remembered, Report, Snapshot, build_report
from shared.wire.report import Pictured

AT = datetime(2026, 3, 2, 6, tzinfo=UTC)
LAST_WEEK = AT - timedelta(days=7)
MARY = Person("cccccccc-0000-4000-8000-000000000003", "Mary Somerville")

TITLES = {
    "A1": "Stale: no token for 90 days",
    "A4": "Stale and privileged",
    "B1": "Nobody owns it",
    "B3": "Every owner is gone",
    "B6": "An agent without a sponsor",
    "C2": "A credential ends soon",
    "C3": "A secret lives too long",
    "C9": "Rotated, but the old one still opens",
    "C12": "A credential on a principal of Microsoft's",
    "D1": "A federation subject that is too broad",
    "E1": "A permission that can take the tenant over",
    "F2": "No instance lock",
    "G1": "An agent in more than one task group",
    "G3": "Access that was never used",
    "G7": "Switched off in Entra, alive at the gateway",
}
_SAYS = {
    "A1": "No token was asked for in 143 days, as client or as resource.",
    "A4": "No token was asked for in 201 days, and it may change any role in the tenant.",
    "B1": "No person owns it, and one of its secrets is live.",
    "B3": "All of its owners are disabled or deleted.",
    "B6": "Nobody answers for this agent: its sponsors are empty.",
    "C2": "The secret ends in 6 days and was used yesterday.",
    "C3": "The secret was issued for 730 days; this tenant allows 180.",
    "C9": "A newer secret has been in use for 21 days; the older one still opens the door.",
    "C12": "Somebody added a secret to a principal that belongs to Microsoft.",
    "D1": "Any branch of any repository of the organisation can become this application.",
    "E1": "It holds RoleManagement.ReadWrite.Directory and can make itself Global Administrator.",
    "F2": "It serves other tenants, where anybody can add credentials to its principal.",
    "G1": "It is in two task groups: invoices and payroll. Together they reach both sides of a payment.",
    "G3": "Its group opens pg-payroll, which it has not opened since it was let in 97 days ago.",
    "G7": "Entra disabled it 12 days ago; it is still in a group at the gateway.",
}
_FIXES = {
    "A1": 'PATCH /applications/{id} {"isDisabled": true}, wait 15 days, then DELETE; it can be restored for 30 days.',
    "C2": 'POST /applications/{id}/addPassword {"passwordCredential": {"endDateTime": "2026-08-29T00:00:00Z"}}',
    "G1": "DELETE /groups/7d2f8a4e-0000-4000-8000-000000000009/members/{id}/$ref",
}
_FIX = "DELETE /servicePrincipals/{id}/appRoleAssignments/5a2c1b7e-0000-4000-8000-00000000000a, after its owner agreed."
_NAMES = (
    "invoice-agent",
    "payroll-sync",
    "crm-export",
    "terraform-deploy",
    "backup-runner",
    "hr-onboarding-agent",
    "grafana-sso",
    "data-lake-loader",
    "support-triage-agent",
    "legacy-portal",
)
_OWNERS = ("Ada Lovelace", "Grace Hopper", "Mary Somerville", "Emmy Noether", "Hedy Lamarr")
_SEVERITIES = {"A4": 4, "C12": 4, "E1": 4, "B3": 3, "B6": 3, "C9": 3, "D1": 3, "F2": 3, "G1": 3, "G7": 3, "B1": 2}
COVERAGE = CoverageBlock(
    (
        SourceRead("applications", 6_427, 6_427, "", frozenset({ObjectKind.APPLICATION})),
        SourceRead("service principals", 11_046, 11_046, "", frozenset({ObjectKind.SERVICE_PRINCIPAL})),
        SourceRead("sign-in activity", 9_113, None),
        SourceRead("credential activity", 0, None, "no-licence"),
        SourceRead("gateway sessions", 48_201, 48_201),
    ),
    ("Workload ID Premium",),
)


@dataclass(frozen=True, slots=True)
class Reached:
    connection: str
    groups: tuple[str, ...]
    approvals: tuple[str, ...] = ()
    last_opened: datetime | None = None


@dataclass(frozen=True, slots=True)
class Blast:
    name: str
    reached: tuple[Reached, ...]
    object_id: str = "cccccccc-0000-4000-8000-0000000000b1"


BLAST = Blast(
    "invoice-agent",
    (
        Reached("pg-invoices", ("task-invoices",), (), AT - timedelta(days=1)),
        Reached("pg-ledger", ("task-invoices",), ("finance-leads",), AT - timedelta(days=12)),
        Reached("s3-archive", ("task-invoices", "task-archive"), (), None),
        Reached("pg-payroll", ("task-payroll",), ("hr-leads",), None),
        Reached("k8s-batch", ("task-payroll",), (), None),
    ),
)
FIGURES = CredentialFigures(
    (212, 340, 411, 268, 190, 77),
    9,
    {date(2026, 3, 2) + timedelta(days=day): (day * 7919) % 11 for day in range(91) if (day * 7919) % 3 == 0},
    4,
)
REACHES = (
    Reach("invoice-agent", 5, 2, "cccccccc-0000-4000-8000-0000000000b1"),
    Reach("payroll-sync", 14, 3),
    Reach("terraform-deploy", 22, 20),
    Reach("support-triage-agent", 11, 0),
    Reach("data-lake-loader", 9, 9),
    Reach("hr-onboarding-agent", 7, None),
    Reach("backup-runner", 18, 6, "machine-identity/backup runner/eu"),
    Reach("crm-export", 4, 1),
)
PICTURED = Pictured(FIGURES, REACHES, BLAST)


def finding(check_id: str, number: int, severity: Severity | None = None) -> Finding:
    """The finding of one check about one made-up object."""
    seeded = random.Random(f"{check_id}{number}")  # noqa: S311 - made-up data
    kind = ObjectKind.AGENT_IDENTITY if check_id[0] == "G" or check_id == "B6" else ObjectKind.APPLICATION
    object_id = f"aaaaaaaa-0000-4000-8000-{number:012d}"
    key_id = f"bbbbbbbb-0000-4000-8000-{number:012d}" if check_id[0] == "C" else ""
    worst = Severity(_SEVERITIES.get(check_id, 2 - number % 2))
    return Finding(
        check_id,
        About(kind, object_id, f"{_NAMES[number % len(_NAMES)]}-{number}", key_id, f"dddd{object_id[4:]}"),
        worst if severity is None else severity,
        _SAYS[check_id],
        Verdict.FAIL,
        (("last token", f"2025-{seeded.randint(1, 12):02d}-11"), ("created", f"20{seeded.randint(17, 25)}-05-04")),
        () if check_id == "B1" else tuple(seeded.sample(_OWNERS, seeded.randint(1, 3))),
        _FIXES.get(check_id, _FIX).replace("{id}", object_id),
    )


def findings(count: int) -> list[Finding]:
    """As many findings as wanted, of every check."""
    checks = sorted(TITLES)
    return [finding(checks[(number * 7) % len(checks)], number) for number in range(count)]


def unknown(check_id: str, number: int, reason: str = "no-licence") -> Finding:
    """A check that could not be made."""
    about = replace(finding(check_id, number).about, key_id="")
    return Finding(check_id, about, Severity.INFO, "Not judged.", Verdict.UNKNOWN, (("missing", reason),))


def before(seen: list[Finding], at: datetime = LAST_WEEK) -> Snapshot:
    """The last report, which knew these findings for some weeks."""
    known = {
        each.finding_id: Remembered(each, at - timedelta(days=(index * 13) % 120)) for index, each in enumerate(seen)
    }
    weeks = tuple(
        Week(
            date(2025, 12, 8) + timedelta(weeks=week),
            {
                Severity.CRITICAL: 9 - week // 2,
                Severity.HIGH: 26 - week,
                Severity.MEDIUM: 40 - week * 2 + (week % 3) * 3,
                Severity.LOW: 22 - week,
                Severity.INFO: 0,
            },
        )
        for week in range(12)
        if week != 4
    )
    return Snapshot(at, known, weeks)


def report(count: int = 60) -> Report:
    """A report with everything in it: new, fixed, worse, lapsing, lapsed, unseen, accepted and not judged."""
    now = findings(count)
    milder = [replace(each, severity=Severity.LOW) for each in now[2:4]]
    earlier = [*milder, *now[10:], *(finding("B3", 9_000 + number) for number in range(5)), finding("C9", 9_100)]
    accepted = AT - timedelta(days=20)
    exemptions: list[Exemption] = [
        Acceptance(now[11].finding_id, Severity.CRITICAL, "Switched off in April", MARY, accepted, AT + timedelta(9)),
        Acceptance(now[12].finding_id, Severity.CRITICAL, "Migration until May", MARY, accepted, AT + timedelta(60)),
        Acceptance(now[13].finding_id, Severity.CRITICAL, "Vendor works on it", MARY, accepted, AT - timedelta(2)),
        Classification(now[14].finding_id, Class.NOT_OURS, MARY, accepted),
    ]
    not_judged = [unknown("C9", 9_100), *(unknown("C9", 100_000 + number) for number in range(40))]
    basis = Basis(AT, "Contoso Pharma", TITLES, COVERAGE, Known(before(earlier)), exemptions)
    return build_report([*now, *not_judged], basis)


def first_report(count: int = 8) -> Report:
    """A report with nothing before it, of a tenant that was read as a whole."""
    whole = CoverageBlock(COVERAGE.sources[:2])
    return build_report(findings(count), Basis(AT, "Contoso Pharma", TITLES, whole, Unknown("first-report")))


def quiet_report(count: int = 8) -> Report:
    """A report in which nothing has changed."""
    whole = CoverageBlock(COVERAGE.sources[:2])
    now = findings(count)
    return build_report(now, Basis(AT, "Contoso Pharma", TITLES, whole, Known(before(now))))


def poisoned(text: str) -> tuple[Report, Pictured]:
    """A report and its pictures with the text wherever somebody outside Tether can write."""

    def hurt(each: Finding) -> Finding:
        about = replace(each.about, name=text, app_id=text)
        facts = ((text, text), ("owner of", text))
        return replace(each, about=about, says=text, facts=facts, owners=(text, text, text), fix=text)

    now = [hurt(each) for each in findings(6)]
    gone = hurt(finding("B3", 9_000))
    somebody = replace(MARY, name=text)
    exemptions = [
        Acceptance(now[1].finding_id, Severity.CRITICAL, text, somebody, AT - timedelta(20), AT + timedelta(9)),
        Acceptance(now[2].finding_id, Severity.CRITICAL, text, somebody, AT - timedelta(20), AT - timedelta(2)),
    ]
    sources = (SourceRead(text, 3, 4, text, frozenset({ObjectKind.SERVICE_PRINCIPAL})),)
    coverage = CoverageBlock(sources, (text,))
    known = Known(before([*(replace(each, severity=Severity.INFO) for each in now[2:4]), *now[4:], gone]))
    basis = Basis(AT, text, TITLES, coverage, known, exemptions)
    blast = Blast(text, (Reached(text, (text, text + "2"), (text,), AT), Reached(text, (text,))), text)
    pictured = Pictured(FIGURES, (Reach(text, 5, 2, text), Reach(text, 5, None)), blast)
    return build_report([*now, unknown("C9", 1, text)], basis), pictured
