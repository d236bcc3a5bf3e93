"""Scans: what the store promises, in memory and by Azurite; what the Graph adapter asks, and how it waits."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from azure.storage.blob.aio import BlobServiceClient

from sandbox.graph.testing import BASE, Tenant, bearer
from shared.adapters.blob_scan import BlobScanStore
from shared.adapters.graph_inventory import GraphInventory
from shared.adapters.inventory_join import SqliteJoin
from shared.adapters.inventory_pace import Pace
from shared.domain.posture.coverage import SourceState
from shared.domain.posture.estate_facts import InCommon
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.scan import LISTS, REPORTS, Checkpoint, Page, Row, ScanClaim, Source
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.ports import Inventory, ScanStore
from shared.wire.inventory_rows import row
from tests.fakes.clock import START
from tests.fakes.scan import FakeScanStore, Ticks
from tests.sandbox.azurite_under_test import ACCOUNT, KEY, needs_azurite, running_azurite
from tests.sandbox.host_process import free_port

LATER = START + timedelta(seconds=120)
LONG_AGO = START - timedelta(days=1)
MINE, THEIRS = (ScanClaim(f"scan-{who}", START, who, LATER) for who in ("me", "them"))
ROWS = (Row("a", "1", '{"name":"\\t\\n"}'), Row("b", "2", "null"))
READ_ROLES = ("Application.Read.All", "AuditLog.Read.All", "RoleManagement.Read.Directory", "User.Read.All")


@pytest.fixture(scope="module")
def azurite() -> Iterator[str]:
    with running_azurite("blob") as connection:
        yield connection


@needs_azurite
async def test_container_that_is_gone_is_a_reason_to_try_later(azurite: str) -> None:
    async with BlobServiceClient.from_connection_string(azurite) as blobs:
        store = BlobScanStore(blobs.get_container_client("nowhere"))
        mark = Checkpoint(Source.APPLICATIONS)

        for writing in (store.put_page("scan", mark, ROWS), store.forget_others("scan")):
            with pytest.raises(RetryLaterError, match="storage-unreachable"):
                await writing
        with pytest.raises(AlreadyDecidedError):
            await store.save("scan", mark)
        with pytest.raises(RejectedError, match="page-not-kept"):
            await anext(store.pages("scan", mark.after(Page(ROWS), 2)))


@pytest.fixture(params=["in memory", pytest.param("azurite", marks=needs_azurite)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[ScanStore]:
    if request.param == "in memory":
        yield FakeScanStore()
        return
    async with BlobServiceClient.from_connection_string(request.getfixturevalue("azurite")) as blobs:
        yield BlobScanStore(await blobs.create_container(f"scans{uuid.uuid4().hex}"))


class TestScanStore:
    async def test_first_claim_begins_the_scan_that_was_wanted(self, store: ScanStore) -> None:
        claim = await store.claim(MINE, LONG_AGO)

        assert replace(claim, version=None) == MINE

    async def test_scan_that_somebody_is_at_work_on_is_theirs(self, store: ScanStore) -> None:
        await store.claim(THEIRS, LONG_AGO)

        with pytest.raises(AlreadyDecidedError, match="scan-under-way"):
            await store.claim(MINE, LONG_AGO)

    async def test_scan_whose_claim_has_expired_is_gone_on_with(self, store: ScanStore) -> None:
        await store.claim(THEIRS, LONG_AGO)

        claim = await store.claim(replace(MINE, at=LATER), LONG_AGO)

        assert (claim.scan_id, claim.at, claim.owner) == ("scan-them", START, "me")

    async def test_scan_that_was_left_too_long_is_not_gone_on_with(self, store: ScanStore) -> None:
        await store.claim(THEIRS, LONG_AGO)

        claim = await store.claim(replace(MINE, at=LATER), START + timedelta(seconds=1))

        assert (claim.scan_id, claim.at) == ("scan-me", LATER)

    async def test_scan_that_has_ended_is_followed_by_a_new_one(self, store: ScanStore) -> None:
        ended = await store.claim(THEIRS, LONG_AGO)
        await store.save_claim(replace(ended, ended=True))

        claim = await store.claim(MINE, LONG_AGO)

        assert claim.scan_id == "scan-me"

    async def test_claim_that_was_taken_over_can_not_be_renewed(self, store: ScanStore) -> None:
        lost = await store.claim(THEIRS, LONG_AGO)
        await store.claim(replace(MINE, at=LATER), LONG_AGO)

        with pytest.raises(AlreadyDecidedError):
            await store.save_claim(replace(lost, expires_at=LATER + timedelta(days=1)))

    async def test_of_two_who_claim_at_once_one_wins(self, store: ScanStore) -> None:
        claims = await asyncio.gather(
            store.claim(MINE, LONG_AGO), store.claim(THEIRS, LONG_AGO), return_exceptions=True
        )

        assert sorted(type(one).__name__ for one in claims) == ["AlreadyDecidedError", "ScanClaim"]

    async def test_source_that_was_never_read_is_at_its_beginning(self, store: ScanStore) -> None:
        mark = await store.checkpoint("scan", Source.APPLICATIONS)

        assert (mark.pages, mark.link, mark.is_settled) == (0, None, False)

    async def test_checkpoint_is_read_as_it_was_saved(self, store: ScanStore) -> None:
        mark = await store.checkpoint("scan", Source.SIGN_INS)
        saved = await store.save("scan", mark.after(Page(ROWS, "https://next?$skiptoken=♥", 2, 7), 2))
        settled = await store.save("scan", saved.settled(SourceState.PARTIAL, "count-mismatch"))

        assert await store.checkpoint("scan", Source.SIGN_INS) == settled
        assert (saved.link, saved.pages, saved.rows, saved.requests, saved.counted) == (
            "https://next?$skiptoken=♥",
            1,
            2,
            2,
            7,
        )

    async def test_of_two_who_read_one_source_one_goes_on(self, store: ScanStore) -> None:
        mark = await store.checkpoint("scan", Source.APPLICATIONS)
        await store.save("scan", mark)

        with pytest.raises(AlreadyDecidedError):
            await store.save("scan", mark)

    async def test_page_is_read_as_it_was_kept_last(self, store: ScanStore) -> None:
        mark = await store.checkpoint("scan", Source.APPLICATIONS)
        await store.put_page("scan", mark, ROWS[:1])
        await store.put_page("scan", mark, ROWS)
        second = mark.after(Page(ROWS, "2"), 2)
        await store.put_page("scan", second, ())

        kept = [tuple(rows) async for rows in store.pages("scan", second.after(Page(()), 2))]

        assert kept == [ROWS, ()]

    async def test_page_that_no_checkpoint_counts_is_not_read(self, store: ScanStore) -> None:
        mark = await store.checkpoint("scan", Source.APPLICATIONS)
        await store.put_page("scan", mark, ROWS)

        assert [rows async for rows in store.pages("scan", mark)] == []

    async def test_page_that_is_gone_is_told(self, store: ScanStore) -> None:
        mark = (await store.checkpoint("scan", Source.APPLICATIONS)).after(Page(ROWS), 2)

        with pytest.raises(RejectedError, match="page-not-kept"):
            await anext(store.pages("scan", mark))

    async def test_source_that_was_begun_again_keeps_nothing_of_before(self, store: ScanStore) -> None:
        first = (await store.checkpoint("scan", Source.APPLICATIONS)).after(Page(ROWS, "2"), 2)
        await store.put_page("scan", replace(first, pages=0), ROWS)
        again = first.restarted()
        await store.put_page("scan", again, ROWS[1:])

        kept = [tuple(rows) async for rows in store.pages("scan", again.after(Page(ROWS[1:]), 1))]

        assert kept == [ROWS[1:]]

    async def test_other_scans_are_forgotten(self, store: ScanStore) -> None:
        for scan_id in ("old", "scan"):
            mark = await store.checkpoint(scan_id, Source.APPLICATIONS)
            await store.put_page(scan_id, mark, ROWS)
            await store.save(scan_id, mark.after(Page(ROWS), 2))

        await store.forget_others("scan")

        assert (await store.checkpoint("old", Source.APPLICATIONS)).pages == 0
        kept = await store.checkpoint("scan", Source.APPLICATIONS)
        assert [tuple(rows) async for rows in store.pages("scan", kept)] == [ROWS]


async def test_store_that_is_gone_is_a_reason_to_try_later() -> None:
    url = f"http://127.0.0.1:{free_port()}/{ACCOUNT}"
    async with BlobServiceClient(url, credential=KEY, retry_total=0) as blobs:
        store = BlobScanStore(blobs.get_container_client("scans"))
        mark = FakeScanStore().checkpoint("scan", Source.APPLICATIONS)
        for work in (
            store.claim(MINE, LONG_AGO),
            store.checkpoint("scan", Source.APPLICATIONS),
            store.put_page("scan", await mark, ROWS),
            store.forget_others("scan"),
        ):
            with pytest.raises(RetryLaterError, match="storage-unreachable"):
                await work


class Server:
    """Answers of Graph by path, each once and the last for ever; `seen` are the requests in order."""

    def __init__(self, answers: Mapping[str, list[httpx.Response]]) -> None:
        self.seen: list[httpx.Request] = []
        self._answers = {path: [*some] for path, some in answers.items()}
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer), base_url=BASE)
        self.time = Ticks()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        waiting = self._answers[request.url.path]
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


async def _no_headers() -> Mapping[str, str]:
    return {"Authorization": "Bearer token"}


def inventory(server: Server) -> GraphInventory:
    return GraphInventory(server.client, _no_headers, BASE, clock=server.time, sleep=server.time.sleep)


def page(*values: object, **more: object) -> httpx.Response:
    return httpx.Response(200, json={"value": values, **{f"@odata.{name}": value for name, value in more.items()}})


def refusal(status: int, code: str = "", **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=headers, json={"error": {"code": code, "message": "no"}})


BUSY = refusal(429, "TooManyRequests", **{"Retry-After": "1"})
APPLICATIONS, SIGN_INS = "/v1.0/applications", "/beta/reports/servicePrincipalSignInActivities"
BATCH = "/v1.0/$batch"


class TestGraphInventory:
    async def test_lists_are_read_999_at_a_time_behind_everything_else(self) -> None:
        server = Server({APPLICATIONS: [page({"id": "a", "appId": "b"})]})

        found = await inventory(server).page(Source.APPLICATIONS, None)

        (request,) = server.seen
        assert request.url.params["$top"] == "999"
        assert "keyCredentials" in request.url.params["$select"]
        assert request.headers["x-ms-throttle-priority"] == "low"
        assert "consistencylevel" not in request.headers
        assert [one.ident for one in found.rows] == ["a"]
        assert found.link is None

    async def test_filters_on_a_number_are_advanced_queries_with_a_count(self) -> None:
        server = Server({APPLICATIONS: [page({"id": "a"}, count=1)]})

        found = await inventory(server).page(Source.OWNERLESS_APPLICATIONS, None)

        (request,) = server.seen
        assert request.headers["consistencylevel"] == "eventual"
        assert request.url.params["$filter"] == "owners/$count eq 0"
        assert found.counted == 1

    async def test_busy_graph_is_waited_for_and_asked_again(self) -> None:
        server = Server({APPLICATIONS: [BUSY, refusal(503, **{"Retry-After": "0"}), page()]})

        found = await inventory(server).page(Source.APPLICATIONS, None)

        assert found.requests == 3

    async def test_failing_graph_is_given_up_after_a_few_tries(self) -> None:
        server = Server({APPLICATIONS: [refusal(502)]})

        with pytest.raises(RetryLaterError, match="graph-502"):
            await inventory(server).page(Source.APPLICATIONS, None)

        assert len(server.seen) == 4
        assert server.time.slept == [1, 2, 4]

    async def test_wait_that_would_never_end_is_not_waited(self) -> None:
        server = Server({APPLICATIONS: [refusal(429, **{"Retry-After": "86400"})]})

        with pytest.raises(RetryLaterError, match="graph-429"):
            await inventory(server).page(Source.APPLICATIONS, None)

        assert len(server.seen) == 1

    async def test_log_of_agents_is_read_back_for_as_long_as_entra_keeps_it(self) -> None:
        log = "/beta/auditLogs/signIns"
        first = {"servicePrincipalId": "Agent", "createdDateTime": "2026-11-20T22:30:00-02:00", "status": None}
        second = first | {"createdDateTime": "2026-11-21T07:00:00Z", "status": {"errorCode": 0}}
        refused = first | {"createdDateTime": "2026-11-22T07:00:00Z", "status": {"errorCode": 7000222}}
        server = Server({log: [httpx.Response(200, json={"value": [refused, second, first]})]})

        found = await inventory(server).page(Source.AGENT_SIGN_INS, None, datetime(2026, 11, 22, 12, tzinfo=UTC))

        assert set(found.rows) == {Row("agent", "2026-11-21", '"2026-11-21T23:59:59Z"')}
        asked = server.seen[0].url.params
        assert asked["$filter"].endswith(
            "agent/agentType eq 'AgentIdentity' and createdDateTime ge 2026-10-23T12:00:00Z"
        )
        assert asked["$select"] == "id,createdDateTime,servicePrincipalId,status"

    @pytest.mark.parametrize(
        "wrong", [{"createdDateTime": "2026-11-20T22:30:00Z"}, {"servicePrincipalId": "", "createdDateTime": "no day"}]
    )
    async def test_sign_in_of_nobody_or_of_no_day_is_nonsense(self, wrong: dict[str, str]) -> None:
        server = Server({"/beta/auditLogs/signIns": [httpx.Response(200, json={"value": [wrong]})] * 9})

        with pytest.raises(RetryLaterError, match="nonsense"):
            await inventory(server).page(Source.AGENT_SIGN_INS, None)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (refusal(403, "Authorization_RequestDenied"), "graph-403"),
            (refusal(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"), "no-licence"),
            (refusal(400, "BadRequest"), "graph-400"),
            (refusal(404), "graph-404"),
        ],
    )
    async def test_refusal_is_asked_once_and_says_why(self, answer: httpx.Response, reason: str) -> None:
        server = Server({SIGN_INS: [answer]})

        with pytest.raises(RejectedError) as raised:
            await inventory(server).page(Source.SIGN_INS, None)

        assert raised.value.reason == reason
        assert len(server.seen) == 1

    @pytest.mark.parametrize(
        "answer",
        [refusal(400, "DirectoryPageTokenNotFoundException"), refusal(410), refusal(400, "Directory_ExpiredPageToken")],
    )
    async def test_page_token_that_has_expired_is_told_apart(self, answer: httpx.Response) -> None:
        server = Server({APPLICATIONS: [answer]})

        with pytest.raises(RejectedError, match="page-token-expired"):
            await inventory(server).page(Source.APPLICATIONS, f"{BASE}{APPLICATIONS}?$skiptoken=x")

    async def test_link_to_another_host_gets_no_token(self) -> None:
        server = Server({})

        with pytest.raises(RejectedError, match="graph-answered-nonsense"):
            await inventory(server).page(Source.APPLICATIONS, "https://elsewhere.example/v1.0/applications")

        assert server.seen == []

    async def test_resources_are_read_one_after_the_other_by_whatever_link_graph_gives(self) -> None:
        def resource(app_id: str) -> str:
            return f"/v1.0/servicePrincipals(appId='{app_id}')"

        graph, exchange = "00000003-0000-0000-c000-000000000000", "00000002-0000-0ff1-ce00-000000000000"
        assigned = {"id": "x", "principalId": "p", "resourceId": "r", "appRoleId": "1"}
        server = Server(
            {
                resource(graph): [httpx.Response(200, json={"id": "r", "appId": graph, "appRoles": []})],
                f"{resource(graph)}/appRoleAssignedTo": [
                    page(assigned, nextLink=f"{BASE}/v1.0/servicePrincipals/r/appRoleAssignedTo?$skiptoken=2")
                ],
                "/v1.0/servicePrincipals/r/appRoleAssignedTo": [page(assigned | {"id": "y"})],
                resource(exchange): [refusal(404)],
            }
        )
        asked, link = inventory(server), None
        for _ in range(4):
            link = (await asked.page(Source.APP_ROLES, link)).link

        assert [request.url.path.rpartition("/v1.0/")[2] for request in server.seen] == [
            f"servicePrincipals(appId='{graph}')",
            f"servicePrincipals(appId='{graph}')/appRoleAssignedTo",
            "servicePrincipals/r/appRoleAssignedTo",
            f"servicePrincipals(appId='{exchange}')",
        ]
        assert link is not None

    async def test_only_the_refused_items_of_a_batch_are_asked_again(self) -> None:
        def answers(*statuses: tuple[str, int]) -> httpx.Response:
            return httpx.Response(
                200,
                json={
                    "responses": [
                        {"id": number, "status": status, "headers": {"Retry-After": "1"}, "body": {"value": []}}
                        for number, status in statuses
                    ]
                },
            )

        server = Server({BATCH: [answers(("0", 200), ("1", 429), ("2", 500)), answers(("1", 200), ("2", 404))]})

        found = await inventory(server).look_up(Source.OWNERS, ["applications/a", "applications/b", "applications/c"])

        asked = [[item["id"] for item in json.loads(request.content)["requests"]] for request in server.seen]
        assert asked == [["0", "1", "2"], ["1", "2"]]
        assert [one.key for one in found.rows] == ["a", "b"]
        assert found.requests == 2

    @pytest.mark.parametrize("document", [{}, {"responses": None}, {"responses": [{"id": "0"}]}, {"responses": [5]}])
    async def test_batch_that_makes_no_sense_is_a_reason_to_try_later(self, document: object) -> None:
        server = Server({BATCH: [httpx.Response(200, json=document)]})

        with pytest.raises(RetryLaterError, match="graph-answered-nonsense"):
            await inventory(server).look_up(Source.OWNERS, ["applications/a"])

    async def test_item_that_is_forbidden_ends_the_source(self) -> None:
        body = {"responses": [{"id": "0", "status": 403, "body": {}}]}
        server = Server({BATCH: [httpx.Response(200, json=body)]})

        with pytest.raises(RejectedError, match="graph-403"):
            await inventory(server).look_up(Source.OWNERS, ["applications/a"])


class TestPace:
    async def test_no_window_ever_holds_more_than_the_limit(self) -> None:
        ticks = Ticks()
        pace = Pace(5, 10, ticks, ticks.sleep)
        sent = []
        for _ in range(23):
            await pace.slot()
            sent.append(ticks.now)

        assert all(later - earlier > 10 for earlier, later in zip(sent, sent[5:], strict=False))
        assert len(ticks.slept) == 4

    async def test_refusal_holds_back_everybody_who_waits(self) -> None:
        ticks = Ticks()
        pace = Pace(5, 10, ticks, ticks.sleep)
        pace.shut(30)
        pace.shut(3)

        await asyncio.gather(*(pace.slot() for _ in range(5)))

        assert ticks.slept == [30.0]

    async def test_refusal_while_somebody_waits_is_waited_out_as_well(self) -> None:
        ticks = Ticks()
        pace = Pace(1, 10, ticks, ticks.sleep)
        await pace.slot()
        waiting = asyncio.create_task(pace.slot())
        await asyncio.sleep(0)
        pace.shut(20)
        await waiting

        assert ticks.slept[0] == 10.1
        assert ticks.now >= 120


@pytest.fixture
async def tenant() -> AsyncIterator[Tenant]:
    """The stand-in with everything that can be planted, and no more; Graph's limits are lifted."""
    tenant = Tenant()
    wish = {"seed": 7, "applications": 0, "service_principals": 0}
    (await tenant.client.post("/sandbox/posture", json=wish)).raise_for_status()
    lifted = {"reportsPer10Seconds": 0, "keyCredentialsPerMinute": 0}
    (await tenant.client.put("/sandbox/posture/switches", json=lifted)).raise_for_status()
    yield tenant
    await tenant.close()


