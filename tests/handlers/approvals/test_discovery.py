"""Every review is found, by webhook or by poll, and asked about once; what was decided elsewhere closes its cards."""

import pytest

from shared.domain.approval import ApprovalState
from shared.domain.gateway import ReviewType
from shared.domain.principals import PrincipalKind
from shared.domain.reviews import ReviewStatus
from shared.errors import RetryLaterError
from shared.handlers.receive_gateway_event import receive_gateway_event
from shared.wire.gateway_events import GatewayEvent, GatewayEventKind
from tests.fakes.entra import guid
from tests.fakes.queue import REVIEW_EVENTS
from tests.fakes.worker import unreachable
from tests.handlers.approvals.scene import (
    ALARM,
    COMMAND,
    DBA,
    SECURITY,
    card_in,
    check_agreement,
    set_scene,
    verbs_in,
)


async def test_webhook_leads_to_a_card_in_the_channel_of_every_reviewer_group() -> None:
    scene = await set_scene()
    await scene.ask("dba", "security", announced=False)
    event = GatewayEvent(GatewayEventKind.SESSION_OPEN, scene.asked.session.session_id, "msg-1")

    await receive_gateway_event(event, scene.world.worker())
    await scene.world.settle()

    assert [verbs_in(card_in(scene.card_message(place)))[:2] for place in (DBA, SECURITY)] == [["approve", "deny"]] * 2
    check_agreement(scene)


async def test_event_about_nothing_enqueues_nothing() -> None:
    scene = await set_scene()

    await receive_gateway_event(GatewayEvent(GatewayEventKind.OTHER, None, "msg-1"), scene.world.worker())

    assert scene.world.queue.waiting == []


async def test_poll_finds_what_no_webhook_announced() -> None:
    scene = await set_scene()
    await scene.ask("dba", announced=False)

    await scene.after(10)

    assert len(scene.cards_in(DBA)) == 1
    check_agreement(scene)


async def test_poll_asks_about_nothing_twice() -> None:
    scene = await set_scene()
    await scene.ask("dba")
    looks = len(scene.world.queue.on(REVIEW_EVENTS))

    for _ in range(3):
        await scene.world.poll()

    assert len(scene.world.queue.on(REVIEW_EVENTS)) == looks


async def test_webhook_repeated_and_poll_at_once_make_one_card() -> None:
    scene = await set_scene()
    await scene.ask("dba", announced=False)
    for source in ("webhook", "webhook", "poll", "webhook"):
        await scene.look(source)

    await scene.world.process_together(*scene.world.queue.visible())
    await scene.after(10)

    assert scene.world.approvals.faults.calls["create"] >= 1
    assert len(scene.cards_in(DBA)) == 1
    assert scene.story.count("requested") == 1
    check_agreement(scene)


async def test_look_by_the_id_of_the_review_is_as_good_as_by_that_of_its_session() -> None:
    scene = await set_scene()
    await scene.ask("dba", announced=False)

    await scene.look(ref=scene.review_id)
    await scene.world.settle()

    assert len(scene.cards_in(DBA)) == 1


async def test_session_without_a_review_is_nothing_to_look_at() -> None:
    scene = await set_scene()
    await scene.ask("dba")

    await scene.look(ref=guid("no such session"))
    await scene.world.settle()

    assert not scene.world.queue.dead_letters
    assert len(scene.world.approvals.stored) == 1


async def test_review_that_was_decided_before_it_was_seen_asks_nobody() -> None:
    scene = await set_scene()
    await scene.ask("dba", announced=False)
    await scene.at_gateway("dba")

    await scene.look("webhook")
    await scene.world.settle()

    assert scene.world.approvals.stored == {}
    assert scene.cards_in(DBA) == []


@pytest.mark.parametrize(("deny", "state"), [(False, ApprovalState.APPROVED), (True, ApprovalState.DENIED)])
async def test_review_decided_elsewhere_closes_its_cards_and_names_who_did_it(
    deny: bool,  # noqa: FBT001 - a parameter of pytest
    state: ApprovalState,
) -> None:
    scene = await set_scene()
    await scene.ask("dba", "security", needed=1)

    await scene.at_gateway("dba", deny=deny, name="root@gateway")
    await scene.after(12)

    assert scene.approval.state is state
    assert scene.approval.outcome
    assert (scene.approval.outcome.by, scene.approval.outcome.way) == (("root@gateway",), "gateway")
    assert [verbs_in(card_in(scene.card_message(place))) for place in (DBA, SECURITY)] == [[], []]
    assert scene.effects == []


