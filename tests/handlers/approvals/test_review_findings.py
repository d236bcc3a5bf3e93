"""What a stranger found who read the approvals for holes; each was open once."""

from dataclasses import replace

from shared.domain.approval import ApprovalState
from shared.domain.gateway import IdentityKind, IdentityRef
from shared.domain.identity_map import IdentityMap
from shared.errors import RetryLaterError
from tests.fakes.entra import guid
from tests.handlers.approvals.scene import (
    SECURITY,
    Scene,
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


# --- who answers --------------------------------------------------------------------------------------------------


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
