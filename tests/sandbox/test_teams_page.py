"""The page of the Teams stand-in in a real browser: what each person sees, what a click does, what nothing can do."""

import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright, expect
from starlette.responses import JSONResponse, Response

from sandbox import cast
from sandbox.teams.page.routes import LIBRARIES
from sandbox.teams.world import APPROVALS_CHANNEL, SECURITY_CHANNEL
from tests.sandbox.door_under_test import CHROMIUM
from tests.sandbox.teams_under_test import (
    Bot,
    Json,
    Teams,
    card,
    refreshing,
    replaced_by,
    running_bot,
    running_teams,
    told,
    with_card,
)

ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LAPTOP, PHONE = (1280, 800), (390, 844)
pytestmark = [
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no chromium at {CHROMIUM}"),
    pytest.mark.skipif(not all(file.exists() for file in LIBRARIES.values()), reason="npm packages are not installed"),
]
REASON: Json = {
    "type": "Input.Text",
    "id": "reason",
    "label": "Reason",
    "isRequired": True,
    "errorMessage": "Say why.",
    "isMultiline": True,
}


@pytest.fixture(scope="module")
def running() -> Iterator[Bot]:
    with running_bot() as bot:
        yield bot


@pytest.fixture(scope="module")
async def process(running: Bot) -> AsyncIterator[Teams]:
    async with running_teams(running.url) as teams:
        yield teams


@pytest.fixture
async def teams(process: Teams) -> Teams:
    await process.begin()
    return process


