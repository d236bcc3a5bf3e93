"""Bad days at the gateway, at Graph, in storage and in the queues: what cannot be done now is done later, or told."""

from dataclasses import replace

import pytest

from shared.domain.gateway import IdentityKind
from shared.domain.identity_map import IdentityMap
from shared.domain.plan import Escalation
from shared.domain.reach import AccessPolicy, ApprovalRule
from shared.errors import RejectedError, RetryLaterError
from shared.handlers.settle_message import settle_event
from shared.wire.messages import parse_change
from tests.fakes.queue import CHANGES, EVENTS, VERIFICATIONS
from tests.fakes.worker import Fault, unreachable
from tests.fakes.world import rules
from tests.handlers.scene import DEV, LONGEST_VERIFICATION, MAP, OPS, POLICY, is_closed, set_scene

HOUR, LAST_ATTEMPT = 3600, 20
WRITES = ("gateway.write_identity", "gateway.kill_session")
EVERY_STEP = (
    "records.read",
    "records.claim",
    "records.save",
    "records.remember",
    "evidence.append",
    "queue.send",
    "queue.send_verification",
    "gateway.roster",
    "gateway.access_policy",
    "gateway.read_identity",
    "gateway.holdings",
    "gateway.write_identity",
    "gateway.kill_session",
    "directory.describe",
    "directory.direct_groups",
    "directory.memberships",
)


def answering(reason: str, *names: str) -> Fault:
    """Faults as an adapter reports them, such as `gateway-403`."""

    def fault(call: tuple[str, str]) -> RetryLaterError | None:
        return RetryLaterError(reason) if ".".join(call) in names or call[0] in names else None

    return fault


@pytest.mark.parametrize("step", EVERY_STEP)
async def test_removal_is_done_once_whatever_failed_works_again(step: str) -> None:
    scene = await set_scene()
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.notify()
    scene.world.fault = unreachable(step)
    for _ in range(3):
        await scene.world.settle_once()
        scene.world.clock.advance(5)

    scene.world.fault = unreachable()
    await scene.world.run(300)

    assert is_closed(scene, scene.alice_at)
    assert scene.others_are_untouched
    assert "revoked" in scene.world.story(scene.alice)
    assert not scene.world.queue.dead_letters


@pytest.mark.parametrize(
    "reason", ["gateway-401", "gateway-403", "gateway-500", "gateway-empty", "gateway-not-json", "gateway-unreachable"]
)
async def test_gateway_that_answers_wrongly_for_an_hour_is_caught_up_with(reason: str) -> None:
    scene = await set_scene()
    scene.world.fault = answering(reason, "gateway")
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()
    await scene.world.run(HOUR)

    scene.world.fault = unreachable()
    await scene.world.run(301)

    assert is_closed(scene, scene.alice_at)
    assert not scene.world.queue.dead_letters
    assert scene.world.story(scene.alice) == ["delayed", "revocation-decided", "revoked"]


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 500, 503])
async def test_graph_that_refuses_to_answer_delays_no_notified_removal(status: int) -> None:
    scene = await set_scene()
    scene.world.fault = answering(f"graph-{status}", "directory")

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)


async def test_graph_that_refuses_to_answer_delays_a_user_update_until_it_does() -> None:
    scene = await set_scene()
    scene.world.fault = answering("graph-503", "directory")
    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()
    await scene.world.run(HOUR)

    scene.world.fault = unreachable()
    await scene.world.run(301)

    assert is_closed(scene, scene.alice_at)


async def test_graph_that_hangs_is_not_waited_for() -> None:
    scene = await set_scene(rules(MAP, read_budget=0.01))
    scene.world.entra.hang()

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)


async def test_wait_that_the_other_side_asks_for_is_kept() -> None:
    scene = await set_scene()
    scene.world.fault = lambda call: RetryLaterError("gateway-429", retry_after=77) if call[0] == "gateway" else None

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    (message,) = scene.world.queue.waiting
    assert (message.visible_at - scene.world.clock.now()).total_seconds() == 77
    assert parse_change(message.body).attempt == 1


