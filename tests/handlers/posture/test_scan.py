"""A scan: whatever happens on the way, the same tenant leads to the same findings, and what is not known is said."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.graph.posture.names import NameServer
from sandbox.graph.testing import BASE, Tenant, bearer, eventually
from sandbox.tenant import HOST, TENANT_ID
from shared.adapters.graph_audit_log import GraphAuditLog
from shared.adapters.graph_inventory import GraphInventory
from shared.adapters.graph_policies import GraphPolicies
from shared.adapters.inventory_join import SqliteJoin
from shared.adapters.name_servers import DnsNameServers
from shared.domain.posture.catalogue import ALL_APP_CHECKS, IN_TENANT_CHECKS, judge_app, judge_tenant
from shared.domain.posture.check import about_app
from shared.domain.posture.coverage import Coverage, SourceState, Unjudged
from shared.domain.posture.estate_facts import InCommon
from shared.domain.posture.estate_facts import Tenant as EntraTenant
from shared.domain.posture.finding import Finding, Severity, Verdict
from shared.domain.posture.inventory import App, Known, Unknown
from shared.domain.posture.limits import Limits
from shared.domain.posture.scan import NEVER_EMPTY, Checkpoint, Judge, Row, Source
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.handlers.read_tenant import TenantPorts, read_tenant
from shared.handlers.scan_inventory import Scan, ScanPorts, ScanRules, scan_inventory
from shared.ports import NameServers
from shared.wire.inventory_rows import row
from tests.fakes.clock import FakeAlerts, FakeClock
from tests.fakes.scan import FakeInventory, FakeScanStore, KilledError, Ticks

READ_ROLES = (
    "Application.Read.All",
    "AuditLog.Read.All",
    "Policy.Read.All",
    "RoleManagement.Read.Directory",
    "User.Read.All",
)
AT = datetime.fromisoformat("2027-01-10T12:00:00+00:00")
CERTIFICATE = {"id": "k1", "usage": "Verify", "thumbprint": "AAA="}
LISTED = {"owners": [{"id": "u1", "type": "user"}, {"id": "u2", "type": "user"}]}


def rows() -> dict[Source, list[Row]]:
    """Five applications and a principal of somebody else's; one application has a certificate and no owner."""
    applications = [row(f"app-{n}", f"a{n}", {"name": f"name {n}"} | LISTED) for n in range(4)]
    applications.append(row("app-4", "a4", {"keys": [CERTIFICATE]}))
    principals = [row(f"app-{n}", f"p{n}", {"kind": "Application"} | LISTED) for n in (0, 1, 2, 3, 5)]
    principals.append(row("app-4", "p4", {}))
    return {
        Source.APPLICATIONS: applications,
        Source.SERVICE_PRINCIPALS: principals,
        Source.SIGN_INS: [row(f"app-{n}", "", [f"2026-12-0{n + 1}T00:00:00Z"]) for n in range(5)],
        Source.OWNERLESS_APPLICATIONS: [row("a4", "", None)],
        Source.OWNERLESS_PRINCIPALS: [row("p4", "", None)],
        Source.FEDERATED_APPLICATIONS: [row("a1", "", None)],
        Source.FEDERATED_CREDENTIALS: [row("a1", "", [{"name": "f", "issuer": "https://i.example"}])],
        Source.DIRECTORY_ROLES: [row("p2", "x", "role-1")],
        Source.PEOPLE: [row("users/u1", "", {"enabled": True}), row("users/u2", "", {"enabled": False})],
        Source.CERTIFICATES: [row("a4", "k1", {"bits": 1024, "algorithm": "sha1"})],
    }


async def learn(_: InCommon, at: datetime) -> EntraTenant:
    """The tenant is known by the day on which it was looked at."""
    return EntraTenant(f"{at:%d.%m.}")