async def test_review_that_vanished_for_good_is_withdrawn() -> None:
    scene = await set_scene()
    await scene.ask("dba")
    scene.world.reviews.forget(scene.review_id)

    await scene.after(30)

    assert scene.approval.state is ApprovalState.WITHDRAWN
    assert verbs_in(card_in(scene.card_message())) == []
    assert not scene.world.queue.dead_letters


async def test_review_that_one_replica_does_not_show_for_a_moment_is_not_withdrawn() -> None:
    scene = await set_scene()
    await scene.ask("dba")
    kept = scene.world.reviews._reviews.copy(), dict(scene.world.gateway.reviews)
    scene.world.reviews.forget(scene.review_id)
    await scene.world.poll()
    await scene.world.settle()
    scene.world.reviews._reviews, scene.world.gateway.reviews = kept

    await scene.after(60)

    assert scene.approval.is_open
    check_agreement(scene)


async def test_group_without_a_route_alarms_security_and_is_never_approved() -> None:
    scene = await set_scene()
    await scene.ask("sre")

    assert scene.approval.unasked == ("sre",)
    assert len(scene.cards_in(ALARM)) == 1
    assert scene.world.alerts.reasons == {"nobody-to-ask": 1}
    assert scene.at_the_gateway is ReviewStatus.PENDING
    check_agreement(scene)


async def test_agent_is_shown_with_its_people_and_a_person_with_their_past() -> None:
    scene = await set_scene()
    agent = scene.world.entra.service_principal("agent", blueprint_id="blueprint")
    scene.world.entra.truth.sponsors[agent] = [guid("rita")]
    await scene.ask("dba", by=scene.world.gateway.service_account(agent, "dev"))

    requester = scene.approval.requester
    assert (requester.principal_id, requester.kind) == (agent, PrincipalKind.SERVICE_PRINCIPAL)
    assert requester.is_agent_identity
    assert [person.name for person in requester.sponsors] == ["rita"]

    await scene.click("ada", "deny", reason="no")
    await scene.world.settle()
    await scene.ask("dba", by=scene.world.gateway.service_account(agent, "dev"))
    assert [past.state for past in scene.approval.requester.recent] == [ApprovalState.DENIED]


async def test_command_is_kept_until_the_decision_only_and_never_in_evidence() -> None:
    scene = await set_scene()
    await scene.ask("dba", review_type=ReviewType.ONETIME, command=COMMAND * 200)
    excerpt = scene.approval.excerpt

    await scene.click("ada")
    await scene.after(30)

    assert COMMAND in excerpt
    assert len(excerpt) == 2000
    assert scene.approval.excerpt == ""
    assert scene.approval.input_size == len(COMMAND) * 200
    check_agreement(scene)


@pytest.mark.parametrize(
    "down", ["reviews", "approvals", "directory", "gateway", "evidence", "queue.send_card_updates"]
)
async def test_discovery_waits_for_whatever_is_down(down: str) -> None:
    scene = await set_scene()
    await scene.ask("dba", announced=False)
    await scene.look("webhook")
    scene.world.fault = unreachable(down)
    await scene.world.run(20)

    scene.world.fault = unreachable()
    await scene.after(120)

    assert len(scene.cards_in(DBA)) == 1
    assert not scene.world.queue.dead_letters
    check_agreement(scene)


async def test_poll_that_fails_is_the_next_polls_work() -> None:
    scene = await set_scene()
    await scene.ask("dba", announced=False)
    scene.world.reviews.faults.plan("pending", RetryLaterError("gateway-503"))

    await scene.after(21)

    assert scene.world.alerts.reasons["tick-failed"] == 1
    assert len(scene.cards_in(DBA)) == 1


async def test_poll_waits_where_approvals_are_off() -> None:
    scene = await set_scene()
    scene.world.asking = None

    await scene.world.poll()

    assert [details["because"] for _, details in scene.world.alerts.raised] == ["approvals-off"]