@pytest.fixture
async def bot(running: Bot, teams: Teams) -> Bot:
    running.begin()
    return running


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """Time for a machine that is busy with other tests; what comes sooner is not waited for."""
    expect.set_options(timeout=15_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(
    browser: Browser, teams: Teams, path: str = "/", size: tuple[int, int] = LAPTOP, wrong: list[str] | None = None
) -> AsyncIterator[Page]:
    """The page as somebody new to it; fails when it logged an error, threw one, or opened a dialog of the browser."""
    wrong = [] if wrong is None else wrong
    page = await browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_default_timeout(15_000)
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    await page.goto(teams.url + path)
    await page.wait_for_selector("body[data-ready]")
    yield page
    await page.close()
    assert wrong == []


@pytest.fixture
async def page(browser: Browser, teams: Teams) -> AsyncIterator[Page]:
    async with opened(browser, teams) as page:
        yield page


def as_person(person: cast.Person, place: str = APPROVALS_CHANNEL) -> str:
    return "/#" + urlencode({"as": person.id, "in": place})


def messages(page: Page) -> Locator:
    return page.get_by_role("region", name="Messages in")


async def answered(page: Page) -> None:
    await expect(page.locator(".card-note").get_by_text("Sending")).to_have_count(0)
    await expect(page.locator('.card-box[aria-busy="true"]')).to_have_count(0)


async def test_empty_channel_says_how_to_get_a_card_and_where(page: Page) -> None:
    await expect(messages(page)).to_contain_text("No card yet")
    await expect(messages(page).get_by_role("link")).to_have_attribute("href", re.compile(r"^http://127\.0\.0\.1:\d+$"))


async def test_card_appears_by_itself_and_other_channels_count_what_is_unread(page: Page, teams: Teams) -> None:
    await teams.thread(with_card(card("One asks", "approve")))
    await teams.thread(with_card(card("Two asks")), SECURITY_CHANNEL)

    await expect(messages(page)).to_contain_text("One asks")
    await expect(page.get_by_role("link", name="security")).to_contain_text("1")
    await page.get_by_role("link", name="security").click()
    await expect(messages(page)).to_contain_text("Two asks")
    await expect(page.get_by_role("link", name="security")).not_to_contain_text("1")


async def test_click_sends_verb_token_and_what_was_typed_as_the_person_chosen(
    page: Page, teams: Teams, bot: Bot
) -> None:
    await teams.thread(with_card(card("Asks", "approve", "deny", body=[REASON])))
    await page.get_by_label("You are").select_option("Grace Hopper")

    await page.get_by_label("Reason").fill("known change")
    await page.get_by_role("button", name="Deny").click()
    await answered(page)

    [invoke] = [one for one in bot.received if one["type"] == "invoke"]
    assert invoke["from"]["aadObjectId"] == cast.GRACE.id
    assert invoke["value"]["action"]["verb"] == "deny"
    assert invoke["value"]["action"]["data"] == {"token": "t-1", "reason": "known change"}


async def test_secondary_button_is_found_behind_the_dots_and_sends_its_verb(page: Page, teams: Teams, bot: Bot) -> None:
    asking = card("Asks", "approve", "break-glass")
    asking["actions"][1]["mode"] = "secondary"
    await teams.thread(with_card(asking))

    await page.locator(".card-box button", has_text="...").click()
    await page.get_by_role("menuitem", name="Break-Glass").click()
    await expect(page.locator("#toasts")).to_contain_text("noted")

    [invoke] = [one for one in bot.received if one["type"] == "invoke"]
    assert invoke["value"]["action"]["verb"] == "break-glass"


async def test_required_input_holds_the_click_back_and_says_why(page: Page, teams: Teams, bot: Bot) -> None:
    await teams.thread(with_card(card("Asks", "deny", body=[REASON])))

    await page.get_by_role("button", name="Deny").click()

    await expect(messages(page)).to_contain_text("Say why.")
    await expect(page.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    assert [one for one in bot.received if one["type"] == "invoke"] == []


async def test_buttons_wait_while_a_click_is_answered_and_a_second_one_is_not_sent(
    page: Page, teams: Teams, bot: Bot
) -> None:
    await teams.thread(with_card(card("Asks", "approve", "deny")))
    may_answer = threading.Event()

    def slowly(_: Json) -> Response:
        may_answer.wait(10)
        return told("Noted, slowly.")

    bot.answers.append(slowly)
    await page.get_by_role("button", name="Approve").click()
    await expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    await expect(page.get_by_role("button", name="Deny")).to_be_disabled()
    may_answer.set()

    await expect(page.get_by_role("button", name="Deny")).to_be_enabled()
    await expect(page.locator("#toasts")).to_contain_text("Noted, slowly.")
    assert len([one for one in bot.received if one["type"] == "invoke"]) == 1


async def test_returned_card_is_seen_by_one_person_until_an_update_shows_everybody_the_same(
    browser: Browser, page: Page, teams: Teams, bot: Bot
) -> None:
    where = await teams.thread(with_card(card("Asks", "approve")))
    bot.answers.append(lambda _: replaced_by(card("You voted")))

    async with opened(browser, teams, as_person(cast.GRACE)) as other:
        await page.get_by_role("button", name="Approve").click()
        await expect(messages(page)).to_contain_text("You voted")
        await expect(messages(page).get_by_text("Only you see this version")).to_be_visible()
        await expect(messages(other)).to_contain_text("Asks")
        await teams.update(where, card("Decided"))

        for one in (page, other):
            await expect(messages(one)).to_contain_text("Decided")
            await expect(messages(one).get_by_text("Edited")).to_be_visible()
            await expect(messages(one).get_by_text("Only you see")).to_be_hidden()


async def test_typing_and_focus_survive_new_messages_and_a_new_version_of_the_card(page: Page, teams: Teams) -> None:
    where = await teams.thread(with_card(card("First", "deny", body=[REASON])))
    reason = page.get_by_label("Reason")
    await reason.fill("half a sen")

    await teams.thread(with_card(card("Another")))
    await expect(messages(page)).to_contain_text("Another")
    await page.keyboard.type("ten")
    await teams.update(where, card("Second", "deny", body=[REASON, {"type": "TextBlock", "text": "One vote"}]))
    await expect(messages(page)).to_contain_text("One vote")
    await page.keyboard.type("ce")

    await expect(reason).to_be_focused()
    await expect(reason).to_have_value("half a sentence")


async def test_typing_of_one_person_is_not_shown_to_the_next(page: Page, teams: Teams) -> None:
    await teams.thread(with_card(card("Asks", "deny", body=[REASON])))
    await page.get_by_label("Reason").fill("Ada's")
    await page.get_by_role("textbox", name="Message").fill("Ada's draft")

    await page.get_by_label("You are").select_option("Grace Hopper")

    await expect(page.get_by_label("Reason")).to_have_value("")
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Response("boom", 500), "Tether failed (500)"),
        (Response("no", 401), "it did not trust the sender"),
        (
            JSONResponse(
                {
                    "statusCode": 400,
                    "type": "application/vnd.microsoft.error",
                    "value": {"code": "x-1", "message": "Bad."},
                }
            ),
            "Bad. (x-1) Nothing changed here: try again",
        ),
        (JSONResponse({}), "Something went wrong. Please try again. (ClientError)"),
    ],
)
async def test_failed_click_says_what_to_do_next_and_leaves_the_buttons(
    browser: Browser, teams: Teams, bot: Bot, answer: Response, said: str
) -> None:
    await teams.thread(with_card(card("Asks", "approve")))
    await teams.switched(noRetry=True)
    bot.answers.append(lambda _: answer)

    async with opened(browser, teams) as page:
        await page.get_by_role("button", name="Approve").click()

        await expect(page.locator(".card-note.trouble")).to_contain_text(said)
        await expect(page.get_by_role("button", name="Approve")).to_be_enabled()