def judge(app: App, tenant: EntraTenant) -> tuple[Finding, ...]:
    """Ownerless applications and weak certificates fail; use that is not known can not be judged."""
    found = []
    if app.owners == Known(()):
        found.append(Finding("B1", about_app(app), Severity.MEDIUM, f"Nobody owned it on {tenant.tenant_id}"))
    found += [
        Finding("C14", about_app(app, one.key_id), Severity.MEDIUM, f"{one.key_bits} bits")
        for one in app.credentials
        if one.key_bits is not None
    ]
    if isinstance(app.last_used_at, Unknown):
        missing = (("missing", app.last_used_at.reason),)
        found.append(Finding("A6", about_app(app), Severity.INFO, "?", Verdict.UNKNOWN, missing))
    return tuple(found)


def judging(tenant: EntraTenant, _: datetime) -> Judge:
    return partial(judge, tenant=tenant)


class Stage:
    """A tenant, a store and a clock, and scans of one by the others."""

    def __init__(self, found: Mapping[Source, Sequence[Row]] | None = None) -> None:
        self.inventory = FakeInventory(rows() if found is None else found)
        self.store = FakeScanStore()
        self.clock = FakeClock()
        self.alerts = FakeAlerts()
        self.shown: list[Checkpoint] = []
        self.rules = ScanRules()

    def ports(self) -> ScanPorts:
        return ScanPorts(self.inventory, self.store, self.clock, self.alerts, SqliteJoin, self.shown.append)

    async def scan(self) -> tuple[Coverage, tuple[Finding, ...], list[App]]:
        async with scan_inventory(self.ports(), self.rules, learn, judging) as scan:
            return scan.coverage, scan.findings, [*scan.apps()]

    def state(self, coverage: Coverage, source: Source) -> tuple[SourceState, str]:
        (found,) = (one for one in coverage.sources if one.source == source)
        return found.state, found.reason


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_scan_reads_every_source_and_judges_every_application_once(stage: Stage) -> None:
    coverage, findings, apps = await stage.scan()

    assert [app.object_id for app in apps] == ["a0", "a1", "a2", "a3", "a4", "p5"]
    assert [(one.check_id, one.about.object_id) for one in findings] == [("B1", "a4"), ("C14", "a4")]
    assert {one.source for one in coverage.sources} == set(Source) - {Source.AGENT_SIGN_INS}
    assert coverage.is_complete
    assert coverage.apps == 6


async def test_progress_is_shown_with_every_page(stage: Stage) -> None:
    await stage.scan()

    shown = [mark.rows for mark in stage.shown if mark.source is Source.APPLICATIONS]
    assert shown == [2, 4, 5, 5]


async def test_owner_of_either_object_counts_and_people_are_looked_up_once(stage: Stage) -> None:
    await stage.scan()

    people = [keys for source, keys in stage.inventory.looked_up if source is Source.PEOPLE]
    assert people == [("users/u1", "users/u2")]


async def test_certificates_are_read_of_what_failed_and_holds_one(stage: Stage) -> None:
    coverage, findings, _ = await stage.scan()

    certificates = [keys for source, keys in stage.inventory.looked_up if source is Source.CERTIFICATES]
    assert certificates == [("applications/a4",)]
    assert [(one.check_id, one.about.key_id) for one in findings] == [("B1", ""), ("C14", "k1")]
    assert coverage.certificate_requests == 1
    assert coverage.requests == sum(one.requests for one in coverage.sources) - 1


@pytest.mark.parametrize("source", sorted(set(Source) - {Source.AGENT_SIGN_INS}))
async def test_source_that_fails_is_unknown_and_the_scan_goes_on(stage: Stage, source: Source) -> None:
    stage.inventory.failures[source] = RejectedError("graph-403")

    coverage, _, apps = await stage.scan()

    asked = source in stage.inventory.asked or source in {one for one, _ in stage.inventory.looked_up}
    assert stage.state(coverage, source) == (
        (SourceState.UNKNOWN, "graph-403") if asked else (SourceState.COMPLETE, "")
    )
    assert apps or source is Source.SERVICE_PRINCIPALS
    assert coverage.is_complete is not asked