def graph(tenant: Tenant) -> Inventory:
    async def headers() -> Mapping[str, str]:
        return bearer(*READ_ROLES)

    return GraphInventory(tenant.client, headers, BASE)


async def read(port: Inventory, join: SqliteJoin, sources: tuple[Source, ...]) -> None:
    for source in sources:
        link: str | None = None
        while True:
            found = await port.page(source, link)
            join.add(source, found.rows)
            link = found.link
            if link is None:
                break


async def detail(port: Inventory, join: SqliteJoin, *sources: Source) -> None:
    for source in sources:
        keys = join.keys(source)
        for start in range(0, len(keys), 20):
            join.add(source, (await port.look_up(source, keys[start : start + 20])).rows)


@pytest.fixture
def join() -> Iterator[SqliteJoin]:
    join = SqliteJoin()
    yield join
    join.close()


async def test_every_source_of_the_stand_in_is_read_and_joined(tenant: Tenant, join: SqliteJoin) -> None:
    port = graph(tenant)
    await read(port, join, (*LISTS, *REPORTS))
    await detail(port, join, Source.FEDERATED_CREDENTIALS, Source.AGENTS, Source.OWNERS, Source.PEOPLE)

    apps = list(join.apps({}))

    assert [app.object_id for app in apps] == sorted({app.object_id for app in apps})
    assert await port.count(Source.APPLICATIONS) == sum(app.application is not None for app in apps)
    assert await port.count(Source.SERVICE_PRINCIPALS) == sum(app.principal is not None for app in apps)
    assert not [app.name for app in apps if isinstance(app.owners, Unknown)]
    told: dict[str, Callable[[Any], bool]] = {
        "agents": lambda app: app.principal and app.principal.is_agent and app.principal.blueprint_id != "not-read",
        "sponsored": lambda app: app.sponsors != Known(()) and isinstance(app.sponsors, Known),
        "trusting": lambda app: app.federated != Known(()),
        "permitted": lambda app: app.app_roles != Known(()),
        "consented": lambda app: app.delegated_scopes != Known(frozenset()),
        "in a role": lambda app: app.directory_roles != Known(()),
        "used": lambda app: app.last_used_at != Known(None),
        "keys used": lambda app: app.credential_uses != Known({}),
    }
    assert {name: any(is_so(app) for app in apps) for name, is_so in told.items()} == dict.fromkeys(told, True)