async def test_opening_a_conversation_refreshes_its_cards_for_the_one_who_opens_it(
    browser: Browser, teams: Teams, bot: Bot
) -> None:
    await teams.thread(with_card(card("Plain", refresh=refreshing(None))))
    bot.answers.append(lambda _: replaced_by(card("Fresh", refresh=refreshing(None))))

    async with opened(browser, teams, as_person(cast.ALAN)) as page:
        await expect(messages(page)).to_contain_text("Fresh")

    [invoke] = [one for one in bot.received if one["type"] == "invoke"]
    assert (invoke["value"]["trigger"], invoke["from"]["aadObjectId"]) == ("automatic", cast.ALAN.id)


async def test_card_that_refreshes_for_nobody_is_refreshed_by_hand(page: Page, teams: Teams, bot: Bot) -> None:
    await teams.thread(with_card(card("Plain", refresh=refreshing())))
    bot.answers.append(lambda _: replaced_by(card("Fresh")))

    await page.get_by_role("button", name="Refresh card").click()

    await expect(messages(page)).to_contain_text("Fresh")
    [invoke] = [one for one in bot.received if one["type"] == "invoke"]
    assert invoke["value"]["action"]["data"] == {"token": "t-1"}


async def test_replies_stand_below_their_post_and_mentions_only_where_declared(page: Page, teams: Teams) -> None:
    conversation, _ = await teams.thread(with_card(card("Asks")))
    entity = {"type": "mention", "text": "<at>Ada Byron</at>", "mentioned": {"id": "29:1", "name": "Ada Byron"}}
    text = "<at>Ada Byron</at>, and <at>Mallory</at>: **decide**"
    await teams.bot(
        "POST", f"/conversations/{conversation}/activities", {"type": "message", "text": text, "entities": [entity]}
    )

    reply = page.get_by_role("list", name="Replies").get_by_role("article")

    await expect(reply).to_contain_text("Ada Byron, and <at>Mallory</at>: decide")
    await expect(reply.locator(".mention")).to_have_text(["Ada Byron"])


async def test_link_is_shown_in_full_before_it_opens_and_script_is_never_a_link(page: Page, teams: Teams) -> None:
    hostile = "[good](https://contoso.example/path) [bad](javascript:alert(1)) <img src=x onerror=alert(1)> ![i](https://e.example/i.png)"
    action = {"type": "Action.OpenUrl", "title": "Run", "url": "javascript:alert(2)"}
    block = {"type": "TextBlock", "text": hostile, "wrap": True}
    await teams.thread(with_card(card("Asks", body=[block], actions=[action])))

    await messages(page).get_by_role("link", name="good").click()
    await expect(page.get_by_role("dialog")).to_contain_text("https://contoso.example/path")
    await page.get_by_role("button", name="Stay here").click()
    await messages(page).get_by_role("link", name="Run").click()

    await expect(page.get_by_role("dialog")).to_contain_text("not a web or mail address")
    await expect(page.get_by_role("link", name="Open in a new tab")).to_be_hidden()
    assert await messages(page).locator("img, script, a[href^='javascript']").count() == 0
    assert len(page.context.pages) == 1


async def test_personal_chat_is_another_for_each_person_and_says_who_has_something_new(
    page: Page, teams: Teams
) -> None:
    chat = (await teams.chat(cast.GRACE.id)).json()["id"]
    await teams.bot("POST", f"/conversations/{chat}/activities", with_card(card("Your request waits")))
    person = page.get_by_label("You are")
    await expect(person.locator("option", has_text="Grace Hopper")).to_have_text("Grace Hopper · 1 new")

    await person.select_option(cast.GRACE.id)
    await page.get_by_role("link", name="Tether").click()
    await expect(messages(page)).to_contain_text("Your request waits")
    await person.select_option(cast.ADA.id)

    await expect(messages(page)).to_contain_text("Tether has not written to you")


async def test_message_is_sent_with_enter_and_mentions_the_bot_in_a_channel(page: Page, teams: Teams, bot: Bot) -> None:
    await page.get_by_role("textbox", name="Message").fill("hello")

    await page.get_by_role("textbox", name="Message").press("Enter")

    await expect(messages(page)).to_contain_text("Tether hello")
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("")
    assert [one["text"] for one in bot.received if one["type"] == "message"] == ["<at>Tether</at> hello"]


async def test_place_without_the_app_offers_to_install_it(page: Page, teams: Teams) -> None:
    await teams.done("POST", "/install", {"channel": APPROVALS_CHANNEL, "installed": False})

    await page.get_by_role("button", name="Install Tether here").click()

    await expect(messages(page)).to_contain_text("No card yet")
    [team] = (await teams.done("GET", "/snapshot"))["teams"]
    assert all(channel["installed"] for channel in team["channels"])