def with_an_agent(stage: Stage) -> Stage:
    stage.inventory.rows[Source.SERVICE_PRINCIPALS].append(row("g1", "g1", {"agent": True}))
    stage.inventory.rows[Source.AGENT_SIGN_INS] = [
        row("g1", f"2026-12-0{n}", f"2026-12-0{n}T23:59:59Z") for n in (3, 2)
    ]
    return stage


async def test_log_of_agents_is_read_where_there_is_one_and_says_when_it_worked_last(stage: Stage) -> None:
    coverage, _, apps = await with_an_agent(stage).scan()

    assert stage.state(coverage, Source.AGENT_SIGN_INS) == (SourceState.COMPLETE, "")
    assert stage.inventory.asked_at[Source.AGENT_SIGN_INS] == coverage.at
    worked = {app.object_id: app.agent_worked_at for app in apps}
    assert worked["g1"] == Known(datetime.fromisoformat("2026-12-03T23:59:59+00:00"))
    assert worked["p5"] == Known(None)


async def test_log_of_agents_that_fails_is_unknown_and_the_scan_goes_on(stage: Stage) -> None:
    with_an_agent(stage).inventory.failures[Source.AGENT_SIGN_INS] = RejectedError("graph-403")

    coverage, findings, apps = await stage.scan()

    assert stage.state(coverage, Source.AGENT_SIGN_INS) == (SourceState.UNKNOWN, "graph-403")
    assert {app.agent_worked_at for app in apps} == {Unknown("graph-403")}
    assert [one.check_id for one in findings] == ["B1", "C14"]


async def test_use_that_was_not_read_is_tallied_and_never_passes(stage: Stage) -> None:
    stage.inventory.failures[Source.SIGN_INS] = RejectedError("no-licence")

    coverage, _, _ = await stage.scan()

    assert coverage.unjudged == (Unjudged("A6", "no-licence", 6),)


async def test_graph_that_stays_busy_is_unknown_too(stage: Stage) -> None:
    stage.inventory.failures[Source.OWNERLESS_PRINCIPALS] = RetryLaterError("graph-429")

    coverage, _, apps = await stage.scan()

    assert stage.state(coverage, Source.OWNERLESS_PRINCIPALS) == (SourceState.UNKNOWN, "graph-429")
    assert all(app.owners == Unknown("graph-429") for app in apps)


@pytest.mark.parametrize("source", sorted(NEVER_EMPTY))
async def test_nothing_at_all_is_suspicious_and_never_clean(stage: Stage, source: Source) -> None:
    stage.inventory.rows[source] = []
    stage.inventory.counts[source] = [0]

    coverage, _, _ = await stage.scan()

    assert stage.state(coverage, source) == (SourceState.UNKNOWN, "empty")
    assert not coverage.is_complete


async def test_empty_tenant_is_not_clean() -> None:
    coverage, findings, apps = await Stage({}).scan()

    assert (findings, apps) == ((), [])
    assert not coverage.is_complete


async def test_page_token_that_expires_has_the_source_read_from_its_beginning(stage: Stage) -> None:
    expected = await Stage().scan()
    stage.inventory.lost[Source.APPLICATIONS] = 2

    coverage, findings, apps = await stage.scan()

    assert (findings, apps) == expected[1:]
    assert coverage.is_complete
    assert stage.inventory.asked[Source.APPLICATIONS] == 2 + 2 + 3


async def test_page_token_that_always_expires_is_given_up(stage: Stage) -> None:
    stage.inventory.lost[Source.APPLICATIONS] = 1000

    coverage, _, apps = await stage.scan()

    assert stage.state(coverage, Source.APPLICATIONS) == (SourceState.UNKNOWN, "page-token-expired")
    assert {app.unread_half for app in apps if app.application is None} == {Unknown("page-token-expired")}


