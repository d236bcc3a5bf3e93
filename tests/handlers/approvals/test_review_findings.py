"""What a stranger found who read the approvals for holes; each was open once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from shared.domain.approval import ApprovalState
from shared.domain.gateway import IdentityKind, IdentityRef
from shared.domain.identity_map import IdentityMap
from shared.domain.reviews import ReviewStatus
from shared.errors import AlreadyDecidedError, RetryLaterError, UnknownOutcomeError
from tests.fakes.entra import guid
from tests.fakes.queue import REVIEW_EVENTS
from tests.fakes.reviews import Voter
from tests.fakes.worker import Fate, no_fault, unreachable
from tests.handlers.approvals.scene import (
    HOUR,
    LOUD,
    MINUTE,
    SECURITY,
    Scene,
    asking,
    check_agreement,
    ended_once,
    is_card,
    set_scene,
    told,
)

ROBOT = IdentityRef(IdentityKind.AI_AGENT, "robot-key")


async def asked_by_a_robot(*, created_by: str = "") -> Scene:
    """The robot asks; olaf owns it."""
    identity_map = IdentityMap(agents={guid("robot"): (ROBOT,)})
    scene = await set_scene(identity_map=identity_map)
    scene.world.entra.service_principal("robot", "robot-app")
    scene.world.entra.truth.owners[guid("robot")] = [guid("olaf")]
    await scene.ask("dba", by=scene.world.gateway.key(ROBOT.kind, ROBOT.key, created_by=created_by))
    return scene


# --- who asks -----------------------------------------------------------------------------------------------------


async def test_request_of_somebody_whose_account_was_shut_is_not_approved() -> None:
    scene = await set_scene()
    await scene.ask("dba")
    scene.world.entra.disable(guid("rita"))
    scene.world.lose_notifications()

    answers = [told(await scene.click("ada")), told(await scene.click("eve", "break-glass", reason="now"))]

    assert all("no longer enabled" in answer for answer in answers)
    assert scene.effects == []
    assert is_card(await scene.click("ada", "deny", reason="gone"))
    assert scene.at_the_gateway is ReviewStatus.REJECTED


async def test_votes_for_somebody_whose_account_was_shut_since_are_not_carried_out() -> None:
    scene = await set_scene()
    await scene.ask("dba", "security", needed=2)
    assert is_card(await scene.click("ada"))
    await scene.at_gateway("security")
    scene.world.entra.disable(guid("rita"))
    scene.world.lose_notifications()

    await scene.look()
    await scene.world.settle()

    assert scene.effects == []
    assert scene.approval.state is ApprovalState.WITHDRAWN
    assert scene.at_the_gateway is ReviewStatus.REJECTED


async def test_whoever_became_an_owner_of_the_agent_since_may_not_approve() -> None:
    scene = await asked_by_a_robot()
    scene.world.entra.truth.owners[guid("robot")] = [guid("ada")]

    answer = await scene.click("ada")

    assert "your own request" in told(answer)
    assert scene.effects == []


async def test_waiting_vote_of_somebody_who_became_an_owner_since_does_not_count() -> None:
    scene = await set_scene(identity_map=IdentityMap(agents={guid("robot"): (ROBOT,)}))
    scene.world.entra.service_principal("robot", "robot-app")
    await scene.ask("dba", "security", needed=2, by=scene.world.gateway.key(ROBOT.kind, ROBOT.key))
    assert is_card(await scene.click("ada"))
    scene.world.entra.truth.sponsors[guid("robot")] = [guid("ada")]

    await scene.click("cleo", place=SECURITY)
    await scene.after(60)

    assert scene.approval.is_open
    assert scene.effects == []
    assert [vote.approver.name for vote in scene.approval.votes] == ["cleo"]


async def test_whoever_made_the_agents_key_may_not_approve_its_requests() -> None:
    scene = await asked_by_a_robot(created_by="Ada@tether.example")

    answer = await scene.click("ada")

    assert "your own request" in told(answer)
    assert scene.effects == []
    assert is_card(await scene.click("ben"))


# --- who answers --------------------------------------------------------------------------------------------------


async def test_waiting_vote_counts_for_no_group_that_its_person_has_left() -> None:
    scene = await set_scene()
    await scene.ask("dba", "security", needed=2)
    assert is_card(await scene.click("dora"))
    scene.world.entra.remove(guid("dba-approvers"), guid("dora"))
    scene.world.lose_notifications()

    await scene.click("cleo", place=SECURITY)
    await scene.after(60)

    assert scene.approval.is_open
    assert scene.effects == []


async def test_person_who_votes_in_teams_and_then_at_the_gateway_counts_once() -> None:
    scene = await set_scene()
    await scene.ask("dba", "security", needed=2)
    assert is_card(await scene.click("dora"))
    voter = Voter("dora@tether.example", frozenset({"dba"}))
    scene.world.reviews.vote(scene.review_id, voter, ReviewStatus.APPROVED)

    await scene.look()
    await scene.after(60)

    assert scene.approval.is_open
    assert scene.effects == []


async def test_vote_that_arrived_and_could_not_be_read_back_is_the_persons_only_one() -> None:
    scene = await set_scene()
    await scene.ask("dba", "security", needed=2)
    assert is_card(await scene.click("dora"))
    down = RetryLaterError("gateway-unreachable")
    scene.world.reviews.faults.plan("read", None, down, down)

    answer = await scene.click("cleo", place=SECURITY)
    await scene.after(60)

    assert "does not answer" in told(answer)
    assert scene.effects == [("approve", "dba")]
    assert scene.approval.is_open
    assert [(vote.approver.name, vote.group) for vote in scene.approval.votes if vote.applied] == [("dora", "dba")]
    assert is_card(await scene.click("cleo", place=SECURITY))
    assert scene.effects == [("approve", "dba"), ("approve", "security")]


async def test_approval_that_arrived_and_could_not_be_read_back_is_credited_to_who_gave_it() -> None:
    scene = await set_scene()
    await scene.ask("dba")
    down = RetryLaterError("gateway-unreachable")
    scene.world.reviews.faults.plan("read", None, down, down)

    await scene.click("ada")
    await scene.after(60)

    assert scene.approval.outcome
    assert (scene.approval.outcome.by, scene.approval.outcome.way) == (("ada",), "teams")


async def test_denial_that_failed_leaves_the_vote_that_its_person_gave_before() -> None:
    scene = await set_scene()
    await scene.ask("dba", "security", needed=2)
    assert is_card(await scene.click("ada"))
    scene.world.reviews.faults.plan("deny", RetryLaterError("gateway-unreachable"))

    await scene.click("ada", "deny", reason="on second thoughts")
    await scene.after(60)

    assert [(vote.approver.name, vote.choice) for vote in scene.approval.votes] == [("ada", "approve")]
    check_agreement(scene)


async def test_denial_that_failed_gives_nobody_a_second_vote() -> None:
    scene = await set_scene()
    await scene.ask("dba", "security", needed=2)
    assert is_card(await scene.click("dora"))
    scene.world.reviews.faults.plan("approve", None, RetryLaterError("gateway-503"))
    await scene.click("cleo", place=SECURITY)
    scene.world.reviews.faults.plan("deny", RetryLaterError("gateway-503"))
    await scene.click("dora", "deny", reason="on second thoughts")

    await scene.click("dora", place=SECURITY)
    await scene.after(60)

    assert scene.approval.is_open
    assert scene.effects == [("approve", "dba")]


# --- when ---------------------------------------------------------------------------------------------------------


async def test_click_on_a_stale_card_changes_nothing_about_the_end() -> None:
    scene = await set_scene()
    await scene.ask("dba")
    stale = replace(scene.card_message(), faces=scene.card_message().faces[:1])
    await scene.world.run(4 * 3600 + 60)
    ended = scene.approval.outcome

    answer = await scene.click("ada", message=stale)
    await scene.after(60)

    assert is_card(answer)
    assert scene.approval.outcome == ended
    assert scene.approval.state is ApprovalState.EXPIRED
    assert ended_once(scene)


async def test_click_on_a_stale_card_leaves_a_grant_that_was_given_back_an_approval() -> None:
    scene = await set_scene()
    await scene.ask("dba")
    stale = replace(scene.card_message(), faces=scene.card_message().faces[:1])
    await scene.click("ada")
    await scene.world.settle()
    await scene.click("rita", "done", scene.world.teams.chat_with(guid("rita")))
    await scene.after(60)

    await scene.click("ben", "deny", message=stale, reason="too late")
    await scene.after(60)

    assert scene.approval.state is ApprovalState.APPROVED
    assert ended_once(scene)


async def test_scheduled_look_that_comes_before_its_time_is_not_the_last_one() -> None:
    scene = await set_scene()
    await scene.ask("dba")
    (due,) = scene.world.queue.on(REVIEW_EVENTS)
    scene.world.clock.time = due.visible_at - timedelta(seconds=2)
    await scene.world.process(due)

    await scene.world.run(5 * HOUR)

    assert scene.approval.state is ApprovalState.EXPIRED
    assert len(scene.texts_in()) == 4


async def test_request_whose_first_look_failed_for_good_is_asked_all_the_same() -> None:
    scene = await set_scene()
    await scene.ask("dba", announced=False)
    await scene.look("webhook")
    scene.world.fault = unreachable("evidence")
    await scene.world.run(2 * HOUR)
    assert [letter.reason for letter in scene.world.queue.dead_letters] == ["evidence-unreachable"]
    scene.world.fault = no_fault

    await scene.after(2 * MINUTE)

    assert len(scene.cards_in()) == 1
    check_agreement(scene)


async def test_request_that_cannot_be_looked_at_does_not_pile_up_messages() -> None:
    scene = await set_scene()
    await scene.ask("dba", announced=False)
    scene.world.fault = unreachable("reviews.read")

    await scene.after(30 * MINUTE)

    assert len(scene.world.queue.on(REVIEW_EVENTS)) <= 3
    assert scene.world.queue.dead_letters == []
    scene.world.fault = no_fault
    await scene.after(MINUTE)
    assert len(scene.cards_in()) == 1


async def test_vote_that_an_answer_at_the_gateway_made_enough_is_carried_out_soon() -> None:
    scene = await set_scene()
    await scene.ask("dba", "security", needed=2)
    assert is_card(await scene.click("ada"))
    await scene.after(MINUTE)
    await scene.at_gateway("security")

    await scene.after(2 * MINUTE)

    assert scene.approval.state is ApprovalState.APPROVED
    assert scene.effects == [("approve", "dba")]


async def test_requester_whom_the_gateway_did_not_show_yet_is_known_later() -> None:
    scene = await set_scene()
    known = scene.world.gateway.identities.pop(scene.rita_at)
    scene.world.gateway.identities[scene.rita_at] = replace(known, email="")
    await scene.ask("dba")
    assert "Entra does not know" in told(await scene.click("ada"))
    scene.world.gateway.identities[scene.rita_at] = known

    await scene.after(2 * MINUTE)

    assert scene.approval.requester.principal_id == guid("rita")
    assert is_card(await scene.click("ada"))


# --- what the gateway does ----------------------------------------------------------------------------------------


async def test_grant_that_a_lost_update_made_of_a_denial_is_taken_back() -> None:
    scene = await set_scene()
    await scene.ask("dba")
    await scene.click("ada", "deny", reason="no")
    denied = scene.world.reviews.shown(scene.review_id).review
    scene.world.reviews._grant(denied)

    await scene.after(MINUTE)

    assert scene.at_the_gateway in (ReviewStatus.REJECTED, ReviewStatus.REVOKED)
    assert scene.approval.state is ApprovalState.DENIED
    assert scene.world.alerts.reasons["granted-after-no"] == 1
    assert "rejected-again" in scene.story


async def test_command_that_changed_is_asked_about_anew() -> None:
    scene = await set_scene()
    await scene.ask("dba", "security", needed=2)
    assert is_card(await scene.click("cleo", place=SECURITY))
    session_id = scene.asked.session.session_id
    changed = replace(scene.asked.session, input="DROP TABLE invoices")
    scene.world.reviews._sessions[session_id] = changed

    answer = await scene.click("ada")
    await scene.after(MINUTE)

    assert "has changed" in told(answer)
    assert scene.approval.input_digest == changed.input_digest
    assert scene.approval.votes == ()
    assert "DROP TABLE" in scene.card_message().shows
    assert "input-changed" in scene.story
    assert is_card(await scene.click("ada"))
    assert is_card(await scene.click("cleo", place=SECURITY))
    assert scene.at_the_gateway is ReviewStatus.APPROVED


async def test_vote_on_record_is_not_carried_out_for_a_command_that_changed() -> None:
    scene = await set_scene()
    await scene.ask("dba")
    assert await scene.click_and_die(Fate(dies_on="reviews.approve"), "ada")
    session_id = scene.asked.session.session_id
    scene.world.reviews._sessions[session_id] = replace(scene.asked.session, input="DROP TABLE invoices")

    await scene.after(2 * MINUTE)

    assert scene.approval.is_open
    assert scene.effects == []


async def test_grant_by_a_person_at_the_gateway_is_not_credited_to_a_break_glass_that_never_arrived() -> None:
    scene = await set_scene()
    await scene.ask("dba")
    scene.world.reviews.faults.plan("force", UnknownOutcomeError("gateway-unreachable"))
    await scene.click("eve", "break-glass", reason="now")
    await scene.after(MINUTE)
    await scene.at_gateway("dba", name="ben@tether.example")

    await scene.after(MINUTE)

    assert scene.approval.outcome
    assert (scene.approval.outcome.by, scene.approval.outcome.forced) == (("ben@tether.example",), False)


async def test_approval_by_a_person_at_the_gateway_is_not_credited_to_a_vote_that_never_arrived() -> None:
    scene = await set_scene()
    await scene.ask("dba")
    scene.world.reviews.faults.plan("approve", UnknownOutcomeError("gateway-unreachable"))
    await scene.click("ada")
    await scene.after(MINUTE)
    await scene.at_gateway("dba", name="ben@tether.example")

    await scene.after(MINUTE)

    assert scene.approval.outcome
    assert scene.approval.outcome.by == ("ben@tether.example",)


# --- what Teams does ----------------------------------------------------------------------------------------------


async def test_click_does_not_wait_for_what_is_learnt_by_the_way() -> None:
    scene = await set_scene()
    await scene.ask("dba")

    async def never(_: str) -> None:
        await asyncio.Event().wait()

    scene.world.conversations.read = never  # type: ignore[assignment,method-assign]  # it hangs

    answer = await scene.click("ada")

    assert is_card(answer)
    assert scene.approval.state is ApprovalState.APPROVED


async def test_click_does_not_fail_for_a_conflict_in_what_is_learnt_by_the_way() -> None:
    scene = await set_scene()
    await scene.ask("dba")
    scene.world.conversations.faults.plan("save", AlreadyDecidedError("storage-conflict"))

    answer = await scene.click("ada")

    assert is_card(answer)


async def test_click_is_answered_though_storage_hangs_when_it_is_given_up() -> None:
    scene = await set_scene(asking(click_seconds=0.2))
    await scene.ask("dba")

    async def never(*_: object) -> None:
        scene.world.approvals.save = never  # type: ignore[assignment,method-assign]  # it hangs, too
        await asyncio.Event().wait()

    scene.world.reviews.read = never  # type: ignore[assignment,method-assign]  # it hangs

    answer = await asyncio.wait_for(scene.click("ada"), 5)

    assert "longer than usual" in told(answer)
    assert scene.world.alerts.reasons["claim-not-released"] == 1


async def test_everybody_behind_an_agent_is_not_everybody_who_is_told() -> None:
    scene = await set_scene(identity_map=IdentityMap(agents={guid("robot"): (ROBOT,)}))
    scene.world.entra.service_principal("robot", "robot-app")
    crowd = [scene.world.entra.user(f"sponsor {number}") for number in range(50)]
    scene.world.entra.truth.sponsors[guid("robot")] = crowd
    await scene.ask("dba", by=scene.world.gateway.key(ROBOT.kind, ROBOT.key))

    await scene.click("ada")
    await scene.after(MINUTE)

    assert scene.world.teams.counts["open_chat"] == 20
    assert "own request" in told(await _click_of(scene, crowd[-1]))


async def _click_of(scene: Scene, person: str) -> dict[str, object]:
    """What somebody is answered who approves the next request of the robot."""
    scene.world.entra.add(guid("dba-approvers"), person)
    await scene.ask("dba", by=ROBOT)
    return await scene.click(person)


# --- what comes late ----------------------------------------------------------------------------------------------


async def test_break_glass_that_arrives_long_after_its_process_died_is_told_loudly() -> None:
    scene = await set_scene()
    await scene.ask("dba")
    assert await scene.click_and_die(Fate(dies_on="reviews.force"), "eve", "break-glass", reason="fire")
    await scene.after(MINUTE)
    assert scene.approval.votes == ()
    assert "answer-undone" in scene.story
    key = scene.world.reviews.break_glass
    assert key
    scene.world.reviews._force(scene.review_id, key)

    await scene.after(MINUTE)

    assert scene.approval.outcome
    assert (scene.approval.outcome.by, scene.approval.outcome.forced) == (("eve",), True)
    assert len(scene.cards_in(LOUD)) == 1
    assert scene.world.alerts.reasons["break-glass"] == 1


async def test_approval_in_doubt_that_shows_does_not_undo_the_denial_its_person_gave_since() -> None:
    scene = await set_scene()
    await scene.ask("dba", "security", needed=2)
    assert is_card(await scene.click("cleo", place=SECURITY))
    scene.world.reviews.faults.plan("approve", UnknownOutcomeError("gateway-unreachable"))
    await scene.click("ada")
    assert await scene.click_and_die(Fate(dies_on="reviews.deny"), "ada", "deny", reason="no, wait")
    for group, key in scene.world.reviews.keys.items():
        if group == "dba":
            scene.world.reviews.vote(scene.review_id, key)

    await scene.after(2 * MINUTE)

    assert scene.approval.state is ApprovalState.DENIED
    assert scene.at_the_gateway is ReviewStatus.REJECTED
