"""Entra's logs: what is read of the stand-in, how the limit is kept, and where an interrupted read goes on."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from sandbox.graph.testing import BASE, Tenant
from shared.adapters.graph_audit_log import GraphAuditLog
from shared.adapters.patient_graph import PatientGraph
from shared.domain.posture.gateway_view import AuditEvent, TokenUse
from shared.errors import RejectedError, RetryLaterError
from tests.fakes.scan import Ticks

RESOURCE, OTHER_RESOURCE = "7e7e0000-0000-4000-8000-000000000401", "7e7e0000-0000-4000-8000-000000000402"
MALLORY = "mallory@contoso.example"
ADMIN = "the-admin"


@pytest.fixture
async def tenant() -> AsyncIterator[Tenant]:
    tenant = Tenant()
    yield tenant
    await tenant.close()


def now(tenant: Tenant) -> datetime:
    return datetime.fromtimestamp(tenant.clock.now, UTC)


def long_ago(tenant: Tenant) -> datetime:
    return now(tenant) - timedelta(days=30)


def log_of(tenant: Tenant, ticks: Ticks | None = None) -> GraphAuditLog:
    ticks = ticks or Ticks()

    async def headers() -> Mapping[str, str]:
        return tenant.reader

    return GraphAuditLog(PatientGraph(tenant.client, headers, BASE, clock=ticks, sleep=ticks.sleep))


async def agent(tenant: Tenant, name: str = "bot") -> str:
    app_id = (await tenant.write("POST", "/applications", {"displayName": name})).json()["appId"]
    made = await tenant.write("POST", "/servicePrincipals", {"displayName": name, "appId": app_id})
    return str(made.json()["id"])


async def plant(tenant: Tenant, what: str, **body: object) -> dict[str, Any]:
    answer = await tenant.client.post(f"/sandbox/audit/{what}", json=body)
    planted: dict[str, Any] = answer.raise_for_status().json()
    return planted


async def tokens(log: GraphAuditLog, since: datetime, *resources: str) -> list[TokenUse]:
    return [one async for one in log.tokens(since, resources)]


async def test_addition_says_who_added_whom_to_which_group(tenant: Tenant) -> None:
    bot = await agent(tenant)
    group = await tenant.group("finance")
    await tenant.add_member(group, bot)

    (event,) = await log_of(tenant).membership_changes(long_ago(tenant), [group.upper()])

    assert (event.actor, event.target_id, event.details) == (ADMIN, bot, {"group_id": group})
    assert (event.at, event.activity) == (now(tenant), "Add member to group")
    assert event.correlation_id


async def test_addition_of_a_whole_group_is_told_apart(tenant: Tenant) -> None:
    inner = await tenant.group("inner")
    group = await tenant.group("finance", inner)

    (event,) = await log_of(tenant).membership_changes(long_ago(tenant), [group])

    assert (event.target_id, event.details) == (inner, {"group_id": group, "member_kind": "group"})


async def test_additions_to_other_groups_removals_and_old_ones_are_left_out(tenant: Tenant) -> None:
    bot, other = await agent(tenant), await tenant.group("other")
    group = await tenant.group("finance", bot)
    await tenant.add_member(other, bot)
    await tenant.remove_member(group, bot)
    tenant.clock.advance(3600)
    await tenant.add_member(group, bot)

    events = await log_of(tenant).membership_changes(now(tenant) - timedelta(minutes=1), [group])

    assert [one.at for one in events] == [now(tenant)]


async def test_application_that_adds_somebody_is_named_by_its_object_id_and_a_person_by_principal_name(
    tenant: Tenant,
) -> None:
    bot = await agent(tenant)
    group = await tenant.group("finance")
    robot = "7e7e0000-0000-4000-8000-0000000000FF"
    await plant(tenant, "memberships", groupId=group, memberId=bot, app=robot)
    await plant(tenant, "memberships", groupId=group, memberId=bot, user="Mallory@contoso.example")

    events = await log_of(tenant).membership_changes(long_ago(tenant), [group])

    assert sorted(one.actor for one in events) == [robot.lower(), MALLORY]


async def test_nothing_is_asked_about_no_groups_and_no_resources(tenant: Tenant) -> None:
    await tenant.switch(fail={"status": 500})

    log = log_of(tenant)

    assert await log.membership_changes(long_ago(tenant), []) == ()
    assert await tokens(log, long_ago(tenant)) == []
    assert await log.attributes([], []) == {}


@pytest.mark.parametrize("name", ["passwordCredentials", "keyCredentials"])
async def test_credential_change_names_the_key_that_was_added_once(tenant: Tenant, name: str) -> None:
    app = (await tenant.write("POST", "/applications", {"displayName": "app"})).json()["id"]
    first, second = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
    await tenant.write("PATCH", f"/applications/{app}", {name: [{"keyId": first}]})
    await tenant.write("PATCH", f"/applications/{app}", {name: [{"keyId": first}, {"keyId": second}]})
    await tenant.write("PATCH", f"/applications/{app}", {name: [{"keyId": second}]})

    events = await log_of(tenant).credential_changes(long_ago(tenant))

    assert {(one.target_id, one.actor) for one in events} == {(app, ADMIN)}
    assert sorted(one.details["key_id"] for one in events) == [first, second]


async def test_first_credential_of_a_service_principal_is_a_change_too(tenant: Tenant) -> None:
    bot = await agent(tenant)
    key_id = "aaaaaaaa-0000-4000-8000-000000000001"
    await tenant.write("PATCH", f"/servicePrincipals/{bot}", {"passwordCredentials": [{"keyId": key_id}]})

    (event,) = await log_of(tenant).credential_changes(long_ago(tenant))

    assert (event.target_id, event.activity, event.details) == (
        bot,
        "Add service principal credentials",
        {"key_id": key_id},
    )


@pytest.mark.parametrize("dash", ["\N{EN DASH}", "-", "\N{EM DASH}"])
async def test_credential_change_is_found_with_whichever_dash_and_ending_it_is_written(dash: str) -> None:
    row = audit(activityDisplayName=f"Update application {dash} Certificates and secrets management ")

    events = await canned(page(row)).credential_changes(SINCE)

    assert [one.target_id for one in events] == ["target-1"]


async def test_change_that_names_no_key_is_one_and_one_that_failed_is_none() -> None:
    secrets = "Update application \N{EN DASH} Certificates and secrets management"
    silent, failed = audit(activityDisplayName=secrets), audit(activityDisplayName=secrets, id="2", result="failure")

    events = await canned(page(silent, failed)).credential_changes(SINCE)

    assert [dict(one.details) for one in events] == [{}]


async def test_addition_that_names_no_group_may_be_about_any_of_them() -> None:
    (event,) = await canned(page(audit())).membership_changes(SINCE, ["group-1"])

    assert event == AuditEvent(AT, "Add member to group", "not known", "target-1", "c-1", {})


async def test_group_is_found_among_the_targets_when_the_change_does_not_say_it() -> None:
    targets = [{"id": "Member-1", "type": "User"}, {"id": "Group-1", "type": "Group"}]

    (event,) = await canned(page(audit(targetResources=targets))).membership_changes(SINCE, ["group-1"])

    assert (event.target_id, event.details) == ("member-1", {"group_id": "group-1"})


async def test_token_says_who_got_it_for_what_when_and_from_where(tenant: Tenant) -> None:
    bot = await agent(tenant)
    await plant(tenant, "sign-ins", servicePrincipalId=bot, resourceId=RESOURCE, ipAddress="10.0.0.1")

    found = await tokens(log_of(tenant), long_ago(tenant), RESOURCE)

    assert found == [TokenUse(bot, RESOURCE, now(tenant), "", "10.0.0.1")]


async def test_managed_identity_gets_tokens_as_a_service_principal_does(tenant: Tenant) -> None:
    managed = {"displayName": "vm", "appId": "an app", "servicePrincipalType": "ManagedIdentity"}
    identity = (await tenant.write("POST", "/servicePrincipals", managed)).json()["id"]
    bot = await agent(tenant)
    for who in (identity, bot):
        await plant(tenant, "sign-ins", servicePrincipalId=who, resourceId=RESOURCE)

    found = await tokens(log_of(tenant), long_ago(tenant), RESOURCE)

    assert sorted(one.principal_id for one in found) == sorted([identity, bot])
    kinds = [row["signInEventTypes"] for row in tenant.state.audit.sign_ins]
    assert kinds == [["managedIdentity"], ["servicePrincipal"]]


async def test_refused_sign_ins_and_tokens_for_other_resources_are_none(tenant: Tenant) -> None:
    bot = await agent(tenant)
    await plant(tenant, "sign-ins", servicePrincipalId=bot, resourceId=RESOURCE, errorCode=7000222)
    await plant(tenant, "sign-ins", servicePrincipalId=bot, resourceId=OTHER_RESOURCE)

    assert await tokens(log_of(tenant), long_ago(tenant), RESOURCE) == []


async def test_attributes_are_those_with_a_value_of_agents_and_of_blueprints(tenant: Tenant) -> None:
    tagged, emptied = await agent(tenant, "tagged"), await agent(tenant, "emptied")
    tags = {"Engineering": {"@odata.type": "#Microsoft.DirectoryServices.CustomSecurityAttributeValue", "Project": "x"}}
    await tenant.write("PATCH", f"/servicePrincipals/{tagged}", {"customSecurityAttributes": tags})
    await tenant.write("PATCH", f"/servicePrincipals/{emptied}", {"customSecurityAttributes": {"Engineering": {}}})
    app_id = (await tenant.read(f"/servicePrincipals/{tagged}")).json()["appId"]

    found = await log_of(tenant).attributes([tagged, emptied, "gone"], [app_id])

    assert found == {
        tagged: frozenset({"Engineering/Project"}),
        emptied: frozenset(),
        "gone": frozenset(),
        app_id: frozenset({"Engineering/Project"}),
    }


@pytest.mark.parametrize("status", [401, 403])
async def test_log_that_graph_refuses_is_asked_once_and_says_why(tenant: Tenant, status: int) -> None:
    await tenant.client.put("/sandbox/posture/switches", json={"fail": {"/": status}})
    log = log_of(tenant)

    for reading in (
        log.credential_changes(long_ago(tenant)),
        log.membership_changes(long_ago(tenant), ["group"]),
        tokens(log, long_ago(tenant), RESOURCE),
        log.attributes(["agent"], []),
    ):
        with pytest.raises(RejectedError, match=f"graph-{status}"):
            await reading


async def test_five_requests_in_ten_seconds_are_enough_for_a_log_of_many_pages(tenant: Tenant) -> None:
    bot = await agent(tenant)
    group = await tenant.group("finance")
    for _ in range(40):
        tenant.state.audit.note_member({"user": None, "app": None}, *pair(tenant, group, bot))
    ticks, small = Ticks(), ServedInSmallPages(tenant)
    log = GraphAuditLog(PatientGraph(small.client, small.headers, BASE, clock=ticks, sleep=small.sleeping(ticks)))

    events = await log.membership_changes(long_ago(tenant), [group])

    assert len(events) == 40
    assert small.statuses == [200] * 20


async def test_read_whose_page_is_lost_goes_on_from_the_last_row_and_gives_none_twice(tenant: Tenant) -> None:
    bot = await agent(tenant)
    group = await tenant.group("finance")
    for _ in range(6):
        tenant.clock.advance(1)
        tenant.state.audit.note_member({"user": None, "app": None}, *pair(tenant, group, bot))
        tenant.state.audit.note_member({"user": None, "app": None}, *pair(tenant, group, bot))
    await tenant.client.put("/sandbox/posture/switches", json={"expireSkiptoken": 2})
    small = ServedInSmallPages(tenant, rows=3)
    ticks = Ticks()
    log = GraphAuditLog(PatientGraph(small.client, small.headers, BASE, clock=ticks, sleep=small.sleeping(ticks)))

    events = await log.membership_changes(long_ago(tenant), [group])

    assert len(events) == 12
    assert len({one.correlation_id for one in events}) == 12
    assert small.statuses.count(400) == 2


async def test_page_that_is_lost_again_and_again_is_given_up(tenant: Tenant) -> None:
    bot = await agent(tenant)
    group = await tenant.group("finance")
    for _ in range(6):
        tenant.state.audit.note_member({"user": None, "app": None}, *pair(tenant, group, bot))
    await tenant.client.put("/sandbox/posture/switches", json={"expireSkiptoken": 99})
    small = ServedInSmallPages(tenant, rows=3)
    ticks = Ticks()
    log = GraphAuditLog(PatientGraph(small.client, small.headers, BASE, clock=ticks, sleep=small.sleeping(ticks)))

    with pytest.raises(RejectedError, match="page-token-expired"):
        await log.membership_changes(long_ago(tenant), [group])


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"value": None},
        {"value": [None]},
        {"value": [{}]},
        {"value": [{"activityDateTime": "yesterday", "id": "1", "activityDisplayName": "Add member to group"}]},
        {"value": [{"activityDateTime": "2027-01-01T00:00:00Z", "id": "1", "activityDisplayName": None}]},
        {"value": [{"activityDateTime": "2027-01-01T00:00:00Z", "targetResources": 1, "activityDisplayName": "x"}]},
    ],
)
async def test_nonsense_is_a_reason_to_ask_again_and_never_an_empty_log(document: object) -> None:
    with pytest.raises(RetryLaterError, match="graph-answered-nonsense"):
        await canned(document).membership_changes(SINCE, ["group-1"])


async def test_next_page_at_another_host_is_not_asked_for() -> None:
    log = canned({"value": [], "@odata.nextLink": "https://elsewhere.example/v1.0/auditLogs/directoryAudits?x"})

    with pytest.raises(RejectedError, match="graph-answered-nonsense"):
        await log.membership_changes(SINCE, ["group-1"])


AT = datetime(2027, 1, 1, tzinfo=UTC)
SINCE = AT - timedelta(days=30)


def audit(**changes: object) -> dict[str, Any]:
    row = {
        "id": "1",
        "activityDateTime": "2027-01-01T00:00:00.0000000Z",
        "activityDisplayName": "Add member to group",
        "correlationId": "C-1",
        "result": "success",
        "initiatedBy": {"user": None, "app": None},
        "targetResources": [{"id": "Target-1", "type": "User", "modifiedProperties": None}],
    }
    return row | changes


def page(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"value": list(rows)}


def canned(document: object) -> GraphAuditLog:
    """A Graph that gives one page, and then empty ones."""
    left = [document]

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=left.pop() if left else {"value": []})

    async def headers() -> Mapping[str, str]:
        return {}

    ticks = Ticks()
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url=BASE)
    return GraphAuditLog(PatientGraph(client, headers, BASE, clock=ticks, sleep=ticks.sleep))


def pair(tenant: Tenant, group_id: str, member_id: str) -> tuple[Any, Any]:
    view = tenant.state.present()
    return view.find(group_id), view.find(member_id)


class ServedInSmallPages:
    """The stand-in behind a transport that asks it for so few rows at once, and writes down how it answered."""

    def __init__(self, tenant: Tenant, rows: int = 2) -> None:
        self.statuses: list[int] = []
        self._tenant = tenant
        self._rows = rows
        self._inner = httpx.ASGITransport(app=tenant.app)
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer), base_url=BASE)

    async def headers(self) -> Mapping[str, str]:
        return self._tenant.reader

    def sleeping(self, ticks: Ticks) -> Callable[[float], Any]:
        async def sleep(seconds: float) -> None:
            self._tenant.clock.advance(seconds)
            await ticks.sleep(seconds)

        return sleep

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        url = unquote(str(request.url)).replace("$top=999", f"$top={self._rows}")
        async with httpx.AsyncClient(transport=self._inner, base_url=BASE) as client:
            answer = await client.get(url, headers=dict(request.headers))
        self.statuses.append(answer.status_code)
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)
