"""What the sandbox's Teams sends over real HTTP, with keys fetched over real HTTP, is let in; its forgeries are not."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from sandbox import cast
from sandbox.tenant import BOT_APP_ID, HOST, TENANT_ID
from shared.adapters.bot_tokens import BotTokens
from shared.adapters.signing_keys import SigningKeys
from shared.domain.activities import Activity, ActivityKind, Bot
from shared.errors import RejectedError
from tests.fakes.clock import FakeClock
from tests.sandbox import teams_under_test as stand_in
from tests.sandbox.teams_under_test import Teams, card, running_bot, running_teams, with_card


@pytest.fixture(scope="module")
def bot() -> Iterator[stand_in.Bot]:
    with running_bot() as running:
        yield running


@pytest.fixture(scope="module")
async def teams(bot: stand_in.Bot) -> AsyncIterator[Teams]:
    async with running_teams(bot.url) as running:
        yield running


@pytest.fixture
async def door(teams: Teams, bot: stand_in.Bot) -> AsyncIterator[BotTokens]:
    bot.begin()
    await teams.begin()
    clock = FakeClock()
    clock.time = datetime.now(UTC)
    async with httpx.AsyncClient() as client:
        keys = SigningKeys(client, f"{teams.url}/v1/.well-known/openidconfiguration", clock)
        yield BotTokens(keys, Bot(BOT_APP_ID, TENANT_ID, frozenset({HOST})), clock)


async def newest(bot: stand_in.Bot, door: BotTokens) -> Activity:
    """What the door makes of the delivery that the bot has just had."""
    body = json.dumps(bot.received[-1]).encode()
    return await door.authenticate(bot.headers[-1]["authorization"], body)


async def test_click_in_the_sandbox_is_let_in(teams: Teams, bot: stand_in.Bot, door: BotTokens) -> None:
    where = await teams.thread(with_card(card("May it?", "approve", "deny")))
    await teams.click(where, cast.ADA, "deny", inputs={"reason": "not today"})

    activity = await newest(bot, door)

    assert activity.action is not None
    assert (activity.action.verb, activity.action.token, activity.action.reason) == ("deny", "t-1", "not today")
    assert (activity.person.object_id, activity.conversation_id, activity.reply_to) == (cast.ADA.id, *where)


async def test_click_signed_with_a_new_key_is_let_in(teams: Teams, bot: stand_in.Bot, door: BotTokens) -> None:
    await teams.done("POST", "/keys/rotate", {"keep": False})
    where = await teams.thread(with_card(card("May it?", "approve")))
    await teams.click(where, cast.ADA, "approve")

    activity = await newest(bot, door)

    assert activity.kind is ActivityKind.INVOKE


async def test_click_signed_with_a_key_for_other_channels_is_refused(
    teams: Teams, bot: stand_in.Bot, door: BotTokens
) -> None:
    await teams.done("POST", "/keys/rotate", {"endorsements": ["webchat"]})
    where = await teams.thread(with_card(card("May it?", "approve")))
    await teams.click(where, cast.ADA, "approve")

    with pytest.raises(RejectedError) as refusal:
        await newest(bot, door)

    assert refusal.value.reason == "forbidden"


@pytest.mark.parametrize(
    ("forgery", "reason"),
    [
        pytest.param({"signed_with": "foreign"}, "unauthenticated", id="foreign_key"),
        pytest.param({"signed_with": "none"}, "unauthenticated", id="no_signature"),
        pytest.param({"claims": {"iss": "https://evil.example"}}, "unauthenticated", id="another_issuer"),
        pytest.param({"claims": {"exp": 1}}, "unauthenticated", id="expired"),
        pytest.param({"claims": {"serviceurl": "https://evil.example/"}}, "forbidden", id="another_service_url"),
    ],
)
async def test_forgery_of_the_sandbox_is_refused(
    forgery: dict[str, Any], reason: str, teams: Teams, bot: stand_in.Bot, door: BotTokens
) -> None:
    where = await teams.thread(with_card(card("May it?", "approve")))
    await teams.click(where, cast.ADA, "approve")
    forged = await teams.done("POST", "/token", forgery)

    with pytest.raises(RejectedError) as refusal:
        await door.authenticate(f"Bearer {forged['token']}", json.dumps(bot.received[-1]).encode())

    assert refusal.value.reason == reason
