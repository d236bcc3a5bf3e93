"""The process is killed at every call it makes, before or after it took effect: somebody else finishes the work."""

import itertools
from collections.abc import Awaitable, Callable

import pytest

from shared.domain.approval import ApprovalState
from shared.domain.card_copy import Audience
from shared.domain.reviews import ReviewStatus
from tests.fakes.queue import CARD_UPDATES
from tests.fakes.worker import Fate
from tests.handlers.approvals.scene import (
    ALARM,
    DBA,
    LOUD,
    SECURITY,
    Scene,
    check_agreement,
    is_card,
    set_scene,
)

heard = pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
CLAIM_AND_DOUBT = 60


async def at_every_call(
    prepare: Callable[[], Awaitable[Scene]], work: Callable[[Scene, Fate], Awaitable[bool]], *, heard: bool
) -> list[Scene]:
    """One scene for each call of the work: its process died there, and what it left was taken up by others."""
    scenes = []
    for number in itertools.count(1):
        scene = await prepare()
        died = await work(scene, Fate(dies_at=number, heard=heard))
        await scene.after(CLAIM_AND_DOUBT)
        scenes.append(scene)
        if not died:
            assert number > 3
            return scenes
    raise AssertionError("endless")


async def unannounced() -> Scene:
    scene = await set_scene()
    await scene.ask("dba", "security", needed=2, announced=False)
    await scene.look("webhook")
    return scene


async def asked_of_one() -> Scene:
    scene = await set_scene()
    await scene.ask("dba")
    return scene


async def one_vote_is_there() -> Scene:
    scene = await set_scene()
    await scene.ask("dba", "security", needed=2)
    assert is_card(await scene.click("dora", place=DBA))
    await scene.world.settle()
    return scene


async def approved() -> Scene:
    scene = await asked_of_one()
    await scene.click("ada")
    await scene.world.settle()
    return scene


async def the_next_message(scene: Scene, fate: Fate) -> bool:
    return not await scene.world.process(scene.world.queue.visible()[0], fate)


def a_click(
    who: str, verb: str = "approve", place: str = DBA, reason: str = "because"
) -> Callable[[Scene, Fate], Awaitable[bool]]:
    async def work(scene: Scene, fate: Fate) -> bool:
        return await scene.click_and_die(fate, who, verb, place, reason=reason)

    return work


@heard
async def test_discovery_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    for scene in await at_every_call(unannounced, the_next_message, heard=heard):
        check_agreement(scene)
        assert scene.approval.is_open
        assert [len(scene.cards_in(place)) for place in (DBA, SECURITY)] == [1, 1]
        assert "requested" in scene.story


@heard
async def test_approval_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    for scene in await at_every_call(asked_of_one, a_click("ada"), heard=heard):
        assert is_card(await scene.click("ada"))
        await scene.after(CLAIM_AND_DOUBT)
        check_agreement(scene)
        assert scene.at_the_gateway is ReviewStatus.APPROVED
        assert scene.approval.outcome
        assert scene.approval.outcome.by == ("ada",)
        assert scene.effects == [("approve", "dba")]


@heard
async def test_approval_converges_without_another_click_once_it_was_on_record(heard: bool) -> None:  # noqa: FBT001 - as above
    for scene in await at_every_call(asked_of_one, a_click("ada"), heard=heard):
        check_agreement(scene)
        assert scene.approval.is_open is not bool(scene.approval.votes)


@heard
async def test_last_of_two_approvals_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    for scene in await at_every_call(one_vote_is_there, a_click("ada"), heard=heard):
        await scene.click("ada")
        await scene.after(CLAIM_AND_DOUBT)
        check_agreement(scene)
        assert scene.at_the_gateway is ReviewStatus.APPROVED
        assert sorted(scene.effects) == [("approve", "dba"), ("approve", "security")]
        assert {vote.approver.name: vote.group for vote in scene.approval.votes} == {"ada": "dba", "dora": "security"}


@heard
async def test_vote_that_is_not_the_last_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    async def asked_of_two() -> Scene:
        scene = await set_scene()
        await scene.ask("dba", "security", needed=2)
        return scene

    for scene in await at_every_call(asked_of_two, a_click("ada"), heard=heard):
        check_agreement(scene)
        assert is_card(await scene.click("ada"))
        await scene.after(CLAIM_AND_DOUBT)
        check_agreement(scene)
        assert [vote.approver.name for vote in scene.approval.votes] == ["ada"]
        assert scene.effects == []


