"""What Teams is answered: 200 to everything authentic, and a well-formed body to every click."""

import json
from typing import Any

import azure.functions as func
import pytest

from functions import teams
from shared.domain.approval import ApprovalState
from tests.adapters.issuer import Door, bearer, body
from tests.fakes.entra import guid
from tests.fakes.teams import Message
from tests.fakes.worker import unreachable
from tests.fakes.world import World
from tests.functions.calls import request
from tests.handlers.approvals.scene import COMMAND, Scene, card_in, check_well_formed, set_scene, tokens_in

FIXTURES = [
    "teams/conversation_update__bot_added",
    "teams/conversation_update__bot_removed",
    "teams/conversation_update__person_added",
    "teams/installation_update__added",
    "teams/installation_update__removed",
    "teams/invoke__sign_in_verify_state",
    "teams/message__personal",
    "teams/message_reaction__unknown_to_tether",
]


async def send(door: Door, content: bytes, token: str | None = None) -> func.HttpResponse:
    headers = {"Authorization": bearer(token or door.token())}
    return await request(teams.receive_teams_activity, content, headers=headers)


def click_on(message: Message, who: str = "ada", **changes: object) -> bytes:
    given: dict[str, Any] = {
        "from__aadObjectId": guid(who),
        "replyToId": message.activity_id,
        "conversation__id": message.conversation_id,
        "value__action__data": {"token": tokens_in(card_in(message))[0]},
    }
    return body(**{**given, **changes})


async def test_click_is_answered_with_the_decided_card(scene: Scene, door: Door) -> None:
    await scene.ask("dba")

    answer = await send(door, click_on(scene.card_message()))

    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    document = json.loads(answer.get_body())
    check_well_formed(document)
    assert document["type"] == "application/vnd.microsoft.card.adaptive"
    assert scene.approval.state is ApprovalState.APPROVED


@pytest.mark.parametrize("who", ["mallory", "rita", "eve"])
async def test_refusal_of_a_click_is_a_message_with_status_200(scene: Scene, door: Door, who: str) -> None:
    await scene.ask("dba")

    answer = await send(door, click_on(scene.card_message(), who))

    assert answer.status_code == 200
    document = json.loads(answer.get_body())
    check_well_formed(document)
    assert document["type"] == "application/vnd.microsoft.activity.message"
    assert scene.approval.is_open


@pytest.mark.parametrize("data", [None, "text", [], {}, {"token": 7}, {"token": "x" * 9999}])
async def test_click_that_makes_no_sense_is_answered_with_a_message(scene: Scene, door: Door, data: object) -> None:
    await scene.ask("dba")

    answer = await send(door, click_on(scene.card_message(), value__action__data=data))

    assert answer.status_code == 200
    check_well_formed(json.loads(answer.get_body()))


@pytest.mark.parametrize("name", FIXTURES)
async def test_whatever_else_teams_says_is_received(scene: Scene, door: Door, name: str) -> None:
    answer = await send(door, body(name))

    assert (answer.status_code, answer.get_body()) == (200, b"")


@pytest.mark.parametrize("name", ["teams/invoke__card_action__approve", *FIXTURES])
@pytest.mark.parametrize(
    "down", ["approvals", "copies", "conversations", "directory", "reviews", "queue", "evidence", "gateway", "teams"]
)
async def test_nothing_that_is_down_makes_teams_hear_of_it(scene: Scene, door: Door, name: str, down: str) -> None:
    await scene.ask("dba")
    content = click_on(scene.card_message()) if "card_action" in name else body(name)
    scene.world.fault = unreachable(down)

    assert (await send(door, content)).status_code == 200


async def test_forged_token_is_refused_and_nothing_happens(scene: Scene, door: Door) -> None:
    await scene.ask("dba")

    answer = await send(door, click_on(scene.card_message()), door.token(aud="another app"))

    assert (answer.status_code, answer.get_body()) == (401, b"unauthenticated")
    assert scene.approval.is_open


async def test_missing_token_is_refused(scene: Scene) -> None:
    answer = await request(teams.receive_teams_activity, body())

    assert answer.status_code == 401


async def test_genuine_token_with_another_tenants_activity_is_refused(scene: Scene, door: Door) -> None:
    await scene.ask("dba")
    foreign = {"id": "99999999-0000-4000-8000-000000000009"}

    answer = await send(door, click_on(scene.card_message(), channelData__tenant=foreign))

    assert answer.status_code == 403
    assert scene.approval.is_open


async def test_teams_hears_that_approvals_are_off(world: World, door: Door) -> None:
    answer = await send(door, body())

    assert (answer.status_code, answer.get_body()) == (404, b"approvals-off")


@pytest.mark.parametrize("name", ["teams/invoke__card_action__approve", *FIXTURES])
async def test_bug_is_an_apology_and_an_alert_and_no_text_of_it_is_logged(
    scene: Scene, door: Door, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.ask("dba")
    content = click_on(scene.card_message()) if "card_action" in name else body(name)
    scene.world.fault = _bug

    answer = await send(door, content)

    assert answer.status_code == 200
    if "invoke" in name:
        check_well_formed(json.loads(answer.get_body()))
    assert scene.world.alerts.reasons["bug"] == (1 if "ZeroDivisionError" in caplog.text else 0)
    assert "hunter2" not in caplog.text


async def test_bug_is_reported_with_its_kind_and_place(
    scene: Scene, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.ask("dba")
    content = click_on(scene.card_message())
    scene.world.fault = _bug

    await send(door, content)

    assert scene.world.alerts.reasons["bug"] == 1
    assert "ZeroDivisionError" in caplog.text
    assert "receive_activity" in caplog.text


async def test_token_of_another_world_opens_nothing(scene: Scene, door: Door) -> None:
    other = await set_scene()
    await other.ask("dba")

    answer = await send(door, click_on(other.card_message()))

    assert json.loads(answer.get_body())["type"] == "application/vnd.microsoft.activity.message"


def _bug(_: object) -> None:
    raise ZeroDivisionError(COMMAND)