async def test_attempts_that_run_out_leave_a_dead_letter_and_evidence() -> None:
    scene = await set_scene()
    scene.world.fault = answering("gateway-403", *WRITES)
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    await scene.world.run(2 * HOUR)

    (letter,) = scene.world.queue.dead_letters
    assert (letter.reason, letter.queue) == ("gateway-403", CHANGES)
    assert parse_change(letter.body).attempt == LAST_ATTEMPT
    assert scene.world.story(scene.alice)[-1] == "dead-lettered"
    assert scene.world.entries(scene.alice)[-1]["details"]["attempts"] == LAST_ATTEMPT + 1
    assert scene.world.alerts.reasons["dead-lettered"] == 1


async def test_revocation_that_was_given_up_is_found_by_the_reconcile() -> None:
    scene = await set_scene()
    scene.world.fault = answering("gateway-403", *WRITES)
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()
    await scene.world.run(2 * HOUR)

    scene.world.fault = unreachable()
    await scene.world.reconcile()
    await scene.world.settle()

    assert is_closed(scene, scene.alice_at)


async def test_dead_letter_waits_for_storage_no_longer_than_an_alert() -> None:
    scene = await set_scene()
    scene.world.fault = answering("storage-unreachable", "evidence", "records")
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    await scene.world.run(2 * HOUR)

    assert [letter.reason for letter in scene.world.queue.dead_letters] == ["storage-unreachable"]
    assert scene.world.alerts.reasons["evidence-not-written"] == 2


async def test_malformed_message_is_put_aside() -> None:
    scene = await set_scene()
    await scene.world.queue.send([])
    scene.world.queue.put_raw(CHANGES, b"{")
    scene.world.queue.put_raw(EVENTS, b"[]")

    await scene.world.settle()

    assert [(letter.queue, letter.reason) for letter in scene.world.queue.dead_letters] == [
        (CHANGES, "malformed-message"),
        (EVENTS, "malformed-message"),
    ]


async def test_directory_event_is_tried_again_and_then_put_aside() -> None:
    scene = await set_scene()
    scene.world.fault = answering("graph-403", "directory")
    scene.world.entra.delete_group(DEV)
    scene.world.lose_notifications()
    scene.world.delta_links.links.clear()
    scene.world.fault = answering("graph-403", "directory.describe_many")
    await scene.world.sweep()

    await scene.world.run(2 * HOUR)

    assert {letter.reason for letter in scene.world.queue.dead_letters} == {"graph-403"}


async def test_directory_event_about_an_empty_roster_is_put_aside() -> None:
    scene = await set_scene()
    scene.world.gateway.identities.clear()
    scene.world.delta_links.links.pop("users")

    await scene.world.sweep()
    await scene.world.settle()

    assert [letter.reason for letter in scene.world.queue.dead_letters] == ["empty-roster"]


async def test_event_that_was_decided_already_is_done() -> None:
    scene = await set_scene()
    scene.world.delta_links.links.pop("users")
    await scene.world.sweep()
    (message,) = scene.world.queue.waiting

    await settle_event(message.body, EVENTS, scene.world.already_decided, scene.world.ports)

    assert len(scene.world.queue.waiting) == 1
    assert not scene.world.queue.dead_letters


async def test_ambiguous_address_is_a_dead_letter_and_touches_nobody() -> None:
    scene = await set_scene()
    scene.world.gateway.person("alice@TETHER.example", "dev")

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    (letter,) = scene.world.queue.dead_letters
    assert letter.reason == "ambiguous-identity"
    assert scene.world.story(scene.alice) == ["dead-lettered"]
    assert not scene.world.gateway.effects


async def test_break_glass_identity_is_reported_and_untouched() -> None:
    scene = await set_scene(rules(IdentityMap(MAP.groups, break_glass=frozenset({"alice@tether.example"}))))

    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()

    assert scene.world.gateway.reaches(scene.alice_at, "pg1")
    assert scene.world.alerts.reasons == {"break-glass-kept": 1}
    assert scene.world.story(scene.alice) == ["revocation-withheld"]


async def test_last_admin_is_reported_and_untouched() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    for ref in [ref for ref, one in gateway.identities.items() if "admin" in one.groups]:
        del gateway.identities[ref]
    gateway.set_groups(scene.alice_at, "dev", "admin")

    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()

    assert gateway.identities[scene.alice_at].status == "active"
    assert scene.world.alerts.reasons["last-admin-kept"] == 1


