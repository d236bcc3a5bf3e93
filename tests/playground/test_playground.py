"""Tether in Microsoft's own client for bots: its cards are shown, clicked, replaced and updated there."""

import psutil
import pytest
from playwright.async_api import expect

from sandbox import cast
from sandbox.bench.crowd import until
from sandbox.tenant import HOST
from tests.playground.conftest import Scene, card_about

CARD = "application/vnd.microsoft.card.adaptive"
MESSAGE = "application/vnd.microsoft.activity.message"
WHY = "Not tonight: the migration is running."
# The card; and for the sponsor of the agent a chat, and the news in it. Each is posted once; updates may repeat.
POSTS = [("POST", 201), ("POST", 201), ("POST", 201)]
pytestmark = pytest.mark.timeout(300)


async def test_approval_replaces_the_card_for_whoever_clicks_and_updates_it_for_everybody_else(scene: Scene) -> None:
    name, clicks, calls = cast.SYNC_AGENT.name, len(scene.shim.clicks), len(scene.shim.calls)
    asked = await scene.gateway.ask(cast.SYNC_AGENT, cast.CUSTOMERS_DB)
    mine, theirs = card_about(scene.clicker, name), card_about(scene.onlooker, name)
    await expect(theirs).to_contain_text("Access request")
    await expect(mine).to_contain_text("0 of 1 needed")
    await scene.picture("approval-asked")

    with scene.shim.holding_updates():
        await mine.get_by_role("button", name="Approve").click()
        await expect(mine).to_contain_text("Checked at the gateway: the approval is in force.")
        await expect(theirs).to_contain_text("Access request")
        assert [call.method for call in scene.shim.calls[calls:] if call.method == "PUT"] == []

    await expect(theirs).to_contain_text("Approved")
    await expect(theirs.get_by_role("button")).to_have_count(0)
    await expect(mine.get_by_role("button")).to_have_count(0)
    await scene.picture("approval-decided")
    assert [(click.status, click.answer["type"]) for click in scene.shim.clicks[clicks:]] == [(200, CARD)]
    assert await scene.gateway.status(asked) == "APPROVED"
    await until(lambda: scene.gateway.is_live(asked), 20)
    await until(lambda: _have_come(scene, calls, len(POSTS) + 1), 20)
    made = [(call.method, call.status) for call in scene.shim.calls[calls:]]
    assert [call for call in made if call[0] == "POST"] == POSTS
    assert {call for call in made if call[0] != "POST"} == {("PUT", 200)}


async def test_denial_without_a_reason_is_answered_with_a_sentence_and_one_with_a_reason_decides(scene: Scene) -> None:
    name, clicks = cast.ADA.name + " (person)", len(scene.shim.clicks)
    asked = await scene.gateway.ask(cast.ADA, cast.CUSTOMERS_DB)
    mine, theirs = card_about(scene.clicker, name), card_about(scene.onlooker, name)

    await mine.get_by_role("button", name="Deny").click()
    await expect(scene.clicker.get_by_text("Please write a reason into the field on the card")).to_be_visible()
    before = await scene.gateway.status(asked)
    await scene.picture("denial-needs-a-reason")
    await mine.get_by_role("textbox").fill(WHY)
    await mine.get_by_role("button", name="Deny").click()

    await expect(mine).to_contain_text("The gateway refuses the request.")
    await expect(theirs).to_contain_text(WHY)
    await scene.picture("denial-decided")
    answers = [(click.status, click.answer["type"]) for click in scene.shim.clicks[clicks:]]
    assert answers == [(200, MESSAGE), (200, CARD)]
    assert (before, await scene.gateway.status(asked)) == ("PENDING", "REJECTED")
    assert not await scene.gateway.is_live(asked)


async def test_playground_stays_on_this_machine(scene: Scene) -> None:
    connections = psutil.Process(scene.playground.pid).net_connections()

    assert {connection.laddr.ip for connection in connections} == {HOST}
    assert "refused to look up" not in scene.playground.output.read_text()


async def _have_come(scene: Scene, after: int, count: int) -> bool:
    return len(scene.shim.calls[after:]) >= count
