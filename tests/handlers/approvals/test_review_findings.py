"""What a stranger found who read the approvals for holes; each was open once."""

from dataclasses import replace

from shared.domain.approval import ApprovalState
from shared.domain.gateway import IdentityKind, IdentityRef
from shared.domain.identity_map import IdentityMap
from tests.fakes.entra import guid
from tests.handlers.approvals.scene import (
    Scene,
    ended_once,
    is_card,
    set_scene,
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
