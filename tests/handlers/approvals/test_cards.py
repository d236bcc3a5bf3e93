"""Every copy of a card is in Teams once and shows what is true, whatever Teams answers, and whoever shows it."""

import asyncio
import random
from dataclasses import replace

import pytest

from shared.domain.activities import Activity, ActivityKind, ConversationKind
from shared.domain.activities import Person as Sender
from shared.domain.approval import ApprovalState
from shared.domain.card_copy import (
    Audience,
    CardUpdate,
    Conversation,
    CopySpec,
    CopyState,
    Face,
    Place,
    PlaceKind,
    Posted,
)
from shared.errors import RejectedError, RetryLaterError, UnknownOutcomeError
from shared.handlers.receive_activity import receive_activity
from shared.handlers.show_card import ANY_PLACE
from tests.fakes.entra import TENANT, guid
from tests.fakes.queue import CARD_UPDATES
from tests.fakes.teams import SERVICE_URL
from tests.fakes.worker import Fate, unreachable
from tests.handlers.approvals.scene import (
    ALARM,
    DBA,
    DBA_ROUTE,
    SECURITY,
    Scene,
    asking,
    card_in,
    check_agreement,
    check_cards,
    is_card,
    set_scene,
    timing,
    verbs_in,
)

DOUBT = 16
EUROPE = "https://smba.trafficmanager.net/emea/"


async def asked(*groups: str, **more: object) -> Scene:
    scene = await set_scene()
    await scene.ask(*groups, **more)  # type: ignore[arg-type]  # as `Scene.ask`
    return scene


async def about_to_be_shown() -> Scene:
    """The card is on the queue, and not in Teams yet."""
    scene = await asked("dba", announced=False)
    await scene.look("webhook")
    await scene.world.settle_once()
    assert len(scene.world.queue.on(CARD_UPDATES)) == 1
    return scene


async def show(scene: Scene, fate: Fate | None = None) -> None:
    await scene.world.process(next(m for m in scene.world.queue.visible() if m.queue == CARD_UPDATES), fate)


# --- posts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["teams-429", "teams-503", "teams-401"])
async def test_post_that_teams_refused_for_now_is_made_later_and_once(reason: str) -> None:
    scene = await about_to_be_shown()
    scene.world.teams.faults.plan("start_thread", *[RetryLaterError(reason, retry_after=3)] * 3)

    await scene.world.run(60)

    assert len(scene.cards_in(DBA)) == 1
    check_agreement(scene)


async def test_post_whose_answer_was_lost_is_not_repeated_while_it_may_be_there() -> None:
    scene = await about_to_be_shown()
    scene.world.teams.unheard = 1

    await scene.world.run(DOUBT - 2)

    assert len(scene.cards_in(DBA)) == 1
    (copy,) = scene.copies()
    assert copy.state is CopyState.POSTING


async def test_post_whose_answer_was_lost_is_known_once_somebody_looks_at_it() -> None:
    scene = await about_to_be_shown()
    scene.world.teams.unheard = 1
    await show(scene)

    await scene.click("ada", "refresh", automatic=True)
    await scene.world.run(60)

    assert len(scene.cards_in(DBA)) == 1
    check_agreement(scene)


async def test_click_on_a_card_that_is_in_doubt_decides() -> None:
    scene = await about_to_be_shown()
    scene.world.teams.unheard = 1
    await show(scene)

    assert is_card(await scene.click("ada"))
    await scene.world.run(60)

    assert scene.approval.state is ApprovalState.APPROVED
    check_agreement(scene)


async def test_post_in_doubt_is_repeated_after_a_while_and_the_stray_is_kept_up_to_date_once_seen() -> None:
    scene = await about_to_be_shown()
    scene.world.teams.unheard = 1
    await scene.world.run(60)
    stray, known = scene.cards_in(DBA)

    await scene.click("ada", "refresh", message=stray, automatic=True)
    await scene.click("ada", "deny", reason="no", message=known)
    await scene.world.run(60)

    assert [verbs_in(card_in(message)) for message in (stray, known)] == [[], []]
    check_agreement(scene)


async def test_stray_that_is_seen_after_the_end_is_closed_for_everybody() -> None:
    scene = await about_to_be_shown()
    scene.world.teams.unheard = 1
    await scene.world.run(60)
    stray, known = scene.cards_in(DBA)
    await scene.click("ada", "deny", reason="no", message=known)
    await scene.world.run(60)

    await scene.click("mallory", "refresh", message=stray, automatic=True)
    await scene.world.run(60)

    assert verbs_in(card_in(stray)) == []
    check_agreement(scene)


