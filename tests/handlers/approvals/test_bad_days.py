"""The gateway is away, loses answers, changes its mind or gets stuck: nothing is half-done, and everybody is told."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.approval import ApprovalState
from shared.domain.records import Claim
from shared.domain.reviews import ReviewStatus
from shared.errors import RejectedError, RetryLaterError, UnknownOutcomeError
from shared.wire.cards.sentences import sentence
from tests.fakes.entra import guid
from tests.fakes.worker import Fate, unreachable
from tests.handlers.approvals.scene import (
    DBA,
    LOUD,
    SECURITY,
    Scene,
    card_in,
    check_agreement,
    is_card,
    set_scene,
    told,
    verbs_in,
)

WRITES = {"approve": ("ada", "approve"), "deny": ("ada", "deny"), "force": ("eve", "break-glass")}
written = pytest.mark.parametrize("write", sorted(WRITES))


async def asked(*groups: str, needed: int | None = None) -> Scene:
    scene = await set_scene()
    await scene.ask(*groups, needed=needed)
    return scene


@written
async def test_gateway_that_is_down_at_the_click_is_told_and_the_buttons_stay(write: str) -> None:
    scene = await asked("dba")
    who, verb = WRITES[write]
    scene.world.reviews.faults.plan(write, RetryLaterError("gateway-unreachable"))

    answer = await scene.click(who, verb, reason="because")
    await scene.after(60)

    assert told(answer) == sentence("gateway-down")
    assert "approve" in verbs_in(card_in(scene.card_message()))
    assert (scene.approval.votes, scene.approval.is_open, scene.effects) == ((), True, [])
    check_agreement(scene)
    assert is_card(await scene.click(who, verb, reason="because"))
    assert not scene.approval.is_open


@written
async def test_gateway_whose_answer_is_lost_is_asked_what_it_did(write: str) -> None:
    scene = await asked("dba")
    who, verb = WRITES[write]
    scene.world.reviews.unheard = 1

    answer = await scene.click(who, verb, reason="because")
    await scene.after(60)

    assert is_card(answer)
    assert len(scene.effects) == 1
    assert scene.approval.outcome
    assert scene.approval.outcome.by == (who,)
    check_agreement(scene)


@written
async def test_gateway_that_obeyed_unseen_is_believed_once_it_shows_and_the_clicker_is_credited(write: str) -> None:
    scene = await asked("dba")
    who, verb = WRITES[write]
    scene.world.reviews.unheard = 1
    scene.world.reviews.faults.plan("read", None, RetryLaterError("gateway-unreachable"))

    answer = await scene.click(who, verb, reason="because")
    undone = scene.approval
    await scene.after(60)

    assert told(answer) == sentence("gateway-down")
    assert undone.is_open
    assert scene.approval.outcome
    assert (scene.approval.outcome.by, scene.approval.outcome.way) == ((who,), "teams")
    assert scene.approval.outcome.forced is (write == "force")
    assert len(scene.cards_in(LOUD)) == (write == "force")
    check_agreement(scene)


@written
async def test_request_that_never_arrived_is_undone_and_may_be_repeated(write: str) -> None:
    scene = await asked("dba")
    who, verb = WRITES[write]
    scene.world.reviews.faults.plan(write, UnknownOutcomeError("gateway-timeout"))

    assert told(await scene.click(who, verb, reason="because")) == sentence("gateway-down")
    await scene.after(60)
    assert scene.approval.is_open

    assert is_card(await scene.click(who, verb, reason="because"))
    await scene.after(60)
    check_agreement(scene)
    assert scene.approval.outcome
    assert scene.approval.outcome.by == (who,)


async def test_approval_that_a_lost_update_overwrote_is_given_again() -> None:
    scene = await asked("dba")
    scene.world.reviews.overwritten = 2

    assert is_card(await scene.click("ada"))
    assert scene.effects == [("approve", "dba")] * 3
    await scene.after(60)
    check_agreement(scene)


async def test_approval_that_never_shows_is_undone_after_three_rounds() -> None:
    scene = await asked("dba")
    scene.world.reviews.overwritten = 3

    answer = await scene.click("ada")

    assert told(answer) == sentence("try-again")
    assert (len(scene.effects), scene.approval.votes) == (3, ())


@pytest.mark.parametrize("verb", ["deny", "break-glass"])
async def test_answer_that_the_gateway_does_not_obey_is_undone(verb: str) -> None:
    scene = await asked("dba")
    scene.world.reviews.overwritten = 1

    answer = await scene.click("ada" if verb == "deny" else "eve", verb, reason="because")

    assert told(answer) == sentence("gateway-down")
    assert (scene.approval.is_open, scene.approval.votes) == (True, ())


async def test_first_of_two_votes_may_arrive_unseen_without_its_person_counting_twice() -> None:
    scene = await asked("dba", "security", needed=2)
    await scene.click("dora")
    scene.world.reviews.unheard = 1
    scene.world.reviews.faults.plan("read", None, None, RetryLaterError("gateway-unreachable"))

    await scene.click("cleo", place=SECURITY)
    await scene.after(60)
    await scene.click("cleo", place=SECURITY)
    await scene.after(60)

    assert scene.approval.state is ApprovalState.APPROVED
    assert {vote.approver.name: vote.group for vote in scene.approval.votes} == {"dora": "dba", "cleo": "security"}
    check_agreement(scene)


async def test_person_whose_vote_was_carried_before_a_crash_is_not_counted_for_a_second_group() -> None:
    scene = await asked("dba", "security", needed=2)
    await scene.click("dora")
    # The process dies when one of the two votes is at the gateway; then cleo loses the right to hers.
    assert await scene.click_and_die(Fate(dies_on="reviews.approve", heard=True), "cleo", place=SECURITY)
    assert len(scene.effects) == 1
    scene.world.entra.remove(guid("security-approvers"), guid("cleo"))

    await scene.after(60)

    assert scene.at_the_gateway is ReviewStatus.PENDING
    assert [(vote.approver.name, vote.applied) for vote in scene.approval.votes] == [("dora", True)]
    check_agreement(scene)


# --- what a dead process left -----------------------------------------------------------------------------------------


async def test_vote_left_behind_is_carried_out_by_the_look_that_was_scheduled_before_it() -> None:
    scene = await asked("dba")
    assert await scene.click_and_die(Fate(dies_on="reviews.approve"), "ada")

    await scene.world.run(60)

    assert scene.approval.state is ApprovalState.APPROVED
    assert scene.effects == [("approve", "dba")]
    check_agreement(scene)


@pytest.mark.parametrize("verb", ["approve", "deny"])
async def test_answer_left_behind_that_nobody_can_carry_is_undone_and_others_can_answer(verb: str) -> None:
    scene = await asked("dba")
    assert await scene.click_and_die(Fate(dies_on=f"reviews.{verb}"), "ada", verb, reason="because")
    key = scene.world.reviews.keys.pop("dba")

    await scene.world.run(60)

    assert (scene.approval.votes, scene.approval.is_open) == ((), True)
    assert not scene.world.queue.dead_letters
    assert scene.world.alerts.reasons["votes-undone"] == 1
    scene.world.reviews.keys["dba"] = key
    assert is_card(await scene.click("ben"))
    assert scene.approval.state is ApprovalState.APPROVED


async def test_approver_removed_between_vote_and_threshold_is_not_carried_by_the_look() -> None:
    scene = await asked("dba")
    assert await scene.click_and_die(Fate(dies_on="reviews.approve"), "ada")
    scene.world.entra.disable(guid("ada"))

    await scene.world.run(60)

    assert (scene.effects, scene.approval.votes, scene.approval.is_open) == ([], (), True)
    assert "votes-withdrawn" in scene.story


async def test_forced_approval_is_never_resumed_without_its_person() -> None:
    scene = await asked("dba")
    assert await scene.click_and_die(Fate(dies_on="reviews.force"), "eve", "break-glass", reason="now")

    await scene.after(60)

    assert (scene.effects, scene.approval.votes, scene.approval.is_open) == ([], (), True)
    check_agreement(scene)


async def test_claim_taken_over_while_deciding_stops_the_late_worker_before_it_writes() -> None:
    scene = await asked("dba")

    async def sleep_over_the_claim() -> None:
        await asyncio.sleep(0)
        if scene.world.approvals.stored[scene.review_id].votes:
            scene.world.clock.advance(31)

    answer = await scene.click("ada", fate=Fate(on_the_way=sleep_over_the_claim))
    written_by_the_late_one = list(scene.effects)
    await scene.after(60)

    assert told(answer) == sentence("try-again")
    assert written_by_the_late_one == []
    check_agreement(scene)
    assert scene.effects == [("approve", "dba")]


async def test_click_waits_for_another_that_is_being_decided_and_not_for_a_dead_one() -> None:
    scene = await asked("dba")
    held = Claim("somebody", scene.world.clock.now() + timedelta(seconds=30))
    scene.world.approvals.stored[scene.review_id] = replace(scene.approval, claim=held)
    scene.world.asking = replace(scene.rules, click_seconds=0.1)

    waited = await scene.click("ada")
    scene.world.clock.advance(31)

    assert told(waited) == sentence("still-working")
    assert is_card(await scene.click("ada"))


async def test_work_that_does_not_fit_into_its_turn_is_given_up_before_the_claim_is_lost() -> None:
    scene = await asked("dba")
    scene.world.asking = replace(scene.rules, work_seconds=0.05)
    scene.world.reviews.latency = 0.04

    answer = await scene.click("ada")

    scene.world.reviews.latency = 0.0
    assert told(answer) == sentence("try-again")
    assert scene.approval.claim is None


async def test_two_instances_that_decide_at_once_decide_once() -> None:
    scene = await asked("dba")

    answers = await asyncio.gather(scene.click("ada"), scene.click("ben"))
    await scene.after(30)

    assert all(is_card(answer) for answer in answers)
    assert scene.effects == [("approve", "dba")]
    check_agreement(scene)


# --- what others do meanwhile -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("deny", [True, False])
async def test_answer_in_the_web_page_right_before_the_write_is_seen(deny: bool) -> None:  # noqa: FBT001 - a parameter
    scene = await asked("dba")

    async def somebody_is_faster() -> None:
        await scene.at_gateway("dba", deny=deny)

    scene.world.reviews.before_write = somebody_is_faster
    await scene.click("ada")
    await scene.after(30)

    assert scene.approval.state is (ApprovalState.DENIED if deny else ApprovalState.APPROVED)
    check_agreement(scene)


async def test_review_that_gets_stuck_under_the_vote_is_told_and_reported() -> None:
    scene = await asked("dba", "security", "ops", needed=2)
    await scene.click("ada")

    async def another_and_the_count_is_past() -> None:
        scene.world.reviews._reviews[scene.review_id] = replace(
            scene.world.reviews._reviews[scene.review_id],
            groups=tuple(
                replace(row, status=ReviewStatus.APPROVED, reviewed_by="somebody")
                for row in scene.world.reviews.shown(scene.review_id).review.groups
            ),
        )

    scene.world.reviews.before_write = another_and_the_count_is_past
    answer = await scene.click("cleo", place=SECURITY)
    await scene.after(60)

    assert told(answer) == sentence("review-stuck")
    assert scene.at_the_gateway is ReviewStatus.PENDING
    assert scene.approval.stuck
    assert scene.world.alerts.reasons["review-stuck"] == 1
    assert is_card(await scene.click("ada", "deny", reason="stuck"))
    assert scene.approval.state is ApprovalState.DENIED


async def test_denial_that_a_lost_update_overwrote_is_given_again_when_anybody_looks() -> None:
    scene = await asked("dba")
    await scene.click("ada", "deny", reason="no")
    known, user, _ = scene.world.gateway.reviews[scene.review_id]
    scene.world.gateway.reviews[scene.review_id] = (known, user, "PENDING")

    await scene.after(60)

    assert scene.at_the_gateway is ReviewStatus.REJECTED
    assert "rejected-again" in scene.story
    check_agreement(scene)


async def test_review_that_vanished_at_the_click_is_told() -> None:
    scene = await asked("dba")
    scene.world.reviews.forget(scene.review_id)

    assert told(await scene.click("ada")) == sentence("try-again")
    assert scene.approval.votes == ()


async def test_review_that_vanished_before_it_could_be_read_back_is_told_and_undone() -> None:
    scene = await asked("dba")

    async def gone() -> None:
        scene.world.reviews.unheard = 1

    scene.world.reviews.before_write = gone
    scene.world.reviews.faults.plan("read", None, RejectedError("review-forbidden"))

    answer = await scene.click("ada")
    await scene.after(60)

    assert told(answer)
    assert scene.approval.state is ApprovalState.APPROVED


# --- storage ----------------------------------------------------------------------------------------------------------


async def test_evidence_that_cannot_be_written_leaves_no_vote_behind() -> None:
    scene = await asked("dba", "security", needed=2)
    scene.world.fault = unreachable("evidence")

    answer = await scene.click("ada")

    scene.world.fault = unreachable()
    assert told(answer) == sentence("try-again")
    assert scene.approval.votes == ()
    assert scene.approval.claim is None


async def test_undoing_that_cannot_be_written_is_carried_out_by_the_look() -> None:
    scene = await asked("dba")
    failed: list[str] = []

    def fault(call: tuple[str, str]) -> RetryLaterError | None:
        if call == ("reviews", "approve"):
            failed.append("approve")
            return RetryLaterError("gateway-503")
        return RetryLaterError("evidence-down") if failed and call[0] == "evidence" else None

    scene.world.fault = fault
    await scene.click("ada")
    scene.world.fault = unreachable()
    await scene.after(60)

    assert scene.approval.state is ApprovalState.APPROVED
    assert scene.effects == [("approve", "dba")]
    check_agreement(scene)


async def test_claim_that_somebody_else_has_when_it_is_released_is_left_to_them() -> None:
    scene = await asked("dba")

    async def taken_over() -> None:
        stored = scene.approval
        scene.world.approvals._store(replace(stored, claim=None))

    scene.world.reviews.before_write = taken_over
    answer = await scene.click("ada")
    await scene.after(60)

    assert told(answer) == sentence("try-again")
    assert scene.world.alerts.reasons["claim-lost"] >= 1
    check_agreement(scene)
    assert len(scene.cards_in(DBA)) == 1
