"""One click of somebody entitled decides; everybody else is told why it did not count."""

from shared.domain.approval import ApprovalState
from shared.domain.reviews import ReviewStatus
from tests.handlers.approvals.scene import (
    check_agreement,
    is_card,
    set_scene,
    verbs_in,
)


async def test_click_of_an_approver_is_obeyed_by_the_gateway() -> None:
    scene = await set_scene()
    await scene.ask("dba")

    answer = await scene.click("ada")
    await scene.world.settle()

    assert is_card(answer)
    assert verbs_in(answer["value"]) == []
    assert scene.at_the_gateway is ReviewStatus.APPROVED
    assert scene.approval.state is ApprovalState.APPROVED
    assert scene.effects == [("approve", "dba")]
    await scene.after(60)
    check_agreement(scene)
