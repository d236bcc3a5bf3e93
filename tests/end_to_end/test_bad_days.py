"""The whole app on real protocols: what Entra takes away is gone at the gateway, whatever else goes wrong."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient

from sandbox.bench.crowd import Crowd, Member, disable, gather_crowd, leave, live_sessions, until
from sandbox.supervisor import Sandbox
from tools.verify_evidence import verify_folder

BY_NOTIFICATION, BY_SWEEP, AFTER_A_CRASH = 20, 40, 240


async def test_removed_member_loses_group_and_session_and_nobody_else_does(sandbox: Sandbox, crowd: Crowd) -> None:
    leaver, *others = crowd.members

    await leave(sandbox, crowd, leaver)

    await until(lambda: is_out(sandbox, crowd, leaver), BY_NOTIFICATION)
    assert await live_sessions(sandbox, crowd) == len(others)
    assert [await groups_of(sandbox, other) for other in others] == [[crowd.group_id]] * 2


async def test_disabled_user_is_inactive_without_groups_or_sessions(sandbox: Sandbox, crowd: Crowd) -> None:
    await disable(sandbox, crowd.members[0])

    await until(lambda: is_out(sandbox, crowd, crowd.members[0]), BY_NOTIFICATION)
    assert (await user(sandbox, crowd.members[0]))["status"] == "inactive"


async def test_removal_is_obeyed_while_graph_still_denies_it(sandbox: Sandbox, crowd: Crowd) -> None:
    await graph_switch(sandbox, {"staleReadSeconds": 600})

    await leave(sandbox, crowd, crowd.members[0])

    await until(lambda: is_out(sandbox, crowd, crowd.members[0]), BY_NOTIFICATION)


async def test_removal_is_obeyed_while_graph_does_not_answer(sandbox: Sandbox, crowd: Crowd) -> None:
    await graph_switch(sandbox, {"hang": True})

    await leave(sandbox, crowd, crowd.members[0])

    await until(lambda: is_out(sandbox, crowd, crowd.members[0]), BY_NOTIFICATION)


async def test_duplicate_and_reordered_notifications_have_one_effect(sandbox: Sandbox, crowd: Crowd) -> None:
    await graph_switch(sandbox, {"duplicate": True, "reorder": True})

    for member in crowd.members:
        await leave(sandbox, crowd, member)
    for member in crowd.members:
        await until(lambda m=member: is_out(sandbox, crowd, m), BY_NOTIFICATION)  # type: ignore[misc]

    events = (await sandbox.gateway.get("/sandbox/events?after=0")).json()["events"]
    subjects = [e["subject"] for e in events if e["kind"] == "user-updated"]
    assert [subjects.count(member.subject) for member in crowd.members] == [1, 1, 1]


async def test_lost_notification_is_repaired_by_the_sweep(sandbox: Sandbox, crowd: Crowd) -> None:
    await graph_switch(sandbox, {"drop": 1})

    await leave(sandbox, crowd, crowd.members[0])

    await until(lambda: is_out(sandbox, crowd, crowd.members[0]), BY_SWEEP)


async def test_expired_delta_links_lead_to_a_comparison_of_everybody(sandbox: Sandbox, crowd: Crowd) -> None:
    await graph_switch(sandbox, {"drop": True, "deltaExpired": True})

    await leave(sandbox, crowd, crowd.members[0])

    await until(lambda: is_out(sandbox, crowd, crowd.members[0]), BY_SWEEP)


async def test_lost_subscription_is_made_anew_and_the_gap_is_closed(sandbox: Sandbox, crowd: Crowd) -> None:
    directory = (await sandbox.graph.get("/sandbox/directory")).json()
    lost = {subscription["id"] for subscription in directory["subscriptions"]}
    for subscription_id in lost:
        (await sandbox.graph.post(f"/sandbox/subscriptions/{subscription_id}/lose")).raise_for_status()
    await leave(sandbox, crowd, crowd.members[0])

    await sandbox.run_function("watch_subscriptions")

    await until(lambda: is_out(sandbox, crowd, crowd.members[0]), BY_SWEEP)
    directory = (await sandbox.graph.get("/sandbox/directory")).json()
    made = {subscription["id"] for subscription in directory["subscriptions"]}
    assert len(made) == 2
    assert not made & lost


@pytest.mark.parametrize(
    "fault",
    [
        {"down": True},
        {"status": {"code": 500, "path": "/api/users", "method": "PUT"}},
        {"status": {"code": 401, "path": "/api"}},
        {"status": {"code": 403, "path": "/api/sessions"}},
        {"emptyBody": True},
        {"html": True},
    ],
    ids=["down", "500-on-write", "401", "403-on-sessions", "empty-body", "html"],
)
async def test_removal_during_a_gateway_fault_is_caught_up_afterwards(
    sandbox: Sandbox, crowd: Crowd, fault: Mapping[str, object]
) -> None:
    await gateway_switch(sandbox, fault)
    await leave(sandbox, crowd, crowd.members[0])
    await until(lambda: is_waiting_or_retried(sandbox), BY_NOTIFICATION)

    (await sandbox.gateway.put("/sandbox/switches?reset=1", json={})).raise_for_status()

    await until(lambda: is_out(sandbox, crowd, crowd.members[0]), BY_SWEEP)


async def test_kill_that_met_the_wrong_replica_is_repeated_until_the_stream_is_gone(
    sandbox: Sandbox, crowd: Crowd
) -> None:
    await gateway_switch(sandbox, {"killDoesNothing": 2})

    await leave(sandbox, crowd, crowd.members[0])

    await until(lambda: is_out(sandbox, crowd, crowd.members[0]), BY_SWEEP)


async def test_session_that_no_kill_reaches_is_named_in_the_evidence(
    sandbox: Sandbox, crowd: Crowd, tmp_path: Path
) -> None:
    await gateway_switch(sandbox, {"killDoesNothing": True})

    await leave(sandbox, crowd, crowd.members[0])
    await until(lambda: everybody_says(sandbox, tmp_path, crowd.members[:1], "revoked"), BY_SWEEP)

    kinds = await download_evidence(sandbox, tmp_path, crowd.members[:1])
    assert "session-may-survive" in kinds[crowd.members[0].id]


async def test_write_that_the_gateway_ignored_is_repeated(sandbox: Sandbox, crowd: Crowd) -> None:
    await gateway_switch(sandbox, {"putIgnored": 1})

    await leave(sandbox, crowd, crowd.members[0])

    await until(lambda: is_out(sandbox, crowd, crowd.members[0]), BY_SWEEP)


async def test_notification_is_refused_while_the_queue_is_and_taken_when_graph_repeats_it(
    sandbox: Sandbox, crowd: Crowd
) -> None:
    broker = f"{sandbox.broker_control_url}/sandbox/switches"
    (await sandbox.graph.put(broker, json={"refuse": True})).raise_for_status()
    await leave(sandbox, crowd, crowd.members[0])
    await until(lambda: notification_was_answered(sandbox, 503), BY_NOTIFICATION)

    (await sandbox.graph.put(broker, json={"refuse": False})).raise_for_status()

    await until(lambda: is_out(sandbox, crowd, crowd.members[0]), BY_SWEEP)


@pytest.mark.timeout(400)
async def test_nothing_is_lost_when_the_app_is_killed_in_the_middle(sandbox: Sandbox, tmp_path: Path) -> None:
    crowd = await gather_crowd(sandbox, 12)
    await gateway_switch(sandbox, {"latencyMs": 150})
    for member in crowd.members:
        await leave(sandbox, crowd, member)
    await until(lambda: has_begun(sandbox, crowd), BY_NOTIFICATION, look_again=0.01)

    await sandbox.kill("functions")
    await sandbox.start("functions")
    await gateway_switch(sandbox, {"latencyMs": 0})

    for member in crowd.members:
        await until(lambda m=member: is_out(sandbox, crowd, m), AFTER_A_CRASH)  # type: ignore[misc]
    kinds = await download_evidence(sandbox, tmp_path, crowd.members)
    assert all("revocation-decided" in entries for entries in kinds.values())
    await until(lambda: everybody_says(sandbox, tmp_path, crowd.members, "revoked"), AFTER_A_CRASH, look_again=1)
    chains, _, _, faults = verify_folder(tmp_path)
    assert (chains, faults) == (len(crowd.members), [])


async def is_out(sandbox: Sandbox, crowd: Crowd, member: Member) -> bool:
    """Whether neither a group nor a live session is left; told by the stand-in's memory, not by the app."""
    shown = (await sandbox.gateway.get("/sandbox/snapshot")).json()
    row = next(one for one in shown["users"] if one["id"] == member.subject)
    streams = (await sandbox.gateway.get(f"/sandbox/streams?subject={member.subject}")).json()["streams"]
    return not row["groups"] and not streams