@pytest.mark.parametrize(("counts", "state"), [([5], SourceState.COMPLETE), ([6, 5], SourceState.COMPLETE)])
async def test_count_that_meets_the_rows_now_or_then_is_complete(
    stage: Stage, counts: list[int], state: SourceState
) -> None:
    stage.inventory.counts[Source.APPLICATIONS] = counts

    coverage, _, _ = await stage.scan()

    assert stage.state(coverage, Source.APPLICATIONS) == (state, "")
    assert stage.inventory.asked[Source.APPLICATIONS] == 3


async def test_count_that_does_not_meet_the_rows_has_them_read_once_more_and_then_is_partial(stage: Stage) -> None:
    stage.inventory.counts[Source.APPLICATIONS] = [7]

    coverage, _, apps = await stage.scan()

    assert stage.state(coverage, Source.APPLICATIONS) == (SourceState.PARTIAL, "count-mismatch")
    assert stage.inventory.asked[Source.APPLICATIONS] == 6
    assert {app.unread_half for app in apps if app.application is None} == {Unknown("count-mismatch")}


async def test_row_that_came_twice_does_not_hide_one_that_never_came(stage: Stage) -> None:
    stage.inventory.rows[Source.APPLICATIONS] = [*rows()[Source.APPLICATIONS][:4], rows()[Source.APPLICATIONS][0]]
    stage.inventory.counts[Source.APPLICATIONS] = [5]

    coverage, _, _ = await stage.scan()

    assert stage.state(coverage, Source.APPLICATIONS) == (SourceState.PARTIAL, "count-mismatch")


async def test_second_scan_at_once_is_told_so(stage: Stage) -> None:
    async with scan_inventory(stage.ports(), stage.rules, learn, judging):
        with pytest.raises(AlreadyDecidedError, match="scan-under-way"):
            await stage.scan()


async def test_scan_that_ended_keeps_nothing_of_older_ones(stage: Stage) -> None:
    first, _, _ = await stage.scan()
    second, _, _ = await stage.scan()

    assert first.scan_id != second.scan_id
    assert {scan_id for scan_id, *_ in stage.store.kept} == {second.scan_id}


async def test_report_that_fails_leaves_a_scan_that_need_not_be_read_again(stage: Stage) -> None:
    with pytest.raises(RetryLaterError, match="report"):
        async with scan_inventory(stage.ports(), stage.rules, learn, judging):
            raise RetryLaterError("report")
    asked = stage.inventory.asked.total()
    stage.clock.advance(stage.rules.claim_seconds)

    await stage.scan()

    assert stage.inventory.asked.total() == asked


async def test_storage_that_is_gone_ends_the_scan_and_not_a_source(stage: Stage) -> None:
    stage.store.lives, stage.store.death = 20, RetryLaterError("storage-unreachable")

    with pytest.raises(RetryLaterError, match="storage-unreachable"):
        await stage.scan()

    assert all(mark.state is not SourceState.UNKNOWN for mark in stage.store.marks.values())


async def test_claim_is_renewed_while_the_caller_works(stage: Stage) -> None:
    stage.rules = ScanRules(claim_seconds=0.03)
    async with scan_inventory(stage.ports(), stage.rules, learn, judging):
        before = stage.store.claimed
        stage.clock.advance(0.02)
        await eventually(lambda: stage.store.claimed != before)

    assert stage.store.claimed is not None
    assert stage.store.claimed.ended


async def test_claim_that_was_lost_is_told_and_ends_the_scan(stage: Stage) -> None:
    stage.rules = ScanRules(claim_seconds=0.03)

    async def scan_while_another_takes_over() -> None:
        async with scan_inventory(stage.ports(), stage.rules, learn, judging):
            stage.clock.advance(1)
            other = Stage()
            other.store, other.clock = stage.store, stage.clock
            async with scan_inventory(other.ports(), ScanRules(), learn, judging):
                await eventually(lambda: bool(stage.alerts.raised))

    with pytest.raises(AlreadyDecidedError):
        await scan_while_another_takes_over()

    assert stage.alerts.reasons == {"claim-lost": 1}


