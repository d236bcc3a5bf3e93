"""Reminders, the second channel and the end of patience, each on time, and none after the end."""

from dataclasses import replace

import pytest

from shared.domain.approval import ApprovalState
from shared.domain.gateway import Review
from shared.domain.reviews import ReviewStatus
from shared.errors import RetryLaterError
from shared.wire.cards.sentences import sentence
from tests.fakes.entra import guid
from tests.fakes.worker import unreachable
from tests.handlers.approvals.scene import (
    ALARM,
    DBA,
    DBA_ROUTE,
    HOUR,
    MINUTE,
    ONCALL,
    SECURITY,
    SECURITY_ROUTE,
    Scene,
    asking,
    card_in,
    check_agreement,
    is_card,
    set_scene,
    timing,
    told,
    verbs_in,
)


async def waiting(route_changes: dict[str, object] | None = None) -> Scene:
    changed = replace(DBA_ROUTE, **(route_changes or {}))  # type: ignore[arg-type]  # any field of a route
    scene = await set_scene(asking(changed, SECURITY_ROUTE))
    await scene.ask("dba", "security", needed=1)
    return scene


async def test_reminders_come_with_twice_the_wait_each_and_mention_whom_the_route_names() -> None:
    scene = await waiting({"mention": (guid("ben"), guid("rita"), guid("nobody"))})

    counts = []
    for minutes in (14, 16, 44, 46, 104, 106):
        await scene.world.run(minutes * MINUTE - (scene.world.clock.now() - scene.approval.created_at).total_seconds())
        counts.append(len(scene.texts_in(DBA)))

    assert counts == [0, 1, 1, 2, 2, 3]
    (mention,) = scene.texts_in(DBA)[0]["entities"]
    assert mention["mentioned"]["id"] == guid("ben")
    assert len(scene.texts_in(SECURITY)) == 3


async def test_reminder_is_a_reply_in_the_thread_of_the_card() -> None:
    scene = await waiting()

    await scene.world.run(16 * MINUTE)

    card, reminder = scene.world.teams.in_place(DBA)
    assert reminder.conversation_id == card.conversation_id


async def test_escalation_asks_in_the_second_channel_and_an_answer_there_counts() -> None:
    scene = await waiting()
    await scene.world.run(29 * MINUTE)
    before = scene.cards_in(ONCALL)

    await scene.world.run(2 * MINUTE)

    assert before == []
    assert is_card(await scene.click("ada", place=ONCALL))
    await scene.after(30)
    assert scene.approval.state is ApprovalState.APPROVED
    check_agreement(scene)


async def test_review_that_nobody_answers_is_rejected_at_the_gateway_when_its_time_is_up() -> None:
    scene = await waiting()

    await scene.world.run(4 * HOUR - 1)
    pending = scene.at_the_gateway
    await scene.world.run(5)

    assert pending is ReviewStatus.PENDING
    assert (scene.at_the_gateway, scene.approval.state) == (ReviewStatus.REJECTED, ApprovalState.EXPIRED)
    assert verbs_in(card_in(scene.card_message())) == []
    check_agreement(scene)


async def test_shortest_patience_of_the_groups_that_are_asked_counts() -> None:
    scene = await waiting({"timing": timing(1, 2, 3)})

    await scene.world.run(3 * MINUTE + 1)

    assert scene.approval.state is ApprovalState.EXPIRED


async def test_answer_given_just_before_the_end_stands() -> None:
    scene = await waiting()
    scene.world.clock.advance(4 * HOUR)
    await scene.at_gateway("dba")

    await scene.world.run(60)

    assert (scene.at_the_gateway, scene.approval.state) == (ReviewStatus.APPROVED, ApprovalState.APPROVED)
    check_agreement(scene)


async def test_click_after_the_time_is_up_does_not_count() -> None:
    scene = await waiting()
    scene.world.clock.advance(4 * HOUR)

    answer = await scene.click("ada")
    await scene.world.run(60)

    assert is_card(answer)
    assert (scene.effects, scene.approval.state) == ([], ApprovalState.EXPIRED)


async def test_answer_that_came_while_it_was_rejected_stands() -> None:
    scene = await waiting()
    scene.world.clock.advance(4 * HOUR + 1)
    close = scene.world.gateway.close_review

    async def somebody_is_faster(review: Review, reason: str) -> None:
        if scene.at_the_gateway is ReviewStatus.PENDING:
            await scene.at_gateway("dba")
            return
        await close(review, reason)

    scene.world.gateway.close_review = somebody_is_faster  # type: ignore[method-assign]
    await scene.world.run(60)

    assert (scene.at_the_gateway, scene.approval.state) == (ReviewStatus.APPROVED, ApprovalState.APPROVED)


async def test_nobody_is_reminded_after_the_end() -> None:
    scene = await waiting()
    await scene.click("ada")
    await scene.world.run(5 * HOUR)

    assert scene.texts_in(DBA) == []
    assert scene.cards_in(ONCALL) == []
    assert not scene.world.queue.waiting


async def test_after_an_outage_nobody_is_reminded_of_everything_that_was_missed() -> None:
    scene = await waiting()
    scene.world.clock.advance(110 * MINUTE)

    await scene.world.run(60)

    assert len(scene.texts_in(DBA)) == 1
    assert scene.approval.reminders == 3