async def test_stopped_deliveries_are_said_and_started_again(page: Page, teams: Teams, bot: Bot) -> None:
    bot.answers.extend(5 * [lambda _: Response(status_code=500)])
    for _ in range(5):
        await teams.done("POST", "/send", {"person": cast.ADA.id, "text": "hello"})

    await expect(page.locator("#troubles")).to_contain_text("failed five times in a row")
    await page.get_by_role("button", name="Deliver again").click()

    await expect(page.locator("#troubles")).to_be_hidden()
    assert not (await teams.done("GET", "/snapshot"))["deliveries"]["stopped"]


async def test_card_is_decided_with_the_keyboard_alone(page: Page, teams: Teams, bot: Bot) -> None:
    await teams.thread(with_card(card("Asks", "approve")))
    await page.get_by_role("button", name="Approve").focus()

    await page.keyboard.press("Enter")
    await expect(page.locator("#toasts")).to_contain_text("noted")
    await answered(page)

    await expect(page.get_by_role("button", name="Approve")).to_be_focused()


async def test_lost_server_is_said_and_the_page_goes_on_when_it_is_back(browser: Browser, teams: Teams) -> None:
    wrong: list[str] = []
    async with opened(browser, teams, wrong=wrong) as page:
        await page.context.set_offline(True)
        await expect(page.locator("#troubles")).to_contain_text("Is `make run` still running?")
        await page.context.set_offline(False)
        await teams.thread(with_card(card("Asks")))

        await expect(messages(page)).to_contain_text("Asks")
        await expect(page.locator("#troubles")).to_be_hidden()
        assert all("ERR_INTERNET_DISCONNECTED" in line for line in wrong)
        wrong.clear()


async def test_everything_comes_from_one_origin_under_a_strict_policy(page: Page, teams: Teams) -> None:
    sources = await page.evaluate("performance.getEntriesByType('resource').map(one => new URL(one.name).origin)")
    answers = [await teams.client.get(path) for path in ("/", "/card-frame", "/page/app.js", "/page/host_config.json")]

    policies = [answer.headers["content-security-policy"] for answer in answers]
    assert set(sources) == {teams.url}
    assert all("default-src 'none'; script-src 'self'; style-src 'self';" in policy for policy in policies)
    assert (await teams.client.get("/page/../routes.py")).status_code == 404


async def test_phone_shows_the_list_then_the_conversation_and_back(browser: Browser, teams: Teams) -> None:
    await teams.thread(with_card(card("Asks", "approve", "deny", body=[REASON])))

    async with opened(browser, teams, size=PHONE) as page:
        await expect(page.get_by_role("link", name="approvals")).to_contain_text("1")
        await page.get_by_role("link", name="approvals").click()
        await expect(page.get_by_role("button", name="Deny")).to_be_in_viewport()
        width = await page.evaluate("document.documentElement.scrollWidth")
        await page.get_by_role("button", name="All conversations").click()

        await expect(page.get_by_role("link", name="approvals")).to_be_in_viewport()

    assert width == PHONE[0]


async def test_every_control_has_a_name(page: Page, teams: Teams) -> None:
    await teams.thread(with_card(card("Asks", "approve", body=[REASON])))
    await expect(messages(page)).to_contain_text("Reason")

    unnamed = await page.locator("button:visible, select, textarea:visible").evaluate_all(
        "all => all.filter(one => !(one.textContent.trim() || one.ariaLabel || one.labels?.length))"
        ".filter(one => !one.getAttribute('aria-labelledby')).map(one => one.outerHTML)"
    )

    assert unnamed == []


async def test_frame_tells_what_the_renderer_minds_and_which_buttons_acted(browser: Browser, teams: Teams) -> None:
    good = card("Asks", "approve", "done", body=[REASON])
    good["actions"][1]["associatedInputs"] = "none"
    bad = card("Asks", body=[{"type": "CodeBlock"}], version="1.9", actions=[{"type": "Action.Nope", "title": "x"}])

    async with opened(browser, teams, "/card-frame?theme=dark") as page:
        clean = await page.evaluate("card => window.renderCard(card)", good)
        await page.get_by_role("button", name="Approve").click()
        await page.wait_for_function("window.events.length === 1")
        refused = await page.evaluate("window.events")
        await page.get_by_role("button", name="Done").click()
        actions = await page.evaluate("window.actions")
        minded = await page.evaluate("card => window.renderCard(card).events", bad)

    assert (clean["events"], clean["text"].split()) == ([], ["Reason", "*", "Approve", "Done"])
    assert refused == [{"phase": "input", "event": "Invalid", "message": "reason: Say why."}]
    assert actions == [
        {"type": "Action.Execute", "title": "Done", "verb": "done", "data": {"token": "t-1"}, "inputs": {}}
    ]
    assert [(one["phase"], one["event"]) for one in minded] == [
        ("parse", "UnknownElementType"),
        ("parse", "UnknownActionType"),
        ("validate", "UnsupportedCardVersion"),
        ("teams", "Version"),
    ]
