"""People's clients in the Teams stand-in: what a click sends, what its answer shows and to whom, automatic refresh."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import jwt
import pytest
from starlette.responses import JSONResponse, Response

from sandbox import cast
from sandbox.teams.ids import BOT_ID, mri
from sandbox.teams.world import APPROVALS_CHANNEL, TEAM_ID
from sandbox.tenant import BOT_APP_ID, TENANT_ID
from tests.sandbox.teams_under_test import (
    Bot,
    Json,
    Teams,
    card,
    eventually,
    refreshing,
    replaced_by,
    running_bot,
    running_teams,
    told,
    with_card,
)


@pytest.fixture(scope="module")
def listening() -> Iterator[Bot]:
    with running_bot() as bot:
        yield bot


@pytest.fixture(scope="module")
async def process(listening: Bot) -> AsyncIterator[Teams]:
    async with running_teams(listening.url) as teams:
        yield teams


@pytest.fixture
async def teams(process: Teams) -> Teams:
    await process.begin()
    return process


@pytest.fixture
def bot(listening: Bot, teams: Teams) -> Bot:
    listening.begin()
    return listening


@pytest.fixture
async def asked(teams: Teams) -> tuple[str, str]:
    return await teams.thread(with_card(card("please", "approve", "deny")))


def refused(activity: Json) -> Response:
    value = {"code": "Forbidden", "message": "not yours"}
    return JSONResponse({"statusCode": 400, "type": "application/vnd.microsoft.error", "value": value})


async def test_click_sends_the_invoke_of_a_universal_action(teams: Teams, bot: Bot, asked: tuple[str, str]) -> None:
    await teams.click(asked, cast.ADA, "deny", inputs={"reason": "too long"})

    (invoke,) = bot.received
    assert (invoke["type"], invoke["name"], invoke["channelId"]) == ("invoke", "adaptiveCard/action", "msteams")
    assert invoke["serviceUrl"] == f"{teams.url}/teams/"
    assert invoke["replyToId"] == asked[1]
    assert invoke["from"] == {"id": mri(cast.ADA.id), "name": "Ada Byron", "aadObjectId": cast.ADA.id}
    assert invoke["recipient"]["id"] == BOT_ID
    assert invoke["conversation"] == {
        "isGroup": True,
        "conversationType": "channel",
        "tenantId": TENANT_ID,
        "id": asked[0],
    }
    assert invoke["channelData"]["tenant"] == {"id": TENANT_ID}
    assert invoke["channelData"]["team"]["id"] == TEAM_ID
    assert invoke["channelData"]["channel"] == {"id": APPROVALS_CHANNEL}
    assert invoke["value"] == {
        "action": {
            "type": "Action.Execute",
            "id": "",
            "title": "Deny",
            "verb": "deny",
            "data": {"token": "t-1", "reason": "too long"},
        },
        "trigger": "manual",
    }


async def test_click_in_a_chat_names_the_chat_and_no_team(teams: Teams, bot: Bot) -> None:
    chat = (await teams.chat()).json()["id"]
    sent = await teams.bot("POST", f"/conversations/{chat}/activities", with_card(card("please", "approve")))

    await teams.click((chat, sent.json()["id"]), cast.ADA, "approve")

    (invoke,) = bot.received
    assert invoke["conversation"] == {"conversationType": "personal", "tenantId": TENANT_ID, "id": chat}
    assert invoke["channelData"] == {"tenant": {"id": TENANT_ID}}


async def test_invoke_is_signed_with_a_published_and_endorsed_key(
    teams: Teams, bot: Bot, asked: tuple[str, str]
) -> None:
    await teams.click(asked, cast.ADA, "approve")
    metadata = (await teams.client.get("/v1/.well-known/openidconfiguration")).json()
    (key,) = (await teams.client.get(metadata["jwks_uri"])).json()["keys"]

    token = bot.headers[0]["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, jwt.PyJWK(key), ["RS256"], audience=BOT_APP_ID, issuer=metadata["issuer"])

    assert jwt.get_unverified_header(token)["kid"] == key["kid"]
    assert key["endorsements"] == ["msteams"]
    assert claims["serviceurl"] == bot.received[0]["serviceUrl"]
    assert claims["exp"] > claims["nbf"]


async def test_card_answered_replaces_the_card_for_the_clicker_only(
    teams: Teams, bot: Bot, asked: tuple[str, str]
) -> None:
    bot.answers.append(lambda _: replaced_by(card("approved by Ada")))

    clicked = await teams.click(asked, cast.ADA, "approve")

    (hers,) = await teams.seen(asked[0], cast.ADA)
    (his,) = await teams.seen(asked[0], cast.ALAN)
    assert (clicked["status"], clicked["shown"]) == (200, {"card": card("approved by Ada")})
    assert (hers["card"], hers["own_view"]) == (card("approved by Ada"), True)
    assert (his["card"], his["own_view"]) == (card("please", "approve", "deny"), False)


async def test_update_ends_every_view_of_ones_own(teams: Teams, bot: Bot, asked: tuple[str, str]) -> None:
    bot.answers.append(lambda _: replaced_by(card("approved by Ada")))
    await teams.click(asked, cast.ADA, "approve")

    await teams.update(asked, card("decided"))

    (hers,) = await teams.seen(asked[0], cast.ADA)
    assert (hers["card"], hers["own_view"]) == (card("decided"), False)


async def test_card_answered_after_an_update_does_not_hide_the_update(
    teams: Teams, bot: Bot, asked: tuple[str, str]
) -> None:
    updated = threading.Event()

    def late(_: Json) -> Response:
        assert updated.wait(10)
        return replaced_by(card("approved by Ada"))

    bot.answers.append(late)
    click = asyncio.ensure_future(teams.click(asked, cast.ADA, "approve"))
    await eventually(lambda: len(bot.received) == 1)
    await teams.update(asked, card("decided"))
    updated.set()
    await click

    (hers,) = await teams.seen(asked[0], cast.ADA)
    assert hers["card"] == card("decided")


async def test_message_answered_is_a_toast_and_the_card_stays(teams: Teams, bot: Bot, asked: tuple[str, str]) -> None:
    bot.answers.append(lambda _: told("You are no approver."))

    clicked = await teams.click(asked, cast.ADA, "approve")

    (message,) = await teams.seen(asked[0], cast.ADA)
    (toast,) = message["toasts"]
    assert clicked["shown"] == {"message": "You are no approver."}
    assert (toast["kind"], toast["text"]) == ("message", "You are no approver.")
    assert message["card"] == card("please", "approve", "deny")
    (others,) = await teams.seen(asked[0], cast.ALAN)
    assert others["toasts"] == []


async def test_error_answered_is_shown_once(teams: Teams, bot: Bot, asked: tuple[str, str]) -> None:
    bot.answers.append(refused)

    clicked = await teams.click(asked, cast.ADA, "approve")

    assert clicked["shown"] == {"error": {"code": "Forbidden", "message": "not yours"}}
    assert len(bot.received) == 1


async def test_duplicate_clicks_arrive_at_once_under_one_id(teams: Teams, bot: Bot, asked: tuple[str, str]) -> None:
    together = threading.Barrier(3)

    def when_all_are_here(_: Json) -> Response:
        together.wait(10)
        return told("noted")

    bot.answers += [when_all_are_here] * 3

    clicked = await teams.click(asked, cast.ADA, "approve", times=3)

    assert [answer["status"] for answer in clicked["answers"]] == [200, 200, 200]
    assert len({invoke["id"] for invoke in bot.received}) == 1


async def test_button_that_the_person_does_not_see_cannot_be_pressed_but_its_data_can_be_sent(
    teams: Teams, bot: Bot, asked: tuple[str, str]
) -> None:
    body = {"conversation": asked[0], "activity_id": asked[1], "person": cast.ADA.id, "verb": "break-glass"}

    pressed = await teams.control("POST", "/click", body)
    forged = await teams.control("POST", "/click", {**body, "data": {"token": "kept from before"}})

    assert pressed.status_code == 409
    assert forged.status_code == 200
    assert [invoke["value"]["action"]["data"] for invoke in bot.received] == [{"token": "kept from before"}]


async def test_button_is_found_anywhere_in_the_card(teams: Teams, bot: Bot) -> None:
    inner = card("reason?", "deny")
    outer = card("please") | {"actions": [{"type": "Action.ShowCard", "title": "Deny", "card": inner}]}
    where = await teams.thread(with_card(outer))

    await teams.click(where, cast.ADA, "deny")

    assert bot.received[0]["value"]["action"]["verb"] == "deny"


async def test_overrides_reach_the_bot_and_the_token_stays_genuine(
    teams: Teams, bot: Bot, asked: tuple[str, str]
) -> None:
    foreign = {"channelData": {"tenant": {"id": cast.object_id(0x999)}}, "from": {"aadObjectId": None}}

    await teams.click(asked, cast.ADA, "approve", overrides=foreign)

    (invoke,) = bot.received
    assert invoke["channelData"]["tenant"] == {"id": cast.object_id(0x999)}
    assert "aadObjectId" not in invoke["from"]
    assert invoke["channelData"]["team"]["id"] == TEAM_ID


async def test_composed_click_is_not_sent(teams: Teams, bot: Bot, asked: tuple[str, str]) -> None:
    body = {"conversation": asked[0], "activity_id": asked[1], "person": cast.ADA.id, "verb": "approve"}

    composed = await teams.done("POST", "/compose", body)

    assert composed["activity"]["value"]["action"]["verb"] == "approve"
    assert bot.received == []


async def test_opening_a_thread_refreshes_its_card_for_a_person_listed(teams: Teams, bot: Bot) -> None:
    where = await teams.thread(with_card(card("please", refresh=refreshing(mri(cast.ADA.id)))))
    bot.answers.append(lambda _: replaced_by(card("for Ada", "approve")))

    hers = await teams.view(where[0], cast.ADA)
    his = await teams.view(where[0], cast.ALAN)

    (invoke,) = bot.received
    assert invoke["value"]["trigger"] == "automatic"
    assert invoke["value"]["action"]["verb"] == "refresh"
    assert invoke["from"]["aadObjectId"] == cast.ADA.id
    assert (hers["refreshed"], hers["messages"][0]["card"]) == (1, card("for Ada", "approve"))
    assert (his["refreshed"], his["messages"][0]["own_view"]) == (0, False)


async def test_card_refreshes_for_all_when_nobody_is_listed_and_the_team_is_small(teams: Teams, bot: Bot) -> None:
    where = await teams.thread(with_card(card("please", refresh=refreshing(None))))

    counts = [(await teams.view(where[0], person))["refreshed"] for person in cast.PEOPLE]

    assert counts == [1] * len(cast.PEOPLE)


async def test_card_does_not_refresh_by_itself_in_a_team_of_more_than_sixty(teams: Teams, bot: Bot) -> None:
    crowd = [{"id": cast.object_id(0x1000 + n), "name": f"Person {n}"} for n in range(57)]
    await teams.done("POST", "/people", {"people": crowd})
    where = await teams.thread(with_card(card("please", refresh=refreshing(None))))

    viewed = await teams.view(where[0], cast.ADA)

    assert (viewed["refreshed"], bot.received) == (0, [])


@pytest.mark.parametrize("user_ids", [(), (cast.ADA.id,)], ids=["empty list", "Entra id"])
async def test_card_that_lists_no_id_of_teams_never_refreshes_by_itself(
    teams: Teams, bot: Bot, user_ids: tuple[str, ...]
) -> None:
    where = await teams.thread(with_card(card("please", refresh=refreshing(*user_ids))))

    await teams.view(where[0], cast.ADA)

    assert bot.received == []


async def test_card_refreshes_at_most_once_a_minute_for_a_person(teams: Teams, bot: Bot) -> None:
    where = await teams.thread(with_card(card("please", refresh=refreshing(None))))

    first = [(await teams.view(where[0], cast.ADA))["refreshed"] for _ in range(2)]
    await teams.switched(refreshMs=0)
    later = (await teams.view(where[0], cast.ADA))["refreshed"]

    assert (first, later) == ([1, 0], 1)


async def test_failed_refresh_is_not_tried_again_until_the_card_changes(teams: Teams, bot: Bot) -> None:
    where = await teams.thread(with_card(card("please", refresh=refreshing(None))))
    await teams.switched(refreshMs=0)
    bot.answers.append(refused)

    tried = [(await teams.view(where[0], cast.ADA))["refreshed"] for _ in range(2)]
    await teams.update(where, card("again", refresh=refreshing(None)))
    await eventually(lambda: len(bot.received) == 2)

    assert tried == [1, 0]


async def test_update_refreshes_for_those_who_look_with_the_action_of_the_card_before(teams: Teams, bot: Bot) -> None:
    before = refreshing(None)
    after = refreshing(None) | {"action": {**before["action"], "data": {"token": "t-2"}}}
    where = await teams.thread(with_card(card("please", refresh=before)))
    await teams.view(where[0], cast.ADA)

    await teams.update(where, card("one vote", refresh=after))
    await eventually(lambda: len(bot.received) == 2)

    assert [invoke["value"]["action"]["data"]["token"] for invoke in bot.received] == ["t-1", "t-1"]
    assert [invoke["from"]["aadObjectId"] for invoke in bot.received] == [cast.ADA.id] * 2


async def test_final_update_with_an_empty_list_refreshes_nobody(teams: Teams, bot: Bot) -> None:
    where = await teams.thread(with_card(card("please", refresh=refreshing(None))))
    await teams.view(where[0], cast.ADA)

    await teams.update(where, card("decided", refresh=refreshing()))
    await teams.view(where[0], cast.ADA)

    assert len(bot.received) == 1


async def test_new_card_refreshes_for_a_person_who_has_the_channel_open(teams: Teams, bot: Bot) -> None:
    await teams.view(APPROVALS_CHANNEL, cast.ADA)

    await teams.thread(with_card(card("please", refresh=refreshing(None))))
    await eventually(lambda: len(bot.received) == 1)

    assert bot.received[0]["value"]["trigger"] == "automatic"