async def test_ages_are_counted_from_when_the_scan_began_even_if_it_was_resumed(stage: Stage) -> None:
    began, stage.store.lives = stage.clock.now(), 30
    with pytest.raises(KilledError):
        await stage.scan()
    stage.store.lives = None
    stage.clock.advance(3600)

    coverage, _, _ = await stage.scan()

    assert coverage.at == began


async def test_scan_that_was_left_too_long_is_begun_anew(stage: Stage) -> None:
    stage.store.lives = 30
    with pytest.raises(KilledError):
        await stage.scan()
    stage.store.lives = None
    stage.clock.advance(stage.rules.resume_within / timedelta(seconds=1) + 1)

    coverage, _, _ = await stage.scan()

    assert coverage.at == stage.clock.now()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(1, 40), max_size=12), st.integers(0, 2), st.randoms(use_true_random=False))
async def test_scan_that_is_killed_anywhere_finds_what_an_undisturbed_one_finds(
    lives: list[int], lost: int, chance: random.Random
) -> None:
    expected = await Stage().scan()
    stage = Stage()
    stage.inventory.lost[Source.SERVICE_PRINCIPALS] = lost
    for some in stage.inventory.rows.values():
        chance.shuffle(some)
    for until in lives:
        stage.store.lives = until
        try:
            await stage.scan()
        except KilledError:
            stage.clock.advance(stage.rules.claim_seconds)
    stage.store.lives = None

    coverage, findings, apps = await stage.scan()

    assert apps == expected[2]
    assert [one.finding_id for one in findings] == [one.finding_id for one in expected[1]]
    assert coverage.is_complete


async def test_page_that_was_checkpointed_is_not_read_again(stage: Stage) -> None:
    for until in (10, 20, 30, 40, 50):
        stage.store.lives = until
        try:
            await stage.scan()
        except KilledError:
            stage.clock.advance(stage.rules.claim_seconds)
    stage.store.lives = None

    await stage.scan()

    assert stage.inventory.asked[Source.APPLICATIONS] <= 3 + 5


async def test_page_that_is_gone_from_storage_has_its_source_read_again(stage: Stage) -> None:
    expected = await Stage().scan()
    with pytest.raises(RetryLaterError, match="report"):
        async with scan_inventory(stage.ports(), stage.rules, learn, judging):
            raise RetryLaterError("report")
    stage.clock.advance(stage.rules.claim_seconds)
    stage.store.kept = {key: some for key, some in stage.store.kept.items() if key[1:] != (Source.APPLICATIONS, 0, 1)}

    coverage, _, apps = await stage.scan()

    assert apps == expected[2]
    assert coverage.is_complete
    assert stage.inventory.asked[Source.APPLICATIONS] == 6


@pytest.fixture
async def tenant() -> AsyncIterator[Tenant]:
    """The stand-in with all that is planted in it."""
    tenant = Tenant()
    tenant.clock.now = AT.timestamp()
    wish = {"seed": 7, "applications": 0, "service_principals": 0, "at": AT.isoformat()}
    (await tenant.client.post("/sandbox/posture", json=wish)).raise_for_status()
    await switch(tenant, reportsPer10Seconds=0, keyCredentialsPerMinute=0)
    yield tenant
    await tenant.close()


async def switch(tenant: Tenant, **switches: object) -> None:
    (await tenant.client.put("/sandbox/posture/switches", json=switches)).raise_for_status()