async def test_removal_that_cannot_be_enforced_is_withheld_where_the_operator_wants_alerts() -> None:
    scene = await set_scene(rules(MAP, escalation=Escalation.ALERT))
    scene.world.gateway.policy = AccessPolicy(
        enforced=True,
        connections=POLICY.connections,
        groups_of_connection=POLICY.groups_of_connection,
        rules=(ApprovalRule(frozenset({"pg3"}), frozenset(), approval_required_groups=frozenset({"dev"})),),
    )

    scene.world.entra.remove(DEV, scene.agent)
    await scene.world.deliver()

    assert not scene.world.gateway.effects
    assert scene.world.alerts.reasons == {"removal-would-skip-approval": 1}


async def test_kill_that_kills_nothing_is_repeated_until_proven() -> None:
    scene = await set_scene()
    scene.world.gateway.deaf_kills = 2

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)
    assert scene.world.gateway.done("kill") == {"session-1": 3}


async def test_kill_that_goes_on_killing_nothing_is_retried_later() -> None:
    scene = await set_scene()
    scene.world.gateway.deaf_kills = 10

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    assert "revoked" not in scene.world.story(scene.alice)

    await scene.world.run(60)

    assert is_closed(scene, scene.alice_at)
    assert scene.world.story(scene.alice)[-1] == "revoked"


async def test_review_that_cannot_be_closed_does_not_save_the_sessions() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    ended = gateway.connect(scene.alice_at, "pg3")
    gateway.ask(scene.alice_at, ended)
    gateway.streams[ended].shown_live = gateway.streams[ended].flows = False
    gateway.closing_fails = True

    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)
    assert len(scene.world.queue.waiting) == 1


async def test_identity_that_cannot_be_written_does_not_save_the_others() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    key = gateway.key(IdentityKind.AI_AGENT, "agent-key", "dev")
    scene.world.rules = rules(IdentityMap(MAP.groups, {scene.alice: (key,)}))
    gateway.unwritable.add(scene.alice_at)

    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()

    assert gateway.identities[key].status == "revoked"
    assert gateway.identities[scene.alice_at].status == "active"

    gateway.unwritable.clear()
    await scene.world.run(60)

    assert is_closed(scene, scene.alice_at)


async def test_what_a_later_round_takes_is_remembered_and_comes_back() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    gateway.on_write = lambda: gateway.set_groups(scene.alice_at, "given-meanwhile")

    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)
    assert not gateway.identities[scene.alice_at].groups

    scene.world.entra.enable(scene.alice)
    await scene.world.deliver()
    await scene.world.run(61)

    assert gateway.identities[scene.alice_at].groups == {"dev", "given-meanwhile"}


async def test_identity_that_vanishes_while_it_is_revoked_is_proven_gone() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    gateway.on_write = lambda: gateway.identities.pop(scene.alice_at)

    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()

    assert scene.world.story(scene.alice)[-1] == "revoked"


async def test_resurrected_account_is_taken_back_by_the_verification_and_reported() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()
    gateway.set_status(scene.alice_at, "active")
    gateway.set_groups(scene.alice_at, "dev")
    gateway.connect(scene.alice_at, "pg1")

    await scene.world.run(10)

    assert is_closed(scene, scene.alice_at)
    assert scene.world.alerts.reasons["access-came-back"] == 1
    assert len(scene.world.queue.on(VERIFICATIONS)) == 1

    await scene.world.run(LONGEST_VERIFICATION + 20)

    assert not scene.world.queue.on(VERIFICATIONS)


async def test_account_with_nothing_left_to_take_is_verified_to_the_end() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    gateway.set_status(scene.alice_at, "inactive")
    gateway.set_groups(scene.alice_at)
    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()
    await scene.world.run(60)

    gateway.set_status(scene.alice_at, "active")
    gateway.set_groups(scene.alice_at, "dev")
    await scene.world.run(300)

    assert is_closed(scene, scene.alice_at)


async def test_late_owner_writes_nothing() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.notify()
    gateway.on_read = lambda: scene.world.clock.advance(121)

    await scene.world.process(scene.world.queue.visible()[0])

    assert not gateway.effects
    assert len(scene.world.queue.on(CHANGES)) == 1

    gateway.on_read = None
    await scene.world.run(130)

    assert is_closed(scene, scene.alice_at)