async def test_expiry_outlives_a_gateway_that_is_down_for_an_hour() -> None:
    scene = await waiting()
    await scene.world.run(4 * HOUR - 60)
    scene.world.fault = unreachable("reviews", "gateway")
    await scene.world.run(1 * HOUR)

    scene.world.fault = unreachable()
    await scene.after(10 * MINUTE)

    assert (scene.at_the_gateway, scene.approval.state) == (ReviewStatus.REJECTED, ApprovalState.EXPIRED)
    check_agreement(scene)


async def test_expiry_whose_message_ran_out_of_attempts_is_found_by_the_poll() -> None:
    scene = await waiting()
    await scene.world.run(4 * HOUR - 60)
    scene.world.fault = unreachable("reviews", "gateway")
    await scene.world.run(3 * HOUR)
    assert scene.world.queue.dead_letters
    assert not scene.world.queue.waiting

    scene.world.fault = unreachable()
    await scene.after(2 * MINUTE)

    assert (scene.at_the_gateway, scene.approval.state) == (ReviewStatus.REJECTED, ApprovalState.EXPIRED)
    check_agreement(scene)


async def test_rejection_that_the_gateway_does_not_show_is_repeated() -> None:
    scene = await waiting()
    scene.world.clock.advance(4 * HOUR + 1)
    scene.world.gateway.closing_fails = True
    await scene.world.run(10)
    scene.world.gateway.closing_fails = False

    await scene.world.run(60)

    assert scene.approval.state is ApprovalState.EXPIRED
    check_agreement(scene)


async def test_review_that_the_gateway_never_lets_go_of_is_over_for_everybody_who_sees_its_card() -> None:
    scene = await waiting()
    scene.world.gateway.closing_fails = True
    scene.world.clock.advance(4 * HOUR + 1)

    await scene.after(30 * MINUTE)
    await scene.after(HOUR)

    outcome = scene.approval.outcome
    assert outcome is not None
    assert (outcome.state, scene.at_the_gateway) == (ApprovalState.EXPIRED, ReviewStatus.PENDING)
    assert outcome.reason.endswith("the gateway does not take the rejection")
    assert verbs_in(card_in(scene.card_message())) == []
    raised = [reason for reason, _ in scene.world.alerts.raised if reason == "review-cannot-be-rejected"]
    assert len(raised) == 1
    assert not scene.world.queue.dead_letters


async def test_rejection_that_was_overwritten_is_repeated() -> None:
    scene = await waiting()
    scene.world.clock.advance(4 * HOUR + 1)
    close, deaf = scene.world.gateway.close_review, iter([True, True])

    async def lost_twice(review: Review, reason: str) -> None:
        if not next(deaf, False):
            await close(review, reason)

    scene.world.gateway.close_review = lost_twice  # type: ignore[method-assign]
    await scene.world.run(60)

    assert (scene.at_the_gateway, scene.approval.state) == (ReviewStatus.REJECTED, ApprovalState.EXPIRED)


# --- personal cards ---------------------------------------------------------------------------------------------------


async def test_approvers_have_cards_of_their_own_and_the_requester_has_none() -> None:
    scene = await set_scene(asking(replace(DBA_ROUTE, personal_cards=True)))
    scene.world.entra.truth.members[guid("dba-approvers")].add(guid("rita"))
    await scene.ask("dba")
    chats = {who: scene.world.teams.chat_with(guid(who)) for who in ("ada", "ben", "dora", "rita")}

    shown = {who: len(scene.cards_in(chat)) for who, chat in chats.items()}

    assert shown == {"ada": 1, "ben": 1, "dora": 1, "rita": 0}
    assert is_card(await scene.click("ben", place=chats["ben"]))
    await scene.world.settle()
    assert verbs_in(card_in(scene.card_message(chats["ada"]))) == []
    check_agreement(scene)


async def test_card_of_one_persons_chat_is_no_good_to_another() -> None:
    scene = await set_scene(asking(replace(DBA_ROUTE, personal_cards=True)))
    await scene.ask("dba")
    message = scene.card_message(scene.world.teams.chat_with(guid("ada")))

    elsewhere = replace(message, conversation_id=scene.world.teams.chat_with(guid("ben")))

    assert told(await scene.click("ben", message=elsewhere)) == sentence("forged-token")
    assert scene.approval.votes == ()


async def test_approver_without_the_app_has_no_card_and_the_channel_has() -> None:
    scene = await set_scene(asking(replace(DBA_ROUTE, personal_cards=True)))
    scene.world.teams.gone.add(guid("ben"))
    await scene.ask("dba")

    assert len(scene.cards_in(DBA)) == 1
    assert scene.cards_in(ALARM) == []
    assert scene.world.alerts.reasons["card-undeliverable"] == 1
    check_agreement(scene)


@pytest.mark.parametrize("people", [20, 21])
async def test_more_than_twenty_approvers_are_asked_in_the_channel_only(people: int) -> None:
    scene = await set_scene(asking(replace(DBA_ROUTE, personal_cards=True)))
    many = {scene.world.entra.user(f"approver-{number}") for number in range(people)}
    scene.world.entra.truth.members[guid("dba-approvers")] = many

    await scene.ask("dba")

    assert len(scene.approval.personal) == (people if people <= 20 else 0)


async def test_reminder_waits_for_the_card_that_it_is_about() -> None:
    scene = await set_scene(asking(replace(DBA_ROUTE, timing=timing(1, 2, 60))))
    scene.world.teams.faults.plan("start_thread", *[RetryLaterError("teams-429", retry_after=70)] * 2)
    await scene.ask("dba")

    await scene.world.run(5 * MINUTE)

    kinds = ["text" in message.shows.partition("attachments")[0] for message in scene.world.teams.in_place(DBA)]
    assert kinds[0] is False
    check_agreement(scene)