async def test_post_that_never_arrived_is_made_after_the_doubt() -> None:
    scene = await about_to_be_shown()
    scene.world.teams.faults.plan("start_thread", UnknownOutcomeError("teams-timeout"))

    await scene.world.run(60)

    assert len(scene.cards_in(DBA)) == 1
    check_agreement(scene)


async def test_post_that_is_never_answered_is_given_up_and_somebody_hears_of_it() -> None:
    scene = await about_to_be_shown()
    scene.world.teams.faults.plan("start_thread", *[UnknownOutcomeError("teams-timeout")] * 10)

    await scene.world.run(600)

    assert scene.world.alerts.reasons["card-in-doubt"] == 1
    assert [dead.reason for dead in scene.world.queue.dead_letters] == ["card-in-doubt"]
    assert scene.world.teams.faults.calls["start_thread"] == 4


async def test_card_that_was_clicked_faster_than_teams_answered_is_known_once() -> None:
    scene = await about_to_be_shown()

    async def somebody_is_fast() -> None:
        assert is_card(await scene.click("ada"))

    scene.world.teams.before_answer = somebody_is_fast
    await scene.world.run(60)

    assert len(scene.cards_in(DBA)) == 1
    assert scene.approval.state is ApprovalState.APPROVED
    check_agreement(scene)


async def test_two_workers_post_one_card() -> None:
    scene = await about_to_be_shown()
    spec = CopySpec(Audience.APPROVERS, Place(PlaceKind.CHANNEL, DBA))
    await scene.world.queue.send_card_updates([CardUpdate(scene.review_id, spec, scene.world.clock.now(), "c-1")])

    await scene.world.process_together(*scene.world.queue.visible())
    await scene.world.run(60)

    assert len(scene.cards_in(DBA)) == 1
    check_agreement(scene)


async def test_card_nobody_was_shown_before_the_end_is_not_shown_after_it() -> None:
    scene = await about_to_be_shown()
    await scene.at_gateway("dba")

    await scene.look("poll")
    world = scene.world
    (look,) = [message for message in world.queue.visible() if message.queue != CARD_UPDATES]
    await world.process(look)
    await world.settle()

    assert scene.cards_in(DBA) == []
    assert scene.approval.state is ApprovalState.APPROVED


async def test_card_of_a_review_that_nobody_knows_is_completed() -> None:
    scene = await set_scene()
    spec = CopySpec(Audience.APPROVERS, Place(PlaceKind.CHANNEL, DBA))
    await scene.world.queue.send_card_updates([CardUpdate(guid("nothing"), spec, scene.world.clock.now(), "c-1")])

    await scene.world.settle()

    assert (scene.world.queue.waiting, scene.world.queue.dead_letters) == ([], [])


# --- updates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [RetryLaterError("teams-429"), RetryLaterError("teams-502"), UnknownOutcomeError("teams-timeout")]
)
async def test_update_is_repeated_until_teams_has_taken_it(error: RetryLaterError) -> None:
    scene = await asked("dba")
    scene.world.teams.faults.plan("update", *[error] * 3)

    await scene.click("ada")
    await scene.world.run(60)

    assert verbs_in(card_in(scene.card_message())) == []
    check_agreement(scene)


async def test_face_that_did_not_change_is_not_sent_again() -> None:
    scene = await asked("dba")

    await scene.look("operator")
    await scene.world.settle()

    assert scene.world.teams.counts["update"] == 0


async def test_approval_that_changes_while_its_card_is_on_its_way_is_shown_as_it_became() -> None:
    scene = await about_to_be_shown()

    async def decided_elsewhere() -> None:
        scene.world.approvals._store(replace(scene.approval, escalated=True))

    scene.world.teams.before_answer = decided_elsewhere
    await show(scene)

    check_cards(scene)


