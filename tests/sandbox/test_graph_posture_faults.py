"""The generated tenant on bad days: limits of reports, licences, throttling, failures; and what is counted."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.graph.testing import Tenant

ACTIVITIES = "/beta/reports/servicePrincipalSignInActivities?$top=999"
CREDENTIALS = "/beta/reports/appCredentialSignInActivities?$top=999"
AUDITS = "/v1.0/auditLogs/directoryAudits"
SIGN_INS = "/beta/auditLogs/signIns"


@pytest.fixture
async def tenant() -> AsyncIterator[Tenant]:
    tenant = Tenant()
    wish = {"seed": 7, "applications": 1000, "service_principals": 1500}
    (await tenant.client.post("/sandbox/posture", json=wish)).raise_for_status()
    yield tenant
    await tenant.close()


async def get(tenant: Tenant, path: str) -> httpx.Response:
    return await tenant.client.get(path, headers=tenant.reader)


async def switch(tenant: Tenant, **switches: object) -> httpx.Response:
    return await tenant.client.put("/sandbox/posture/switches", json=switches)


async def test_sixth_report_within_ten_seconds_has_to_wait(tenant: Tenant) -> None:
    paths = [ACTIVITIES, CREDENTIALS, AUDITS, SIGN_INS, ACTIVITIES]
    first = [(await get(tenant, path)).status_code for path in paths]

    refused = await get(tenant, CREDENTIALS)
    tenant.clock.advance(float(refused.headers["Retry-After"]))
    served = await get(tenant, CREDENTIALS)

    assert first == [200] * 5
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "TooManyRequests")
    assert served.status_code == 200


async def test_151st_read_of_key_credentials_within_a_minute_has_to_wait(tenant: Tenant) -> None:
    await switch(tenant, keyCredentialsPerMinute=2)
    path = "/v1.0/applications?$top=1&$select=id,keyCredentials"

    answers = [(await get(tenant, path)).status_code for _ in range(3)]
    without = await get(tenant, "/v1.0/applications?$top=1&$select=id")

    assert answers == [200, 200, 429]
    assert without.status_code == 200


@pytest.mark.parametrize(("name", "status"), [("unlicensed", 403), ("sovereign", 400)])
async def test_usage_reports_are_refused_where_they_do_not_exist(tenant: Tenant, name: str, status: int) -> None:
    await switch(tenant, **{name: True})

    answers = [await get(tenant, path) for path in (ACTIVITIES, CREDENTIALS, AUDITS)]

    assert [answer.status_code for answer in answers] == [status, status, 200]


async def test_throttling_hits_the_same_requests_for_the_same_seed(tenant: Tenant) -> None:
    runs = []
    for _ in range(2):
        await switch(tenant, throttle={"percent": 30, "retryAfter": 2, "seed": 3})
        runs.append([await get(tenant, "/v1.0/applications?$top=1&$select=id") for _ in range(40)])

    hits = [[answer.status_code for answer in run] for run in runs]
    assert hits[0] == hits[1]
    assert 0 < hits[0].count(429) < 40
    assert {answer.headers["Retry-After"] for answer in runs[0] if answer.status_code == 429} == {"2"}


async def test_only_paths_that_were_told_to_fail_do(tenant: Tenant) -> None:
    await switch(tenant, fail={"/v1.0/auditLogs": 403, "/beta/reports": 503})

    answers = [await get(tenant, path) for path in (AUDITS, ACTIVITIES, "/v1.0/applications?$top=1")]

    assert [answer.status_code for answer in answers] == [403, 503, 200]


@pytest.mark.parametrize("switches", [{"speed": 1}, {"shuffle": 1}, {"expireSkiptoken": -1}, {"fail": {"/": "no"}}])
async def test_unknown_switch_or_value_is_refused(tenant: Tenant, switches: dict[str, object]) -> None:
    answer = await switch(tenant, **switches)

    assert answer.status_code == 400


async def test_reports_tell_when_applications_and_credentials_were_used(tenant: Tenant) -> None:
    await switch(tenant, reportsPer10Seconds=0)

    activities = (await get(tenant, ACTIVITIES)).json()["value"]
    credentials = (await get(tenant, CREDENTIALS)).json()["value"]

    assert all(row["lastSignInActivity"].keys() == {"lastSignInDateTime", "lastSignInRequestId"} for row in activities)
    assert len({row["appId"] for row in activities}) == len(activities)
    assert {row["credentialOrigin"] for row in credentials} == {"application", "servicePrincipal"}
    # Microsoft's sample and schema disagree, so both spellings occur.
    assert any("expirationDate" in row for row in credentials)
    assert any("expirationDateTime" in row for row in credentials)


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        (f"{SIGN_INS}?$filter=agent/agentType eq 'AgentIdentity'", {"AgentIdentity"}),
        (f"{SIGN_INS}?$filter=signInEventTypes/any(t: t eq 'servicePrincipal')", {"AgentIdentity", "NotAgentic"}),
        (f"{SIGN_INS}?$filter=createdDateTime ge 2100-01-01T00:00:00Z", set[str]()),
    ],
)
async def test_sign_ins_are_filtered(tenant: Tenant, path: str, fits: set[str]) -> None:
    rows = (await get(tenant, f"{path}&$top=999")).json()["value"]

    assert {row["agent"]["agentType"] for row in rows} == fits


async def test_change_of_a_credential_has_two_audit_rows_of_one_correlation(tenant: Tenant) -> None:
    path = f"{AUDITS}?$filter=startswith(activityDisplayName,'Update application') and result eq 'success'"

    rows = (await get(tenant, path)).json()["value"]

    changes = [row for row in rows if "\N{EN DASH} Certificates" in row["activityDisplayName"]]
    initiators = {"app" if row["initiatedBy"]["app"] else "user" for row in changes}
    pairs = [[row for row in rows if row["correlationId"] == change["correlationId"]] for change in changes]
    assert initiators == {"app", "user"}
    assert [len(pair) for pair in pairs] == [2, 2]


async def test_requests_are_counted_by_route_and_version(tenant: Tenant) -> None:
    await tenant.client.delete("/sandbox/posture/requests")

    for path in (ACTIVITIES, "/v1.0/applications?$top=1", "/v1.0/applications?$top=2", "/beta/applications?$top=1"):
        await get(tenant, path)
    counted = (await tenant.client.get("/sandbox/posture/requests")).json()

    assert counted == {
        "total": 4,
        "routes": {
            "GET /applications": 2,
            "GET /beta/reports/servicePrincipalSignInActivities": 1,
            "GET /beta/applications": 1,
        },
    }
