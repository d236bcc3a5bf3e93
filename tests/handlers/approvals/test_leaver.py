"""Who lost access in Entra asks for nothing any more and has no say; who is done gives back before the time is up."""

from dataclasses import replace

import pytest

from shared.domain.approval import ApprovalState
from shared.domain.gateway import ReviewType
from shared.domain.identity_map import GroupMapping, IdentityMap
from shared.domain.reviews import ReviewEvent, ReviewEventKind, ReviewStatus
from shared.errors import RetryLaterError
from shared.wire.cards.sentences import sentence
from shared.wire.messages import parse_review_event
from tests.fakes.entra import guid
from tests.fakes.queue import REVIEW_EVENTS
from tests.fakes.worker import unreachable
from tests.handlers.approvals.scene import (
    DBA,
    SECURITY,
    Scene,
    card_in,
    check_agreement,
    check_cards,
    check_evidence,
    is_card,
    set_scene,
    told,
    verbs_in,
)


async def asked(*groups: str, needed: int | None = None) -> Scene:
    """Rita is in developers, whom the gateway lets in."""
    scene = await set_scene(identity_map=IdentityMap((GroupMapping(guid("developers"), "dev"),)))
    await scene.ask(*groups, needed=needed)
    return scene


@pytest.mark.parametrize("how", ["disable", "delete", "purge"])
async def test_pending_request_of_a_leaver_is_rejected_and_its_cards_close(how: str) -> None:
    scene = await asked("dba")

    getattr(scene.world.entra, how)(guid("rita"))
    await scene.world.notify()
    await scene.world.run(30)

    assert scene.at_the_gateway is ReviewStatus.REJECTED
    assert scene.approval.state in (ApprovalState.WITHDRAWN, ApprovalState.DENIED)
    assert verbs_in(card_in(scene.card_message())) == []
    assert not scene.world.queue.dead_letters
    check_cards(scene)
    check_evidence(scene)


async def test_rejection_by_the_revocation_itself_is_a_withdrawal_and_nobodys_denial() -> None:
    scene = await asked("dba")
    scene.world.entra.disable(guid("rita"))
    await scene.world.notify()

    await scene.world.run(30)

    assert scene.approval.state is ApprovalState.WITHDRAWN
    assert scene.approval.outcome
    assert scene.approval.outcome.way == "tether"


async def test_vote_of_a_leaver_that_has_no_effect_yet_is_withdrawn() -> None:
    scene = await asked("dba", "security", needed=2)
    scene.world.gateway.person("ada@tether.example", "dev")
    await scene.click("ada")

    scene.world.entra.disable(guid("ada"))
    await scene.world.notify()
    await scene.world.run(30)

    assert scene.approval.votes == ()
    assert "votes-withdrawn" in scene.story
    assert scene.approval.is_open
    check_agreement(scene)


async def test_leaver_without_a_part_in_anything_causes_no_look() -> None:
    scene = await asked("dba")
    before = len(scene.story)

    scene.world.entra.disable(guid("mallory"))
    await scene.world.notify()
    await scene.world.run(30)

    assert len(scene.story) == before
    assert scene.approval.is_open


async def test_only_what_the_leaver_has_a_part_in_is_looked_at() -> None:
    scene = await asked("dba")
    of_rita = scene.question
    await scene.ask("dba", by=scene.world.gateway.person("ben@tether.example", "dev"))
    scene.world.queue.waiting.clear()
    leaver = ReviewEvent(guid("rita"), "revocation", scene.world.clock.now(), "c-1", ReviewEventKind.LEAVER)
    await scene.world.queue.send_review_events([leaver])

    await scene.world.settle_once()

    (look,) = scene.world.queue.on(REVIEW_EVENTS)
    assert of_rita
    assert parse_review_event(look.body).ref == of_rita.session.session_id


async def test_leaver_causes_nothing_while_nothing_waits() -> None:
    scene = await set_scene(identity_map=IdentityMap((GroupMapping(guid("developers"), "dev"),)))
    scene.world.entra.disable(guid("rita"))

    await scene.world.notify()
    await scene.world.settle()

    assert scene.world.queue.on(REVIEW_EVENTS) == []
    assert not scene.world.gateway.identities[scene.rita_at].is_open


async def test_somebody_who_only_moved_on_keeps_their_request() -> None:
    scene = await asked("dba")

    scene.world.entra.add(guid("developers"), guid("ben"))
    await scene.world.notify()
    await scene.world.run(30)

    assert scene.approval.is_open


async def test_leaver_who_still_is_enabled_keeps_the_question_open() -> None:
    scene = await asked("dba")

    await scene.look("leaver")
    await scene.world.run(5)

    assert scene.approval.is_open
    check_agreement(scene)


@pytest.mark.parametrize("down", ["approvals", "queue.send_review_events"])
async def test_revocation_does_not_wait_for_approvals(down: str) -> None:
    scene = await asked("dba")
    scene.world.entra.disable(guid("rita"))
    await scene.world.notify()
    scene.world.fault = unreachable(down)

    await scene.world.settle()

    assert not scene.world.gateway.identities[scene.rita_at].is_open
    assert scene.world.alerts.reasons["leaver-not-told"] >= 1
    scene.world.fault = unreachable()
    await scene.after(60)
    assert scene.approval.state is ApprovalState.WITHDRAWN


# --- I'm done ---------------------------------------------------------------------------------------------------------


async def granted(**more: object) -> tuple[Scene, str]:
    scene = await set_scene()
    await scene.ask("dba", **more)  # type: ignore[arg-type]  # as `Scene.ask`
    await scene.click("ada")
    await scene.after(30)
    return scene, scene.world.teams.chat_with(guid("rita"))