@heard
async def test_denial_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    for scene in await at_every_call(asked_of_one, a_click("ada", "deny", reason="not now"), heard=heard):
        await scene.click("ada", "deny", reason="not now")
        await scene.after(CLAIM_AND_DOUBT)
        check_agreement(scene)
        assert scene.at_the_gateway is ReviewStatus.REJECTED
        assert scene.approval.outcome
        assert (scene.approval.outcome.by, scene.approval.outcome.reason) == (("ada",), "not now")
        assert scene.effects == [("deny", "dba")]


@heard
async def test_break_glass_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    for scene in await at_every_call(asked_of_one, a_click("eve", "break-glass"), heard=heard):
        check_agreement(scene)
        await scene.click("eve", "break-glass", reason="because")
        await scene.after(CLAIM_AND_DOUBT)
        check_agreement(scene)
        assert scene.at_the_gateway is ReviewStatus.APPROVED
        assert scene.approval.outcome
        assert scene.approval.outcome.forced
        assert len(scene.cards_in(LOUD)) == 1
        assert scene.world.alerts.reasons["break-glass"] >= 1
        assert [verb for verb, _ in scene.effects] == ["force"]


@heard
async def test_end_of_a_grant_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    def chat(scene: Scene) -> str:
        return scene.world.teams.chat_with(scene.approval.requester.principal_id or "")

    async def done(scene: Scene, fate: Fate) -> bool:
        return await scene.click_and_die(fate, "rita", "done", chat(scene))

    for scene in await at_every_call(approved, done, heard=heard):
        check_agreement(scene)
        await scene.click("rita", "done", chat(scene))
        await scene.after(CLAIM_AND_DOUBT)
        check_agreement(scene)
        assert scene.at_the_gateway is ReviewStatus.REVOKED
        assert scene.approval.ended_at is not None
        assert not scene.world.gateway.flowing(scene.rita_at)
        assert not scene.world.gateway.idle_kills


@heard
async def test_expiry_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    async def about_to_expire() -> Scene:
        scene = await asked_of_one()
        scene.world.clock.advance(4 * 3600 + 1)
        return scene

    for scene in await at_every_call(about_to_expire, the_next_message, heard=heard):
        check_agreement(scene)
        assert scene.at_the_gateway is ReviewStatus.REJECTED
        assert scene.approval.state is ApprovalState.EXPIRED


@heard
async def test_end_at_the_gateway_is_shown_after_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    async def answered_in_the_web_page() -> Scene:
        scene = await asked_of_one()
        await scene.at_gateway("dba")
        await scene.look("poll")
        return scene

    for scene in await at_every_call(answered_in_the_web_page, the_next_message, heard=heard):
        check_agreement(scene)
        assert scene.approval.state is ApprovalState.APPROVED


@heard
async def test_card_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    async def about_to_be_shown() -> Scene:
        scene = await unannounced()
        await scene.world.settle_once()
        assert scene.world.queue.on(CARD_UPDATES)
        return scene

    for scene in await at_every_call(about_to_be_shown, the_next_message, heard=heard):
        posts = len(scene.cards_in(DBA))
        assert posts in (1, 2)
        if posts == 2:
            # Somebody looks at the one whose answer was lost: from then on it is kept up to date, too.
            await scene.click("ada", "refresh", message=scene.cards_in(DBA)[0], automatic=True)
        await scene.click("ada", "deny", reason="no")
        await scene.after(CLAIM_AND_DOUBT)
        check_agreement(scene)


@heard
async def test_card_is_updated_after_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    async def decided() -> Scene:
        scene = await asked_of_one()
        await scene.click("ada", "deny", reason="no")
        assert [m for m in scene.world.queue.visible() if m.queue == CARD_UPDATES]
        return scene

    for scene in await at_every_call(decided, the_next_message, heard=heard):
        check_agreement(scene)
        assert len(scene.cards_in(DBA)) == 1


@heard
async def test_lost_card_is_shown_elsewhere_after_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    async def without_a_channel() -> Scene:
        scene = await set_scene()
        scene.world.teams.gone.add(DBA)
        await scene.ask("dba", announced=False)
        await scene.look("webhook")
        await scene.world.settle_once()
        return scene

    for scene in await at_every_call(without_a_channel, the_next_message, heard=heard):
        check_agreement(scene)
        assert [copy.spec.audience for copy in scene.copies()].count(Audience.APPROVERS) == 2
        assert len(scene.cards_in(ALARM)) == 1