async def test_owner_that_comes_back_after_another_took_over_writes_nothing_more() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.notify()
    first = scene.world.queue.visible()[0]
    scene.world.queue.put_raw(CHANGES, first.body)

    async def meanwhile() -> None:
        gateway.before_write = None
        scene.world.clock.advance(121)
        await scene.world.process(scene.world.queue.visible()[0])

    gateway.before_write = meanwhile
    await scene.world.process(first)
    await scene.world.run(LONGEST_VERIFICATION + 30)

    assert is_closed(scene, scene.alice_at)
    assert gateway.done("write") == {str(scene.alice_at): 1}
    assert scene.world.alerts.reasons["claim-lost"] == 1
    assert not scene.world.queue.waiting


async def test_work_that_takes_too_long_is_retried() -> None:
    scene = await set_scene(rules(MAP, work_seconds=0.01, read_budget=60.0))
    scene.world.entra.hang()
    scene.world.entra.disable(scene.alice)

    await scene.world.deliver()

    (message,) = scene.world.queue.waiting
    assert parse_change(message.body).attempt == 1
    claim = scene.world.records.states[scene.alice].claim
    assert claim is None


async def test_hint_that_is_four_hours_late_is_only_a_reason_to_read() -> None:
    scene = await set_scene()
    scene.world.entra.remove(DEV, scene.alice)
    scene.world.entra.add(DEV, scene.alice)
    scene.world.entra.outbox.pop()
    await scene.world.notify()
    scene.world.clock.advance(4 * HOUR)

    await scene.world.settle()

    assert not scene.world.gateway.effects


async def test_names_that_graph_does_not_resolve_delay_a_look_but_not_what_is_known() -> None:
    by_name = replace(MAP, groups=(*MAP.groups, replace(MAP.groups[0], entra_group="auditors", gateway_group="audit")))
    scene = await set_scene(rules(by_name))
    scene.world.fault = answering("graph-503", "directory.group_ids")

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)
    assert len(scene.world.queue.on(CHANGES)) == 1


async def test_nested_group_waits_for_the_names_of_the_map() -> None:
    by_name = replace(MAP, groups=(*MAP.groups, replace(MAP.groups[0], entra_group="auditors", gateway_group="audit")))
    scene = await set_scene(rules(by_name))
    contractors = scene.world.entra.group("contractors", scene.alice)
    scene.world.entra.truth.members[DEV].discard(scene.alice)
    scene.world.entra.truth.members[DEV].add(contractors)
    scene.world.fault = answering("graph-503", "directory.group_ids")
    scene.world.entra.remove(DEV, contractors)
    await scene.world.deliver()

    scene.world.fault = unreachable()
    await scene.world.run(2)

    assert is_closed(scene, scene.alice_at)


async def test_own_identity_is_never_touched() -> None:
    scene = await set_scene()
    own = scene.world.entra.service_principal("tether itself")
    ref = scene.world.gateway.service_account(own, "admin")
    scene.world.gateway.own_subject = own

    scene.world.entra.disable(own)
    await scene.world.sweep()
    await scene.world.settle()

    assert scene.world.gateway.identities[ref].status == "active"
    assert scene.world.alerts.reasons["own-identity-kept"] == 1


async def test_two_workers_on_one_principal_revoke_once() -> None:
    scene = await set_scene()
    scene.world.entra.remove(DEV, scene.agent)
    scene.world.entra.remove(OPS, scene.agent)
    await scene.world.notify()

    await scene.world.process_together(*scene.world.queue.visible())
    await scene.world.run(5)

    assert is_closed(scene, scene.agent_at)
    assert scene.world.gateway.done("kill") == {"session-3": 1}
    assert not scene.world.queue.dead_letters


async def test_revocation_of_an_unclear_principal_is_refused_by_the_reconcile_with_an_alert() -> None:
    scene = await set_scene()
    scene.world.gateway.person("alice@TETHER.example", "dev")
    scene.world.entra.disable(scene.alice)
    scene.world.lose_notifications()

    await scene.world.reconcile()
    await scene.world.settle()

    assert scene.world.alerts.reasons["ambiguous-identity"] == 1
    assert not scene.world.gateway.effects


async def test_unknown_hold_is_refused() -> None:
    scene = await set_scene()

    with pytest.raises(RejectedError, match="unknown-hold"):
        await scene.world.release("nothing")