async def test_update_that_comes_late_with_an_older_face_is_put_right() -> None:
    scene = await asked("dba", "security", needed=2)
    teams, go_on, on_the_way = scene.world.teams, asyncio.Event(), asyncio.Event()
    update = teams.update

    async def slow_update(posted: Posted, service_url: str, face: Face) -> None:
        teams.update = update  # type: ignore[method-assign]
        on_the_way.set()
        await go_on.wait()
        await update(posted, service_url, face)

    await scene.click("ada")
    teams.update = slow_update  # type: ignore[method-assign]
    late = asyncio.create_task(show(scene))
    await on_the_way.wait()
    await scene.click("cleo", "deny", SECURITY, reason="no")
    await scene.world.settle()
    go_on.set()
    await late

    assert verbs_in(card_in(scene.card_message())) == []
    check_cards(scene)


@pytest.mark.parametrize("first", range(0, 200, 50))
async def test_updates_at_once_leave_the_newest_face_whoever_comes_last(first: int) -> None:
    async def one(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - a race, not a secret
        scene = await asked("dba", "security", needed=2)

        async def on_the_way() -> None:
            for _ in range(chance.randrange(8)):
                await asyncio.sleep(0)

        async def show_all() -> None:
            while visible := scene.world.queue.visible():
                await asyncio.gather(*(scene.world.process(m, Fate(on_the_way=on_the_way)) for m in visible))

        async def answers() -> None:
            await scene.click("ada", fate=Fate(on_the_way=on_the_way))
            await scene.click("cleo", "deny", SECURITY, reason="no", fate=Fate(on_the_way=on_the_way))

        await asyncio.gather(answers(), *(_again(show_all, on_the_way) for _ in range(3)))
        await scene.world.settle()
        try:
            check_cards(scene)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error

    await asyncio.gather(*(one(seed) for seed in range(first, first + 50)))


async def _again(work: object, pause: object) -> None:
    for _ in range(6):
        await work()  # type: ignore[operator]  # both are coroutine functions
        await pause()  # type: ignore[operator]


async def test_card_whose_approval_changes_faster_than_it_can_be_shown_is_shown_later() -> None:
    scene = await about_to_be_shown()
    changes = iter(range(40))
    busy = True

    def fault(call: tuple[str, str]) -> None:
        if busy and call == ("approvals", "read"):
            scene.world.approvals._store(replace(scene.approval, reminders=next(changes)))

    scene.world.fault = fault
    await show(scene)
    busy = False
    await scene.world.run(10)

    check_cards(scene)
    assert not scene.world.queue.dead_letters


# --- what is gone -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", ["conversation-gone", "message-refused", "teams-400"])
async def test_card_that_a_channel_will_never_take_is_shown_in_the_security_channel_and_works_there(why: str) -> None:
    scene = await about_to_be_shown()
    scene.world.teams.faults.plan("start_thread", RejectedError(why))

    await scene.world.run(30)

    assert scene.cards_in(DBA) == []
    assert scene.world.alerts.reasons["card-undeliverable"] == 1
    assert is_card(await scene.click("ada", place=ALARM))
    await scene.after(30)
    assert scene.approval.state is ApprovalState.APPROVED
    check_agreement(scene)


async def test_card_that_was_deleted_in_the_channel_is_shown_in_the_security_channel() -> None:
    scene = await asked("dba", "security", needed=2)
    message = scene.card_message()
    del scene.world.teams.messages[DBA, message.activity_id]

    await scene.click("cleo", place=SECURITY)
    await scene.world.run(30)

    assert "approve" in verbs_in(card_in(scene.card_message(ALARM)))
    check_agreement(scene)


async def test_card_that_is_too_large_even_for_the_security_channel_is_reported_and_not_tried_for_ever() -> None:
    scene = await about_to_be_shown()
    scene.world.teams.too_long = 10

    await scene.world.run(600)

    assert scene.world.alerts.reasons["card-undeliverable"] == 2
    assert not scene.world.queue.on(CARD_UPDATES)


async def test_dead_chat_is_made_anew_once() -> None:
    scene = await set_scene(asking(replace(DBA_ROUTE, personal_cards=True)))
    scene.world.conversations.stored[guid("ada")] = Conversation("a:dead", SERVICE_URL)
    scene.world.teams.gone.add("a:dead")
    await scene.ask("dba")

    await scene.world.run(30)

    assert len(scene.cards_in(scene.world.teams.chat_with(guid("ada")))) == 1
    assert scene.world.conversations.stored[guid("ada")].conversation_id == scene.world.teams.chat_with(guid("ada"))
    check_agreement(scene)


async def test_chat_that_stays_dead_is_given_up() -> None:
    scene = await set_scene(asking(replace(DBA_ROUTE, personal_cards=True)))
    scene.world.teams.gone.add(scene.world.teams.chat_with(guid("ada")))
    await scene.ask("dba")

    await scene.world.run(60)

    assert scene.world.alerts.reasons["card-undeliverable"] == 1
    assert not scene.world.queue.on(CARD_UPDATES)
    check_agreement(scene)


async def test_nobody_is_reminded_of_a_card_that_is_lost() -> None:
    scene = await set_scene(asking(replace(DBA_ROUTE, timing=timing(1, 2, 60))))
    scene.world.teams.gone.add(DBA)
    await scene.ask("dba")

    await scene.world.run(5 * 60)

    assert scene.world.alerts.reasons["card-undeliverable"] == 1
    assert not scene.world.queue.dead_letters


@pytest.mark.parametrize("down", ["teams", "conversations", "copies", "approvals"])
async def test_cards_wait_for_whatever_is_down(down: str) -> None:
    scene = await about_to_be_shown()
    scene.world.fault = unreachable(down)
    await scene.world.run(30)

    scene.world.fault = unreachable()
    await scene.world.run(120)

    assert len(scene.cards_in(DBA)) == 1
    check_agreement(scene)


async def test_click_counts_although_nobody_can_note_that_its_card_was_seen() -> None:
    scene = await about_to_be_shown()
    scene.world.teams.unheard = 1
    await show(scene)
    scene.world.fault = unreachable("copies.save")

    answer = await scene.click("ada")

    scene.world.fault = unreachable()
    assert is_card(answer)
    await scene.after(60)
    assert scene.approval.state is ApprovalState.APPROVED


# --- where Teams can be spoken to -------------------------------------------------------------------------------------


def said(
    kind: ActivityKind, where: ConversationKind | None, conversation_id: str, *, installed: bool | None = None
) -> Activity:
    channel = DBA if where is ConversationKind.CHANNEL else None
    sender = Sender(guid("ada"), "29:ada", "ada")
    return Activity(
        kind, "", "1", EUROPE, conversation_id, where, channel, None, TENANT, sender, None, installed=installed
    )


async def test_service_url_is_learnt_from_whatever_teams_says_and_used_for_everybody() -> None:
    scene = await set_scene()
    message = said(ActivityKind.MESSAGE, ConversationKind.GROUP, "19:group@thread.v2")

    answer = await receive_activity(message, scene.world.worker(), scene.rules)

    assert answer is None
    assert scene.world.conversations.stored.keys() == {ANY_PLACE}
    await scene.ask("dba")
    assert {copy.service_url for copy in scene.copies()} == {EUROPE}


@pytest.mark.parametrize(
    ("where", "conversation_id", "place"),
    [
        (ConversationKind.CHANNEL, f"{DBA};messageid=1", DBA),
        (ConversationKind.PERSONAL, "a:chat", guid("ada")),
    ],
)
async def test_place_is_learnt_and_forgotten_when_the_app_is_removed(
    where: ConversationKind, conversation_id: str, place: str
) -> None:
    scene = await set_scene()
    kind = ActivityKind.INSTALLATION_UPDATE
    await receive_activity(said(kind, where, conversation_id, installed=True), scene.world.worker(), scene.rules)
    learnt = dict(scene.world.conversations.stored)

    await receive_activity(said(kind, where, conversation_id, installed=False), scene.world.worker(), scene.rules)

    assert learnt[place] == Conversation(conversation_id.partition(";")[0], EUROPE)
    assert place not in scene.world.conversations.stored
    assert scene.world.alerts.reasons == {"app-removed": 1}


@pytest.mark.parametrize("kind", list(ActivityKind))
async def test_activity_of_any_kind_is_received_although_storage_is_down(kind: ActivityKind) -> None:
    scene = await set_scene()
    scene.world.fault = unreachable("conversations")

    answer = await receive_activity(said(kind, None, "x"), scene.world.worker(), scene.rules)

    assert answer is None
    assert scene.world.alerts.reasons == {"conversation-not-learnt": 1}


async def test_what_is_known_already_is_not_stored_again() -> None:
    scene = await set_scene()
    message = said(ActivityKind.MESSAGE, ConversationKind.CHANNEL, DBA)
    await receive_activity(message, scene.world.worker(), scene.rules)
    saves = scene.world.conversations.faults.calls["save"]

    await receive_activity(message, scene.world.worker(), scene.rules)

    assert scene.world.conversations.faults.calls["save"] == saves