@pytest.fixture
async def names() -> AsyncIterator[DnsNameServers]:
    """The sandbox's own name server."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(NameServer, local_addr=(HOST, 0))
    yield DnsNameServers([transport.get_extra_info("sockname")])
    transport.close()


async def scan_stand_in(tenant: Tenant, names: NameServers) -> Scan:
    stage = Stage()
    stage.clock.time = AT
    inventory = graph(tenant)
    around = TenantPorts(GraphPolicies(inventory.graph), names, GraphAuditLog(inventory.graph))

    async def learn_all(common: InCommon, at: datetime) -> EntraTenant:
        return await read_tenant(EntraTenant(TENANT_ID), common, at, around)

    ports = ScanPorts(inventory, stage.store, stage.clock, stage.alerts, SqliteJoin)
    async with scan_inventory(ports, ScanRules(), learn_all, judge_all) as scan:
        return scan


def judge_all(tenant: EntraTenant, at: datetime) -> Judge:
    limits_of = tenant.limits_of(Limits())
    return lambda app: judge_app(app, at, limits_of(app), tenant)


def graph(tenant: Tenant) -> GraphInventory:
    async def headers() -> Mapping[str, str]:
        return bearer(*READ_ROLES)

    ticks = Ticks()
    return GraphInventory(tenant.client, headers, BASE, clock=ticks, sleep=ticks.sleep)


async def test_all_that_is_planted_is_found_and_no_innocent(tenant: Tenant, names: NameServers) -> None:
    truth = (await tenant.client.get("/sandbox/posture/expected")).json()

    scan = await scan_stand_in(tenant, names)

    failed = [*scan.findings, *judge_tenant(scan.tenant, scan.at, Limits())]
    found = {(one.check_id, one.about.object_id, one.about.key_id) for one in failed}
    guilty, innocent = (
        {(one["check_id"], one["object_id"], one["key_id"]) for one in truth[kind]}
        for kind in ("positives", "innocents")
    )
    assert {one[0] for one in guilty} >= ({*ALL_APP_CHECKS, *IN_TENANT_CHECKS} - {"A6"})
    assert guilty - found == set()
    assert innocent & found == set()
    unjudged = {(one.check_id, one.reason) for one in scan.coverage.unjudged if one.check_id in IN_TENANT_CHECKS}
    assert unjudged == {("F7", "private-zone")}


async def test_tenant_that_is_read_twice_shuffled_and_throttled_has_the_same_findings(
    tenant: Tenant, names: NameServers
) -> None:
    first = await scan_stand_in(tenant, names)
    await switch(tenant, shuffle=True, throttle={"percent": 10, "retryAfter": 0, "seed": 3})

    second = await scan_stand_in(tenant, names)

    assert second.tenant == first.tenant
    assert second.findings == first.findings
    assert second.coverage.unjudged == first.coverage.unjudged


async def test_agents_are_not_judged_by_the_report_alone_when_their_log_is_refused(
    tenant: Tenant, names: NameServers
) -> None:
    await switch(tenant, fail={"/beta/auditLogs": 403})

    scan = await scan_stand_in(tenant, names)

    assert {one.source: one.reason for one in scan.coverage.incomplete} == {"agent-sign-ins": "graph-403"}
    assert "A7" not in {one.check_id for one in scan.findings}
    (unjudged,) = [one for one in scan.coverage.unjudged if one.check_id == "A7"]
    truth = (await tenant.client.get("/sandbox/posture/expected")).json()
    guilty = [one for one in truth["positives"] if one["check_id"] == "A7"]
    innocent = [one for one in truth["innocents"] if one["check_id"] == "A7" and "the log shows it" in one["why"]]
    assert (unjudged.reason, unjudged.objects) == ("graph-403", len(guilty) + len(innocent))


@pytest.mark.parametrize(("switch_name", "reason"), [("unlicensed", "no-licence"), ("sovereign", "graph-400")])
async def test_tenant_without_the_reports_is_judged_by_the_rest(
    tenant: Tenant, names: NameServers, switch_name: str, reason: str
) -> None:
    await switch(tenant, **{switch_name: True})

    scan = await scan_stand_in(tenant, names)

    states = {one.source: (one.state, one.reason) for one in scan.coverage.incomplete}
    assert states == dict.fromkeys(("sign-ins", "credential-sign-ins"), (SourceState.UNKNOWN, reason))
    checks = {one.check_id for one in scan.findings}
    assert {"B1", "C1", "D1", "E1", "F1"} <= checks
    assert not checks & {"A1", "A2", "A3", "A4"}