async def test_certificates_are_read_of_flagged_applications_only(tenant: Tenant, join: SqliteJoin) -> None:
    port = graph(tenant)
    await read(port, join, (Source.APPLICATIONS, Source.SERVICE_PRINCIPALS))
    flagged = next(app for app in join.apps({}) if app.name == "weak RSA 1024")
    join.flag([flagged.object_id])

    await detail(port, join, Source.CERTIFICATES)

    (found,) = join.flagged_apps({})
    assert join.keys(Source.CERTIFICATES) == [f"applications/{flagged.object_id}"]
    assert [one.key_bits for one in found.credentials] == [1024]


class TestJoin:
    def test_row_that_is_read_twice_counts_once_and_the_latest_stands(self, join: SqliteJoin) -> None:
        first, second = (row("b", "a", {"name": name}) for name in ("old", "new"))

        assert join.add(Source.APPLICATIONS, [first]) == 1
        assert join.add(Source.APPLICATIONS, [second, second]) == 1
        assert [app.name for app in join.apps({})] == ["new"]

    def test_principal_without_registration_and_registration_without_principal_are_both_told(
        self, join: SqliteJoin
    ) -> None:
        join.add(Source.APPLICATIONS, [row("b1", "a2", {})])
        join.add(Source.SERVICE_PRINCIPALS, [row("b2", "a1", {})])

        found = [(app.object_id, app.application is None, app.principal is None) for app in join.apps({})]

        assert found == [("a1", True, False), ("a2", False, True)]

    def test_agent_is_never_joined_with_a_registration(self, join: SqliteJoin) -> None:
        join.add(Source.APPLICATIONS, [row("b", "a", {"blueprint": True})])
        join.add(Source.SERVICE_PRINCIPALS, [row("b", "c", {"agent": True}), row("b", "d", {})])

        found = [(app.object_id, app.principal and app.principal.object_id) for app in join.apps({})]

        assert found == [("a", "d"), ("c", "c")]
        assert join.keys(Source.AGENTS) == ["applications/a", "servicePrincipals/c"]

    @pytest.mark.parametrize("source", [Source.APPLICATIONS, Source.SERVICE_PRINCIPALS, Source.SIGN_INS])
    def test_source_that_is_begun_again_has_no_rows(self, join: SqliteJoin, source: Source) -> None:
        join.add(source, [row("b", "a", {})])

        join.forget(source)

        assert join.add(source, []) == 0

    def test_what_applications_have_in_common_is_told(self, join: SqliteJoin) -> None:
        def keys(*thumbprints: str) -> dict[str, Any]:
            return {"keys": [{"id": f"k-{one}", "thumbprint": one} for one in thumbprints]}

        web = [
            "https://A.contoso.example/x",
            "https://*.contoso.example",
            "http://localhost",
            "ms-app://x",
            "https://[",
        ]
        join.add(
            Source.APPLICATIONS,
            [
                row("app-1", "a1", keys("T1", "T2", "") | {"web": web, "spa": ["https://b.contoso.example:8443/"]}),
                row("app-2", "a2", keys("T1", "T1", "") | {"web": ["https://a.contoso.example", "https://10.0.0.1"]}),
                row("app-3", "a3", {"secrets": [{"id": "s", "thumbprint": "T2"}]}),
            ],
        )
        join.add(Source.SERVICE_PRINCIPALS, [row("app-1", "p1", keys("T2", "T3")), row("app-4", "p4", keys("T3"))])
        trusted = [{"subject": subject} for subject in ("P4", "gone", "repo:contoso/orders")]
        join.add(Source.FEDERATED_CREDENTIALS, [row("a1", "", trusted), row("a2", "", [])])

        assert join.in_common({}) == InCommon(
            Known(3),
            Known(frozenset({"p4"})),
            Known({"T1": ("app-1", "app-2"), "T3": ("app-1", "app-4")}),
            Known(frozenset({"a.contoso.example", "b.contoso.example"})),
        )

    def test_what_applications_have_in_common_is_unknown_where_some_were_not_read(self, join: SqliteJoin) -> None:
        join.add(Source.APPLICATIONS, [row("app-1", "a1", {"web": ["https://a.contoso.example"]})])
        why, hosts = Unknown("graph-403"), Known(frozenset({"a.contoso.example"}))

        without_applications = join.in_common({Source.APPLICATIONS: why})
        without_principals = join.in_common({Source.SERVICE_PRINCIPALS: why})

        assert without_applications == InCommon(why, Known(frozenset()), why, why)
        assert without_principals == InCommon(Known(1), why, why, hosts)

    def test_owners_are_read_one_by_one_only_where_list_and_filter_disagree(self, join: SqliteJoin) -> None:
        def owned(ident: str, owners: int) -> Row:
            return row(f"app-{ident}", ident, {"owners": [{"id": f"u{n}", "type": "user"} for n in range(owners)]})

        join.add(
            Source.APPLICATIONS,
            [owned("none", 0), owned("one", 1), owned("two", 2), owned("full", 20), owned("odd", 1), owned("gap", 0)],
        )
        join.add(Source.OWNERLESS_APPLICATIONS, [row("none", "", None)])
        join.add(Source.SINGLE_OWNER_APPLICATIONS, [row("one", "", None)])

        assert join.keys(Source.OWNERS) == ["applications/full", "applications/gap", "applications/odd"]
