"""The Graph stand-in's faults, its control routes, and its life as a process."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.graph.endpoints import EndpointHealth
from sandbox.graph.testing import Tenant, bearer, eventually


@pytest.fixture
async def tenant() -> AsyncIterator[Tenant]:
    tenant = Tenant()
    yield tenant
    await tenant.close()


async def test_throttling_refuses_its_share_and_says_when_to_retry(tenant: Tenant) -> None:
    await tenant.switch(throttle={"rate": 0.25, "retryAfter": 3})

    answers = [await tenant.read("/users") for _ in range(8)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 2
    assert refused[0].headers["Retry-After"] == "3"


async def test_failure_hits_its_path_so_many_times(tenant: Tenant) -> None:
    await tenant.switch(fail={"status": 503, "path": "/groups", "count": 2})

    statuses = [(await tenant.read(path)).status_code for path in ("/users", "/groups", "/groups", "/groups")]

    assert statuses == [200, 503, 503, 200]


async def test_admin_writes_through_every_fault(tenant: Tenant) -> None:
    await tenant.switch(throttle={"rate": 1}, fail={"status": 500})

    ada = await tenant.user("ada")

    assert ada


async def test_hanging_request_goes_on_when_released(tenant: Tenant) -> None:
    await tenant.switch(hang={"path": "/users", "count": 1})
    hanging = asyncio.create_task(tenant.read("/users"))
    await eventually(lambda: tenant.state.requests["GET /users"] == 1)

    other = await tenant.read("/users")
    still_hanging = not hanging.done()
    await tenant.switch(hang=None)

    assert (other.status_code, still_hanging) == (200, True)
    assert (await hanging).status_code == 200


@pytest.mark.parametrize("switches", [{"gravity": 0}, {"latencyMs": "long"}, {"throttle": {"rate": 2}}, {"fail": {}}])
async def test_unknown_switch_or_value_is_refused_and_changes_nothing(
    tenant: Tenant, switches: dict[str, object]
) -> None:
    before = (await tenant.client.get("/sandbox/switches")).json()

    answer = await tenant.client.put("/sandbox/switches", json={"drop": 5} | switches)

    assert answer.status_code == 400
    assert (await tenant.client.get("/sandbox/switches")).json() == before


async def test_switches_merge_and_reset(tenant: Tenant) -> None:
    defaults = (await tenant.client.get("/sandbox/switches")).json()

    await tenant.switch(throttle={"rate": 0.5})
    merged = (await tenant.client.put("/sandbox/switches", json={"drop": True})).json()
    reset = (await tenant.client.put("/sandbox/switches?reset=1", json={})).json()

    assert (merged["throttle"], merged["drop"]) == ({"rate": 0.5, "retryAfter": 1}, True)
    assert reset == defaults


async def test_events_tell_what_the_admin_did_from_a_sequence_number_on(tenant: Tenant) -> None:
    ada = await tenant.user("ada")
    team = await tenant.group("team", ada)
    seen = (await tenant.client.get("/sandbox/events")).json()["last"]

    await tenant.write("PATCH", f"/users/{ada}", {"accountEnabled": False})
    await tenant.write("PATCH", f"/users/{ada}", {"accountEnabled": True})
    await tenant.remove_member(team, ada)
    await tenant.write("DELETE", f"/users/{ada}")
    await tenant.write("POST", f"/directory/deletedItems/{ada}/restore")
    events = (await tenant.client.get(f"/sandbox/events?after={seen}")).json()["events"]

    assert [(event["kind"], event["principalId"], event["groupId"]) for event in events] == [
        ("user-disabled", ada, None),
        ("user-enabled", ada, None),
        ("member-removed", ada, team),
        ("user-deleted", ada, None),
        ("user-restored", ada, None),
    ]
    assert [event["seq"] for event in events] == [*range(seen + 1, seen + 6)]
    assert events[0]["at"] == "2027-01-15T08:00:00.000000Z"


async def test_directory_snapshot_shows_everything_for_a_page(tenant: Tenant) -> None:
    ada, bob = await tenant.user("ada"), await tenant.user("bob")
    team = await tenant.group("team", ada)
    await tenant.write("DELETE", f"/users/{bob}")
    await tenant.read(f"/users/{ada}")

    shown = (await tenant.client.get("/sandbox/directory")).json()

    assert [user["id"] for user in shown["users"]] == [ada]
    assert [(group["id"], group["members"]) for group in shown["groups"]] == [(team, [ada])]
    assert [one["id"] for one in shown["deleted"]] == [bob]
    assert shown["requests"]["GET /users/{id}"] == 1


async def test_reset_empties_the_directory_and_invalidates_delta_links(tenant: Tenant) -> None:
    await tenant.user("ada")
    link = (await tenant.read("/users/delta")).json()["@odata.deltaLink"]
    last = (await tenant.client.get("/sandbox/events")).json()["last"]

    await tenant.client.post("/sandbox/reset")

    assert await tenant.rows("/users") == []
    assert (await tenant.read(link)).status_code == 410
    assert (await tenant.client.get("/sandbox/events")).json()["last"] == last + 1


def test_endpoint_is_delayed_when_a_tenth_of_its_answers_is_slow_and_dropped_when_very_slow() -> None:
    health = EndpointHealth()
    url = "https://tether.example/notifications"
    for number in range(100):
        health.note(url, 4.0 if number < 11 else 0.1, now=1000)

    slow = (health.delay(url, 1000), health.drops(url, 1000))
    for _ in range(20):
        health.note(url, 10.0, now=1000)

    assert slow == (600, False)
    assert health.drops(url, 1000)
    assert (health.delay(url, 1601), health.drops(url, 1601)) == (0, False)


async def test_server_says_where_it_listens_and_stops_cleanly() -> None:
    command = [sys.executable, "-m", "sandbox.graph", "--port", "0"]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout
    line = (await process.stdout.readline()).decode()

    async with httpx.AsyncClient(base_url=line.removeprefix("listening on ").strip()) as client:
        answer = await client.get("/v1.0/users", headers=bearer("User.Read.All"))
    process.send_signal(signal.SIGTERM)

    assert (answer.status_code, answer.json()["value"]) == (200, [])
    assert await process.wait() == 0