async def test_requester_who_is_done_ends_the_grant_and_its_sessions() -> None:
    scene, chat = await granted()
    assert scene.world.gateway.flowing(scene.rita_at)

    answer = await scene.click("rita", "done", chat)
    await scene.after(30)

    assert is_card(answer)
    assert verbs_in(answer["value"]) == []
    assert scene.at_the_gateway is ReviewStatus.REVOKED
    assert not scene.world.gateway.flowing(scene.rita_at)
    assert (scene.approval.sessions_ended, scene.world.gateway.idle_kills) == (1, [])
    assert scene.story[-2:] == ["ending", "ended"]
    check_agreement(scene)


async def test_older_grant_for_the_same_connection_does_not_come_back_to_life() -> None:
    scene, chat = await granted()
    older = scene.world.gateway.connect(scene.rita_at, "pg1")
    review_id = scene.world.gateway.ask(scene.rita_at, older, ReviewType.JIT, pending=False)

    assert is_card(await scene.click("rita", "done", chat))

    assert scene.world.gateway.reviews[review_id][2] == "REVOKED"
    assert not scene.world.gateway.flowing(scene.rita_at)


async def test_session_on_another_connection_goes_on() -> None:
    scene, chat = await granted()
    other = scene.world.gateway.connect(scene.rita_at, "pg9")

    assert is_card(await scene.click("rita", "done", chat))

    assert scene.world.gateway.flowing(scene.rita_at) == {other}


async def test_kill_that_kills_nothing_is_repeated() -> None:
    scene, chat = await granted()
    scene.world.gateway.deaf_kills = 2

    assert is_card(await scene.click("rita", "done", chat))

    assert not scene.world.gateway.flowing(scene.rita_at)


async def test_end_that_the_gateway_does_not_show_is_told_and_finished_later() -> None:
    scene, chat = await granted()
    scene.world.gateway.deaf_kills = 4

    answer = await scene.click("rita", "done", chat)
    await scene.after(60)

    assert told(answer) == sentence("try-again")
    assert scene.at_the_gateway is ReviewStatus.REVOKED
    assert not scene.world.gateway.flowing(scene.rita_at)
    assert scene.approval.ended_at is not None
    check_agreement(scene)


async def test_end_is_finished_although_the_gateway_was_down_at_the_click() -> None:
    scene, chat = await granted()
    scene.world.fault = unreachable("gateway")

    answer = await scene.click("rita", "done", chat)
    scene.world.fault = unreachable()
    await scene.after(60)

    assert is_card(answer) is False
    assert scene.at_the_gateway is ReviewStatus.REVOKED
    check_agreement(scene)


async def test_somebody_elses_grant_cannot_be_ended() -> None:
    scene, chat = await granted()

    assert told(await scene.click("ada", "done", chat)) == sentence("not-yours")
    assert scene.at_the_gateway is ReviewStatus.APPROVED


async def test_sponsor_ends_the_grant_of_an_agent() -> None:
    scene = await set_scene()
    agent = scene.world.entra.service_principal("agent", blueprint_id="blueprint")
    scene.world.entra.truth.sponsors[agent] = [guid("rita")]
    await scene.ask("dba", by=scene.world.gateway.service_account(agent, "dev"))
    await scene.click("ada")
    await scene.after(30)

    assert is_card(await scene.click("rita", "done", scene.world.teams.chat_with(guid("rita"))))
    assert scene.at_the_gateway is ReviewStatus.REVOKED


async def test_grant_that_ended_cannot_be_ended_again() -> None:
    scene, chat = await granted()
    message = replace(scene.card_message(chat), faces=list(scene.card_message(chat).faces))
    await scene.click("rita", "done", chat)
    kills = scene.world.gateway.done("kill")

    again = await scene.click("rita", "done", message=message)

    assert verbs_in(again["value"]) == []
    assert scene.world.gateway.done("kill") == kills


async def test_grant_whose_time_is_up_has_nothing_to_end() -> None:
    scene, chat = await granted()
    scene.world.clock.advance(1801)

    assert told(await scene.click("rita", "done", chat)) == sentence("nothing-to-end")


async def test_requester_who_is_no_longer_at_the_gateway_has_nothing_to_end() -> None:
    scene, chat = await granted()
    del scene.world.gateway.identities[scene.rita_at]

    assert told(await scene.click("rita", "done", chat)) == sentence("nothing-to-end")


async def test_grant_revoked_in_the_web_page_is_seen_as_ended_by_whoever_looks() -> None:
    scene, _ = await granted()
    known, user, _ = scene.world.gateway.reviews[scene.review_id]
    scene.world.gateway.reviews[scene.review_id] = (known, user, "REVOKED")

    await scene.look("operator")
    await scene.world.settle()

    assert scene.approval.ended_at is not None
    check_agreement(scene)


async def test_cards_of_both_groups_show_the_same_after_the_end() -> None:
    scene = await set_scene()
    await scene.ask("dba", "security", needed=1)
    await scene.click("ada")
    await scene.world.settle()
    await scene.click("rita", "done", scene.world.teams.chat_with(guid("rita")))
    await scene.after(30)

    assert [verbs_in(card_in(scene.card_message(place))) for place in (DBA, SECURITY)] == [[], []]
    check_agreement(scene)


async def test_read_that_fails_once_is_read_again() -> None:
    scene = await asked("dba")
    scene.world.reviews.faults.plan("read", RetryLaterError("gateway-503"))

    await scene.look("operator")
    await scene.world.run(5)

    assert not scene.world.queue.dead_letters
    check_agreement(scene)