async def user(sandbox: Sandbox, member: Member) -> dict[str, object]:
    row: dict[str, object] = (await sandbox.gateway.get(f"/api/users/{member.subject}")).json()
    return row


async def groups_of(sandbox: Sandbox, member: Member) -> object:
    return (await user(sandbox, member))["groups"]


async def graph_switch(sandbox: Sandbox, values: Mapping[str, object]) -> None:
    (await sandbox.graph.put("/sandbox/switches", json=values)).raise_for_status()


async def gateway_switch(sandbox: Sandbox, values: Mapping[str, object]) -> None:
    (await sandbox.gateway.put("/sandbox/switches", json=values)).raise_for_status()


async def is_waiting_or_retried(sandbox: Sandbox) -> bool:
    """Whether a look was put off: its copy is scheduled."""
    queues = (await sandbox.graph.get(f"{sandbox.broker_control_url}/sandbox/queues")).json()
    return bool(queues["principal-changes"]["scheduled"])


async def notification_was_answered(sandbox: Sandbox, status: int) -> bool:
    events = (await sandbox.graph.get("/sandbox/events?after=0")).json()["events"]
    return any(event["kind"] == "notification-sent" and event.get("status") == status for event in events)


async def has_begun(sandbox: Sandbox, crowd: Crowd) -> bool:
    """Whether the gateway has seen the first write, and not yet the last."""
    events = (await sandbox.gateway.get("/sandbox/events?after=0")).json()["events"]
    subjects = {member.subject for member in crowd.members}
    return any(event["kind"] == "user-updated" and event["subject"] in subjects for event in events)


async def download_evidence(sandbox: Sandbox, folder: Path, members: tuple[Member, ...]) -> dict[str, list[str]]:
    """What each member's chain says, in order; the chains lie in the folder afterwards."""
    (folder / "principals").mkdir(exist_ok=True)
    kinds: dict[str, list[str]] = {}
    async with BlobServiceClient.from_connection_string(sandbox.settings["AzureWebJobsStorage"]) as blobs:
        container = blobs.get_container_client("evidence")
        for member in members:
            name = f"principals/{member.id}.jsonl"
            lines = await (await container.download_blob(name)).readall()
            (folder / name).write_bytes(lines)
            kinds[member.id] = [json.loads(line)["what"] for line in lines.splitlines()]
    return kinds


async def everybody_says(sandbox: Sandbox, folder: Path, members: tuple[Member, ...], what: str) -> bool:
    try:
        kinds = await download_evidence(sandbox, folder, members)
    except ResourceNotFoundError:
        return False
    return all(what in entries for entries in kinds.values())
