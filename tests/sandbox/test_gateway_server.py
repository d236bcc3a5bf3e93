"""The gateway stand-in: credentials, roles, identities, and the faults a person switches on."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.gateway.state import LOCAL_ADMIN
from sandbox.tenant import GATEWAY_CLIENT_ID, TETHER_OBJECT_ID
from sandbox.tokens import issue_token
from tests.sandbox.gateway_under_test import LEGACY_KEY, Gateway, running_gateway, start, stop


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Gateway]:
    async with running_gateway("--api-key", LEGACY_KEY) as gateway:
        yield gateway


@pytest.fixture
async def gateway(process: Gateway) -> Gateway:
    await process.control("POST", "/reset")
    return process


async def test_managed_identity_is_admin_from_the_start_without_a_stored_secret(gateway: Gateway) -> None:
    info = await gateway.shown("/userinfo")

    assert (info["id"], info["name"], info["groups"]) == (TETHER_OBJECT_ID, "tether", ["admin"])
    assert (await gateway.admin("GET", "/api-keys")).status_code == 200


async def test_legacy_header_wins_over_a_valid_bearer_token(gateway: Gateway) -> None:
    await gateway.logged_in("dev", "dev")
    token = (await gateway.logged_in("dev", "dev"))["token"]
    headers = {"Authorization": f"Bearer {token}", "Api-Key": LEGACY_KEY}

    right = await gateway.client.get("/api/userinfo", headers=headers)
    wrong = await gateway.client.get("/api/userinfo", headers={**headers, "Api-Key": "wrong"})

    assert (right.json()["id"], right.json()["groups"]) == ("API_KEY", ["admin"])
    assert (wrong.status_code, wrong.json()) == (401, {"message": "unauthorize"})


async def test_legacy_header_is_refused_when_no_key_is_configured() -> None:
    async with running_gateway() as keyless:
        answer = await keyless.client.get("/api/userinfo", headers={"Api-Key": LEGACY_KEY})

    assert (answer.status_code, answer.json()) == (401, {"message": "access denied"})


async def test_unknown_key_forged_token_and_unknown_subject_are_refused(gateway: Gateway) -> None:
    answers = [
        await gateway.bearing("hpk_unknown", "GET", "/users"),
        await gateway.bearing("not-a-token", "GET", "/users"),
        await gateway.to("nobody", "GET", "/users"),
        await gateway.client.get("/api/users"),
    ]

    assert [answer.status_code for answer in answers] == [401] * 4
    assert answers[0].json() == {"message": "access denied"}


async def test_auditor_key_reads_everything_but_cannot_put_a_review_or_kill(gateway: Gateway) -> None:
    key = (await gateway.key("reader", "auditor"))["key"]
    some_id = "00000000-0000-4000-8000-000000000000"

    reads = [await gateway.bearing(key, "GET", path) for path in ("/users", "/sessions", "/access-requests/rules")]
    writes = [
        await gateway.bearing(key, "PUT", f"/reviews/{some_id}", {"status": "APPROVED"}),
        await gateway.bearing(key, "POST", f"/sessions/{some_id}/kill"),
        await gateway.bearing(key, "GET", "/api-keys"),
    ]

    assert [answer.status_code for answer in reads] == [200, 200, 200]
    assert [(answer.status_code, answer.json()) for answer in writes] == [(403, {"message": "access denied"})] * 3


async def test_ordinary_user_may_not_write_users(gateway: Gateway) -> None:
    await gateway.logged_in("dev", "dev")

    answer = await gateway.to("dev", "PUT", "/users/dev", {"email": "dev@sandbox.example", "status": "active"})

    assert answer.status_code == 403


async def test_privileged_group_names_are_read_from_the_server_configuration() -> None:
    async with running_gateway("--admin-group", "11111111-aaaa", "--auditor-group", "22222222-bbbb") as renamed:
        config = await renamed.shown("/serverconfig/auth")
        await renamed.logged_in("root", "admin")
        refused = await renamed.to("root", "GET", "/api-keys")

    assert (config["admin_role_name"], config["auditor_role_name"]) == ("11111111-aaaa", "22222222-bbbb")
    assert refused.status_code == 403


async def test_path_without_api_is_a_web_page_and_unknown_api_path_is_text(gateway: Gateway) -> None:
    page = await gateway.client.get("/users")
    unknown = await gateway.client.get("/api/nothing")
    wrong_method = await gateway.client.delete("/api/users")

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (unknown.status_code, unknown.text) == (404, "404 page not found")
    assert (wrong_method.status_code, wrong_method.text) == (404, "404 page not found")


async def test_put_user_wipes_what_the_body_omits_and_keeps_the_email(gateway: Gateway) -> None:
    user = await gateway.logged_in("dev", "dev", "sre")
    full = {**user, "name": "Dev", "picture": "p.png", "slack_id": "U1"}
    await gateway.admin("PUT", "/users/dev", full)

    answer = await gateway.admin("PUT", "/users/dev", {"email": "other@sandbox.example", "status": "inactive"})

    stored = await gateway.shown("/users/dev")
    assert answer.json()["groups"] is None
    assert [stored[key] for key in ("name", "picture", "slack_id", "groups")] == ["", "", "", []]
    assert (stored["email"], stored["status"]) == ("dev@sandbox.example", "inactive")


@pytest.mark.parametrize(
    "change",
    [{"status": ""}, {"status": "disabled"}, {"groups": ["dev", "dev"]}],
    ids=["omitted-status", "unknown-status", "duplicate-groups"],
)
async def test_put_user_is_a_server_error_and_changes_nothing(gateway: Gateway, change: dict[str, object]) -> None:
    user = await gateway.logged_in("dev", "dev")

    answer = await gateway.admin("PUT", "/users/dev", {**user, **change})

    assert (answer.status_code, answer.json()) == (500, {"message": "failed updating user and user groups"})
    assert (await gateway.shown("/users/dev"))["groups"] == ["dev"]


async def test_user_is_found_by_subject_or_by_email_in_exact_case(gateway: Gateway) -> None:
    await gateway.logged_in("pairwise-sub", "dev", email="Dev@Sandbox.Example")

    codes = {
        key: (await gateway.admin("GET", f"/users/{key}")).status_code
        for key in ("pairwise-sub", "dev@sandbox.example", "Dev@sandbox.example")
    }

    assert codes == {"pairwise-sub": 200, "dev@sandbox.example": 200, "Dev@sandbox.example": 404}


async def test_put_on_unknown_user_is_not_found(gateway: Gateway) -> None:
    answer = await gateway.admin("PUT", "/users/ghost", {"email": "g@sandbox.example", "status": "inactive"})

    assert (answer.status_code, answer.json()) == (404, {"message": "user ghost not found"})


async def test_put_on_oneself_keeps_admin_and_refuses_to_deactivate(gateway: Gateway) -> None:
    body = {"email": LOCAL_ADMIN, "status": "active", "groups": []}

    kept = await gateway.to(LOCAL_ADMIN, "PUT", f"/users/{LOCAL_ADMIN}", body)
    refused = await gateway.to(LOCAL_ADMIN, "PUT", f"/users/{LOCAL_ADMIN}", {**body, "status": "inactive"})

    assert kept.json()["groups"] == ["admin"]
    assert (refused.status_code, refused.json()) == (422, {"message": "cannot deactivate yourself"})


async def test_last_admin_can_be_locked_out_by_somebody_elses_key(gateway: Gateway) -> None:
    answer = await gateway.admin("PUT", f"/users/{LOCAL_ADMIN}", {"email": LOCAL_ADMIN, "status": "inactive"})

    assert answer.status_code == 200
    assert (await gateway.to(LOCAL_ADMIN, "GET", "/users")).status_code == 401


async def test_delete_by_email_is_silent_and_deletes_nobody(gateway: Gateway) -> None:
    await gateway.logged_in("dev", "dev")

    by_email = await gateway.admin("DELETE", "/users/dev@sandbox.example")
    still_there = await gateway.admin("GET", "/users/dev")
    by_subject = await gateway.admin("DELETE", "/users/dev")

    assert (by_email.status_code, still_there.status_code, by_subject.status_code) == (204, 200, 204)
    assert (await gateway.admin("GET", "/users/dev")).status_code == 404


async def test_deleted_group_is_stripped_from_users_accounts_and_keys(gateway: Gateway) -> None:
    await gateway.logged_in("dev", "dev", "sre")
    key = await gateway.key("agent", "sre", table="ai-agents")

    answer = await gateway.admin("DELETE", "/users/groups/sre")

    assert answer.status_code == 204
    assert (await gateway.shown("/users/dev"))["groups"] == ["dev"]
    assert (await gateway.shown(f"/ai-agents/{key['id']}"))["groups"] is None


async def test_inactive_user_is_refused_although_the_token_is_valid(gateway: Gateway) -> None:
    user = await gateway.logged_in("dev", "dev")

    await gateway.admin("PUT", "/users/dev", {**user, "status": "inactive"})

    assert (await gateway.bearing(user["token"], "GET", "/userinfo")).status_code == 401


async def test_service_account_put_replaces_groups_and_keeps_an_empty_name(gateway: Gateway) -> None:
    account = {"subject": "sp-1", "name": "bot", "status": "active", "groups": ["dev"]}
    await gateway.made("/serviceaccounts", account)

    answer = await gateway.admin("PUT", "/serviceaccounts/sp-1", {"subject": "sp-1", "status": "inactive"})

    body = answer.json()
    assert (body["name"], body["status"], body["groups"]) == ("bot", "inactive", None)
    assert (await gateway.admin("GET", "/serviceaccounts/sp-1")).status_code == 404


async def test_service_account_put_names_what_is_wrong(gateway: Gateway) -> None:
    unknown = await gateway.admin("PUT", "/serviceaccounts/sp-9", {"subject": "sp-9", "status": "inactive"})
    invalid = await gateway.admin("PUT", "/serviceaccounts/sp-9", {"subject": "sp-9", "status": "disabled"})
    missing = await gateway.admin("PUT", "/serviceaccounts/sp-9", {"status": "inactive"})

    assert (unknown.status_code, unknown.json()) == (404, {"message": "resource not found"})
    assert (invalid.status_code, missing.status_code) == (422, 400)


@pytest.mark.parametrize("table", ["api-keys", "ai-agents"])
async def test_revoked_key_stays_listed_and_is_refused_until_reactivated(gateway: Gateway, table: str) -> None:
    key = await gateway.key("worker", "admin", table=table)

    codes = [(await gateway.admin("DELETE", f"/{table}/worker")).status_code for _ in range(2)]
    refused = await gateway.bearing(key["key"], "GET", "/users")
    listed = await gateway.shown(f"/{table}/{key['id']}")
    await gateway.admin("POST", f"/{table}/worker/reactivate")
    accepted = await gateway.bearing(key["key"], "GET", "/users")

    assert codes == [204, 404]
    assert (refused.status_code, listed["status"], accepted.status_code) == (401, "revoked", 200)


async def test_secret_of_a_key_is_shown_once(gateway: Gateway) -> None:
    key = await gateway.key("agent", "dev", table="ai-agents")

    listed = await gateway.shown("/ai-agents")

    assert key["key"].startswith("hpk_")
    assert "key" not in listed[0]
    assert key["key"] not in str(listed)


async def test_empty_key_lists_are_null(gateway: Gateway) -> None:
    lists = [await gateway.shown(path) for path in ("/api-keys", "/ai-agents")]

    assert lists == [None, None]


async def test_machine_identity_put_replaces_its_connections_and_attributes(gateway: Gateway) -> None:
    body = {"name": "etl", "description": "nightly", "connection_names": ["pg1"], "attributes": ["prod"]}
    await gateway.made("/machineidentities", body)

    answer = await gateway.admin("PUT", "/machineidentities/etl", {"name": "etl"})

    shown = answer.json()
    assert (shown["connection_names"], shown["attributes"], shown["description"]) == (None, [], "")


async def test_machine_identity_put_is_refused_without_the_misc_configuration(gateway: Gateway) -> None:
    await gateway.made("/machineidentities", {"name": "etl", "connection_names": ["pg1"]})
    await gateway.switched(miscConfigMissing=True)

    answer = await gateway.admin("PUT", "/machineidentities/etl", {"name": "etl"})

    assert (answer.status_code, answer.json()) == (400, {"message": "server misc configuration not found"})


async def test_deleted_machine_identity_loses_its_streams_and_is_gone_the_second_time(gateway: Gateway) -> None:
    await gateway.connection()
    machine = await gateway.made("/machineidentities", {"name": "etl", "connection_names": ["pg1"]})
    await gateway.live(machine["id"])

    codes = [(await gateway.admin("DELETE", "/machineidentities/etl")).status_code for _ in range(2)]

    assert codes == [200, 404]
    assert await gateway.streams() == []


async def test_missing_groups_claim_keeps_the_groups_of_the_last_login(gateway: Gateway) -> None:
    await gateway.logged_in("dev", "dev", "sre")

    answer = await gateway.control("POST", "/login", {"sub": "dev", "email": "dev@sandbox.example", "groups": None})

    assert answer.json()["groups"] == ["dev", "sre"]


async def test_admin_sticks_through_a_login_without_it(gateway: Gateway) -> None:
    await gateway.logged_in("boss", "admin", "sre")

    again = await gateway.logged_in("boss", "dev")

    assert again["groups"] == ["dev", "admin"]


async def test_inactive_user_cannot_log_in_but_deleted_one_is_created_again(gateway: Gateway) -> None:
    user = await gateway.logged_in("dev", "dev")
    await gateway.admin("PUT", "/users/dev", {**user, "status": "inactive"})

    refused = await gateway.control("POST", "/login", {"sub": "dev", "email": user["email"], "groups": ["dev"]})
    await gateway.admin("DELETE", "/users/dev")
    created = await gateway.logged_in("dev", "dev")

    assert refused.status_code == 403
    assert created["status"] == "active"


async def test_users_without_an_email_collapse_into_one_row(gateway: Gateway) -> None:
    for subject in ("first", "second"):
        await gateway.control("POST", "/login", {"sub": subject, "email": "", "groups": []})

    nameless = [user["id"] for user in await gateway.shown("/users") if not user["email"]]

    assert nameless == ["second"]


async def test_invited_user_gets_the_subject_of_the_first_login(gateway: Gateway) -> None:
    await gateway.made("/users", {"email": "new@sandbox.example", "groups": ["dev"]})

    await gateway.control("POST", "/login", {"sub": "pairwise", "email": "new@sandbox.example", "groups": None})

    shown = await gateway.shown("/users/new@sandbox.example")
    assert (shown["id"], shown["status"], shown["groups"]) == ("pairwise", "active", ["dev"])


async def test_mcp_request_resurrects_an_inactive_user_with_the_tokens_groups(gateway: Gateway) -> None:
    user = await gateway.logged_in("dev", "dev")
    await gateway.admin("PUT", "/users/dev", {**user, "status": "inactive", "groups": [], "picture": "p.png"})

    await gateway.control("POST", "/mcp", {"subject": "dev", "groups": ["dev"]})

    shown = await gateway.shown("/users/dev")
    assert (shown["status"], shown["groups"], shown["picture"]) == ("active", ["dev"], "")


async def test_mcp_request_of_a_service_account_leaves_a_shadow_user(gateway: Gateway) -> None:
    await gateway.made("/serviceaccounts", {"subject": "sp-1", "name": "bot", "status": "active"})

    await gateway.control("POST", "/mcp", {"subject": "sp-1", "groups": ["dev"]})

    assert (await gateway.shown("/users/sp-1"))["groups"] == ["dev"]


async def test_status_switch_hits_its_path_and_method_as_often_as_counted(gateway: Gateway) -> None:
    user = await gateway.logged_in("dev", "dev")
    await gateway.switched(status={"code": 503, "path": "/users", "method": "PUT", "count": 2})

    codes = [(await gateway.admin("PUT", "/users/dev", user)).status_code for _ in range(3)]
    counters = (await gateway.control("GET", "/counters")).json()["requests"]

    assert codes == [503, 503, 200]
    assert counters == {"PUT /api/users/{key}": 3}


async def test_empty_body_and_html_switches_replace_the_next_answers(gateway: Gateway) -> None:
    await gateway.switched(emptyBody=1, html=1)

    answers = [await gateway.admin("GET", "/users") for _ in range(3)]

    seen = [(answer.status_code, answer.headers.get("content-type", "")) for answer in answers]
    assert seen == [(200, "text/html; charset=utf-8"), (500, ""), (200, "application/json")]
    assert answers[1].content == b""


async def test_down_switch_closes_the_connection_without_an_answer(gateway: Gateway) -> None:
    await gateway.switched(down=True)

    with pytest.raises(httpx.TransportError):
        await gateway.admin("GET", "/users")

    await gateway.switched(down=False)
    assert (await gateway.admin("GET", "/users")).status_code == 200


async def test_hanging_request_is_never_carried_out(gateway: Gateway) -> None:
    user = await gateway.logged_in("dev", "dev")
    await gateway.switched(hang=True)
    headers = {"Authorization": f"Bearer {issue_token(audience=GATEWAY_CLIENT_ID, object_id=TETHER_OBJECT_ID)}"}

    with pytest.raises(httpx.ReadTimeout):
        await gateway.client.delete(f"/api/users/{user['id']}", headers=headers, timeout=0.3)

    await gateway.switched(hang=False)
    assert (await gateway.admin("GET", "/users/dev")).status_code == 200


async def test_ignored_put_answers_as_asked_and_changes_nothing(gateway: Gateway) -> None:
    user = await gateway.logged_in("dev", "dev")
    await gateway.switched(putIgnored=1)

    answer = await gateway.admin("PUT", "/users/dev", {**user, "status": "inactive"})

    assert (answer.status_code, answer.json()["status"]) == (200, "inactive")
    assert (await gateway.shown("/users/dev"))["status"] == "active"
    assert (await gateway.events())[-1]["kind"] == "put-ignored"


async def test_switches_merge_and_reset_and_refuse_unknown_names(gateway: Gateway) -> None:
    await gateway.switched(latencyMs=1)
    await gateway.switched(putIgnored=2)

    merged = (await gateway.control("GET", "/switches")).json()
    unknown = await gateway.control("PUT", "/switches", {"latency": 5})
    reset = (await gateway.control("PUT", "/switches?reset=1")).json()

    assert (merged["latencyMs"], merged["putIgnored"]) == (1, 2)
    assert unknown.status_code == 400
    assert (reset["latencyMs"], reset["putIgnored"]) == (0, 0)


async def test_events_tell_before_and_after_and_keep_counting_through_a_reset(gateway: Gateway) -> None:
    user = await gateway.logged_in("dev", "dev")
    await gateway.admin("PUT", "/users/dev", {**user, "status": "inactive", "groups": []})
    update = (await gateway.events())[-1]

    await gateway.control("POST", "/reset")
    later = await gateway.events(after=update["seq"])

    assert (update["kind"], update["subject"]) == ("user-updated", "dev")
    assert update["detail"]["before"] == {"status": "active", "groups": ["dev"]}
    assert update["detail"]["after"] == {"status": "inactive", "groups": []}
    assert [(event["seq"], event["kind"]) for event in later] == [(update["seq"] + 1, "reset")]


def test_process_stops_cleanly_when_asked() -> None:
    process, url = start()

    code = stop(process)

    assert code == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/api/healthz")


async def test_process_stops_cleanly_while_requests_hang() -> None:
    process, url = start()
    async with httpx.AsyncClient(base_url=url) as client:
        await client.put("/sandbox/switches", json={"hang": True})
        hanging = asyncio.create_task(client.get("/api/healthz", timeout=20))
        for _ in range(500):
            if (await client.get("/sandbox/counters")).json()["requests"]:
                break
            await asyncio.sleep(0.01)

        code = await asyncio.to_thread(stop, process)

        assert code == 0
        with pytest.raises(httpx.TransportError):
            await hanging
