"""From a report to what came of it: owners are asked in Teams, others accept, the gateway obeys, and all of it once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from sandbox import cast
from sandbox.bench.crowd import until
from sandbox.cast import Person
from sandbox.demo.forgotten import Forgotten, forget_access, meet
from sandbox.teams.ids import chat_id
from sandbox.teams.world import SECURITY_CHANNEL
from shared.wire.cards.sentences import sentence
from tests.end_to_end.posture import APP_THAT_IS_GONE, DIGEST, ROTATION, TO_REPORT, WITHIN, Office, running_office
from tests.sandbox.door_under_test import CHROMIUM

NAMES = ("keeper", "on-1280", "on-390", "excepted", "refused", "shrunk", "retired", "dying")
AFTER_A_CRASH = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """Who answers for what: most agents are those of one sponsor, and one is that of somebody who accepts risks."""

    sponsor: Person
    agents: dict[str, Forgotten]
    of_an_approver: Forgotten


@pytest.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with running_office(tmp_path_factory.mktemp("office")) as office:
        yield office


@pytest.fixture(scope="module")
async def asked(office: Office) -> Asked:
    """A first report has been made and announced."""
    sponsor = await office.newcomer("Hedy")
    agents = await forget_access(office.sandbox, NAMES, sponsor)
    (of_an_approver,) = await forget_access(office.sandbox, ["roots"], cast.ROOT)
    await office.has_a_past()
    await meet(office.sandbox)
    await office.report()
    return Asked(sponsor, dict(zip(NAMES, agents, strict=True)), of_an_approver)


async def test_digest_is_in_the_channel_and_each_owner_is_asked_once_in_their_own_chat(
    office: Office, asked: Asked
) -> None:
    digests = await office.headed(SECURITY_CHANNEL, cast.ADA, DIGEST)
    places = [await office.places(one) for one in asked.agents.values()]
    card = await office.asked(asked.agents["keeper"])

    assert len(digests) == 1
    assert places == [{chat_id(asked.sponsor.id): 1}] * len(NAMES)
    assert "keeper-archive ; never seen open" in card.words
    assert [action.get("verb") for action in card.content["actions"]] == ["keep", "shrink", "retire"]


async def test_what_the_vault_hands_out_of_an_application_that_is_gone_is_in_the_report(
    office: Office, asked: Asked
) -> None:
    (finding,) = await office.findings("C17", APP_THAT_IS_GONE)

    assert finding["says"] == "The vault hands out a credential of an application that is gone."
    assert f"{office.sandbox.url('vault')}/billing/" in finding["facts"]
    assert asked.sponsor.name not in finding["owners"]


async def test_access_that_an_owner_keeps_is_excepted_once_somebody_else_has_accepted_it(
    office: Office, asked: Asked
) -> None:
    one, day = asked.agents["keeper"], f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    card = await office.asked(one)

    without_reason = await office.click(card, one.sponsor, "keep", until=day)
    kept = await office.click(card, one.sponsor, "keep", reason="only at the end of the year", until=day)
    wish = await office.wish(one, cast.ROOT)
    by_a_stranger = await office.click(wish, cast.ALAN, "accept")
    accepted = await office.click(wish, cast.ROOT, "accept")

    assert without_reason == sentence("reason-missing")
    assert kept.startswith("The wish to keep it waits")
    assert all(words in wish.words for words in ("only at the end of the year", day, asked.sponsor.name))
    assert by_a_stranger == sentence("not-asked")
    assert accepted.startswith("Kept for a while")
    assert day in (await office.shown(chat_id(one.sponsor.id), one.sponsor, one, "Kept for a while")).words
    assert await office.kinds(one) == ["asked", "answered", "proposed", "answered", "kept"]


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no chromium at {CHROMIUM}")
@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
async def test_owner_writes_a_reason_and_chooses_a_day_on_the_page_of_teams(
    office: Office, asked: Asked, width: int
) -> None:
    one, day = asked.agents[f"on-{width}"], f"{datetime.now(UTC) + timedelta(days=40):%Y-%m-%d}"
    await office.asked(one)
    async with office.page(one.sponsor, width) as page:
        card = page.get_by_role("article").filter(has_text=one.agent.name)

        await card.get_by_role("textbox", name="Reason").fill("needed in December")
        await card.locator('input[type="date"]').fill(day)
        await card.get_by_role("button", name="Keep").click()

        await expect(card).to_contain_text("The wish to keep it waits")
        await expect(card).to_contain_text(day)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_next_report_shows_what_was_accepted_and_until_when_and_asks_nobody_twice(
    office: Office, asked: Asked
) -> None:
    one, day = asked.agents["excepted"], f"{datetime.now(UTC) + timedelta(days=20):%Y-%m-%d}"
    before = await office.findings("G3", one.agent.id)
    await office.click(await office.asked(one), one.sponsor, "keep", reason="audit", until=day)
    await office.click(await office.wish(one, cast.ROOT), cast.ROOT, "accept")
    messages = await office.messages()

    await office.report()

    after = await office.findings("G3", one.agent.id)
    assert [(row["standing"], row["exempt_until"]) for row in before] == [("open", "")]
    assert [(row["standing"], row["exempt_until"]) for row in after] == [("accepted", day)]
    (place, headline), *others = (await office.messages() - messages).elements()
    assert (place, others) == (SECURITY_CHANNEL, [])
    assert headline.startswith(DIGEST)


async def test_owner_who_may_accept_risks_cannot_accept_their_own(office: Office, asked: Asked) -> None:
    one = asked.of_an_approver
    await office.click(await office.asked(one), cast.ROOT, "keep", reason="mine")
    wish = await office.wish(one, cast.ROOT)

    by_its_owner = await office.click(wish, cast.ROOT, "accept")
    on_record = await office.kinds(one)
    by_somebody_else = await office.click(wish, cast.ADA, "accept")

    assert by_its_owner == sentence("approver-is-owner")
    assert on_record == ["asked", "answered", "proposed"]
    assert by_somebody_else.startswith("Kept for a while")


async def test_wish_that_is_refused_asks_the_owner_again_and_says_why(office: Office, asked: Asked) -> None:
    one = asked.agents["refused"]
    await office.click(await office.asked(one), one.sponsor, "keep", reason="who knows")
    wish = await office.wish(one, cast.ROOT)

    without_reason = await office.click(wish, cast.ROOT, "refuse")
    await office.click(wish, cast.ROOT, "refuse", reason="nobody has opened it in a year")

    assert without_reason == sentence("reason-missing")
    again = await office.asked(one)
    assert "nobody has opened it in a year" in again.words
    assert again.offers("shrink")
    assert await office.kinds(one) == ["asked", "answered", "proposed", "answered", "asked"]


async def test_unused_group_goes_at_the_gateway_and_nothing_else_does(office: Office, asked: Asked) -> None:
    one, streams, in_entra = asked.agents["shrunk"], await office.streams(), (True, [asked.agents["shrunk"].agent.id])

    card = await office.click(await office.asked(one), one.sponsor, "shrink")

    assert card.startswith("Unused access is gone")
    assert f"DELETE /groups/{one.unused.id}/members/{one.agent.id}/$ref" in card
    assert await office.groups(one) == [one.used.id]
    assert await office.writes(one) == 1
    assert await office.streams() == streams
    assert (one.agent.id, one.used.name) in streams
    assert await office.in_entra(one) == in_entra
    assert await office.kinds(one) == ["asked", "answered", "shrunk"]


async def test_identity_that_is_to_retire_is_left_alone_and_its_calls_are_shown_to_everybody(
    office: Office, asked: Asked
) -> None:
    one = asked.agents["retired"]

    await office.click(await office.asked(one), one.sponsor, "retire")

    for place, person in ((chat_id(one.sponsor.id), one.sponsor), (SECURITY_CHANNEL, cast.ADA)):
        words = (await office.shown(place, person, one, "It is being retired")).words
        switch = f"PATCH /servicePrincipals/{one.agent.id}"
        calls = [f'{switch} {{"accountEnabled": false}}', f'{switch} {{"accountEnabled": true}}', "DELETE", "POST"]
        assert [words.find(call) for call in calls] == sorted(words.find(call) for call in calls)
        assert all(call in words for call in calls)
    assert await office.groups(one) == [one.used.id, one.unused.id]
    assert await office.in_entra(one) == (True, [one.agent.id])


async def test_rotation_is_told_once_to_owners_and_to_the_channel(office: Office, asked: Asked) -> None:
    await office.rotation()
    messages, lists = await office.messages(), await office.headed(SECURITY_CHANNEL, cast.ADA, ROTATION)

    await office.rotation()

    assert len(lists) == 1
    assert await office.told_of_rotation() > 1
    assert await office.messages() == messages


@pytest.mark.timeout(400)
async def test_shrink_and_announcement_of_an_app_that_was_killed_are_finished_once(
    office: Office, asked: Asked
) -> None:
    one, digests = asked.agents["dying"], len(await office.headed(SECURITY_CHANNEL, cast.ADA, DIGEST))
    streams, card = await office.streams(), await office.asked(one)
    await office.at_gateway(latencyMs=300)
    click = asyncio.create_task(office.click(card, one.sponsor, "shrink"))
    await until(lambda: is_written(office, one), WITHIN, look_again=0.01)
    await office.kill_and_start_the_app()
    await office.at_gateway(latencyMs=0)
    new = await forget_access(office.sandbox, [f"new-{number}" for number in range(6)], asked.sponsor)
    streams += [(each.agent.id, each.used.name) for each in new]
    await meet(office.sandbox)
    # Teams takes nothing yet: of a post that is on its way when the app dies, nobody could tell whether it arrived.
    await office.at_teams(status={"code": 429, "retryAfter": 1})
    await office.ask_for_report()
    await until(office.is_announcing, TO_REPORT, look_again=0.005)
    await office.kill_and_start_the_app()
    await office.at_teams()

    await office.is_announced(digests + 1, AFTER_A_CRASH)
    await until(lambda: is_finished(office, one), AFTER_A_CRASH, look_again=2)

    assert await office.writes(one) == 1
    assert await office.groups(one) == [one.used.id]
    assert await office.streams() == sorted(streams)
    on_record = await office.kinds(one)
    assert on_record[:2] + on_record[-1:] == ["asked", "answered", "shrunk"]
    assert set(on_record[2:-1]) == {"resumed"}
    await office.shown(chat_id(one.sponsor.id), one.sponsor, one, "Unused access is gone")
    assert len(await office.headed(SECURITY_CHANNEL, cast.ADA, DIGEST)) == digests + 1
    assert [await office.places(each) for each in new] == [{chat_id(asked.sponsor.id): 1}] * len(new)
    await click


async def is_written(office: Office, one: Forgotten) -> bool:
    return await office.writes(one) > 0


async def is_finished(office: Office, one: Forgotten) -> bool:
    """Whether the clock has carried out what was clicked; it ticks every hour, and here at once."""
    await office.sandbox.run_function("remind_owners")
    return "shrunk" in await office.kinds(one)
