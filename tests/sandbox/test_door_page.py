"""The page in a real browser: what it shows, what its buttons do, and that nothing on it is taken for markup."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from sandbox import cast
from tests.sandbox.door_under_test import CHROMIUM, HOSTILE_NAME, Door, end, running_door

ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no chromium at {CHROMIUM}")


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Door]:
    async with running_door() as door:
        yield door


@pytest.fixture
async def door(process: Door) -> Door:
    await process.begin()
    return process


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
async def opened(browser: Browser, door: Door, width: int = 1280, height: int = 800) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(15_000)
    await page.goto(door.url)
    await page.wait_for_selector("body[data-ready]")
    yield page
    await page.close()


@pytest.fixture
async def page(browser: Browser, door: Door) -> AsyncIterator[Page]:
    """The page; the test fails when it logged an error, threw one, or opened a dialog."""
    wrong: list[str] = []
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(15_000)
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    await page.goto(door.url)
    await page.wait_for_selector("body[data-ready]")
    yield page
    await page.close()
    assert wrong == []


def card(page: Page, column: str, name: str) -> Locator:
    return page.get_by_role("region", name=column).get_by_role("listitem", name=name, exact=True)


def directory(page: Page, name: str) -> Locator:
    return card(page, "Directory", name)


def identity(page: Page, name: str) -> Locator:
    return card(page, "Gateway identities", name)


def row(page: Page, title: str) -> Locator:
    return page.get_by_role("list", name="Timeline, newest first").get_by_role("listitem").filter(has_text=title)


async def test_cast_is_shown_on_both_sides(page: Page) -> None:
    for person in cast.PEOPLE:
        await expect(directory(page, person.name)).to_be_visible()
        await expect(identity(page, person.name)).to_be_visible()
    for agent in (cast.SYNC_AGENT, cast.LEDGER_AGENT, cast.REPORT_BOT):
        await expect(directory(page, agent.name)).to_be_attached()
        await expect(identity(page, agent.name)).to_be_attached()
    for group in cast.GROUPS:
        await expect(
            page.get_by_role("region", name="Groups", exact=True).get_by_text(group.name).first
        ).to_be_attached()
    await expect(directory(page, "Root")).to_contain_text("Break-glass")


async def test_gateway_group_named_by_object_id_is_shown_by_its_entra_name(page: Page) -> None:
    held = page.get_by_role("group", name=f"Groups of {cast.GRACE.name} at the gateway")

    await expect(held).to_have_text("platform")


async def test_removing_a_member_changes_entra_and_adding_brings_it_back(page: Page, door: Door) -> None:
    membership = page.get_by_role("button", name="Ada Byron in on-call")

    await membership.click()
    await expect(membership).to_have_attribute("aria-pressed", "false")
    without = await door.members_of(cast.ON_CALL_ID)
    await membership.click()
    await expect(membership).to_have_attribute("aria-pressed", "true")
    again = await door.members_of(cast.ON_CALL_ID)

    assert cast.ADA.id not in without
    assert cast.ADA.id in again


async def test_row_pulses_until_the_gateway_shows_the_effect_then_closes_with_its_latency(
    page: Page, door: Door
) -> None:
    session = await door.connects(cast.ADA, "payments-db")
    await page.get_by_role("button", name="Ada Byron in on-call").click()
    removed = row(page, "Ada Byron removed from on-call")
    await expect(removed).to_have_attribute("data-state", "open")
    pulse = await removed.locator(".mark").evaluate("element => getComputedStyle(element).animationName")

    await door.takes_groups(cast.ADA, cast.PLATFORM_ID)
    await door.kills(session)

    await expect(removed).to_have_attribute("data-state", "done")
    await expect(removed).to_contain_text("1 session ended, group on-call taken")
    await expect(removed.locator(".took")).to_have_text(re.compile(r"^\d+ ms$"))
    assert pulse == "pulse"
    await expect(page.get_by_label("Latency of revocations").locator("dd").first).to_have_text("1")


async def test_hostile_display_name_is_text_in_every_column(page: Page, door: Door) -> None:
    await directory(page, HOSTILE_NAME).get_by_role("button", name="Disable").click()

    await expect(row(page, f"{HOSTILE_NAME} disabled")).to_be_visible()
    await expect(directory(page, HOSTILE_NAME)).to_contain_text("Disabled")
    await expect(identity(page, HOSTILE_NAME)).to_be_attached()
    assert await page.locator("main img, main script").count() == 0


async def test_principal_is_disabled_enabled_deleted_and_restored(page: Page, door: Door) -> None:
    grace, states = directory(page, "Grace Hopper"), []

    await grace.get_by_role("button", name="Disable").click()
    await expect(grace).to_contain_text("Disabled")
    states.append(await door.is_enabled("users", cast.GRACE.id))
    await grace.get_by_role("button", name="Enable").click()
    await expect(grace.get_by_role("button", name="Disable")).to_be_visible()
    states.append(await door.is_enabled("users", cast.GRACE.id))
    await grace.get_by_role("button", name="Delete").click()
    await expect(grace).to_contain_text("Deleted")
    states.append(await door.exists("users", cast.GRACE.id))
    await grace.get_by_role("button", name="Restore").click()
    await expect(grace.get_by_role("button", name="Delete")).to_be_visible()
    states.append(await door.exists("users", cast.GRACE.id))

    assert states == [False, True, False, True]


async def test_agent_and_its_blueprint_are_disabled_from_the_page(page: Page, door: Door) -> None:
    await directory(page, "ledger-agent").get_by_role("button", name="Disable").click()
    await directory(page, "ledger-blueprint").get_by_role("button", name="Disable").click()

    await expect(row(page, "ledger-blueprint disabled")).to_be_visible()
    await expect(row(page, "ledger-agent disabled")).to_be_visible()
    assert not await door.is_enabled("servicePrincipals", cast.LEDGER_AGENT.id)


async def test_session_is_opened_and_shown_as_a_live_chip(page: Page, door: Door) -> None:
    await page.get_by_role("button", name="Open session to orders-db as Ada Byron").click()

    await expect(page.get_by_role("group", name="Sessions of Ada Byron")).to_contain_text("orders-db")
    assert await door.streams() == [(cast.ADA.subject, "orders-db")]
    await expect(page.get_by_role("button", name="Open session to ledger-db as Ada Byron")).to_have_count(0)


async def test_restore_is_shown_with_how_long_it_took(page: Page, door: Door) -> None:
    grace = directory(page, "Grace Hopper")
    await grace.get_by_role("button", name="Disable").click()
    await expect(row(page, "Grace Hopper disabled")).to_be_visible()
    await door.closes(cast.GRACE)
    await expect(row(page, "Grace Hopper disabled")).to_have_attribute("data-state", "done")

    await grace.get_by_role("button", name="Enable").click()
    await expect(row(page, "Grace Hopper enabled again")).to_have_attribute("data-state", "open")
    await door.takes_groups(cast.GRACE, cast.PLATFORM_ID)

    await expect(row(page, "Grace Hopper enabled again")).to_contain_text("back after")
    await expect(row(page, "Grace Hopper enabled again")).to_contain_text("group platform given back")


async def test_switches_reach_the_servers_and_are_named_among_the_failures(page: Page, door: Door) -> None:
    for name in ("Lose the next notification", "Gateway down"):
        await page.get_by_role("switch", name=name).click()
        await expect(page.get_by_role("switch", name=name)).to_have_attribute("aria-checked", "true")

    await expect(page.get_by_role("status")).to_contain_text("Switched on: the gateway is down.")
    await expect(page.get_by_role("status")).to_contain_text("Switched on: Graph loses the next notification.")
    assert (await door.graph.get("/sandbox/switches")).json()["drop"] == 1
    assert (await door.gateway.get("/sandbox/switches")).json()["down"] is True


async def test_missing_app_and_broker_are_said_in_plain_words(page: Page) -> None:
    await expect(page.get_by_role("status")).to_contain_text("The app is down: nothing is revoked until it runs.")
    await expect(page.get_by_role("status")).to_contain_text("The message broker does not answer")
    await expect(page.get_by_role("list", name="Status")).to_contain_text("app down")


async def test_buttons_work_from_the_keyboard_and_keep_the_focus(page: Page, door: Door) -> None:
    button = directory(page, "Grace Hopper").get_by_role("button").first
    await button.focus()

    await page.keyboard.press("Enter")
    await expect(directory(page, "Grace Hopper")).to_contain_text("Disabled")

    assert await page.evaluate("document.activeElement.getAttribute('aria-label')") == "Enable Grace Hopper"
    assert not await door.is_enabled("users", cast.GRACE.id)


async def test_every_control_has_a_name_and_nothing_comes_from_elsewhere(page: Page, door: Door) -> None:
    unnamed = await page.locator("button").evaluate_all(
        "buttons => buttons.filter(one => !(one.getAttribute('aria-label') || one.textContent.trim())).length"
    )
    sources = await page.evaluate("performance.getEntriesByType('resource').map(one => new URL(one.name).origin)")

    assert unnamed == 0
    assert set(sources) == {door.url}


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
async def test_page_fits_a_laptop_and_a_phone_without_sideways_scrolling(
    browser: Browser, door: Door, width: int, height: int
) -> None:
    async with opened(browser, door, width, height) as page:
        content = await page.evaluate("document.documentElement.scrollWidth")

        await expect(page.get_by_role("heading", name="Timeline")).to_be_in_viewport()

    assert content == width


async def test_dead_stand_in_is_named_and_the_page_recovers_when_it_is_back(browser: Browser, door: Door) -> None:
    async with opened(browser, door) as page:
        end(door.processes["gateway"])
        await expect(page.get_by_role("status")).to_contain_text("The gateway does not answer at http://127.0.0.1:")
        await page.get_by_role("button", name="Open session to orders-db as Ada Byron").click()
        await expect(page.locator(".refused")).to_contain_text("The gateway does not answer")
        await page.get_by_role("button", name="Dismiss").click()

        door.start_again("gateway")
        await door.begin()

        await expect(page.get_by_role("status")).not_to_contain_text("The gateway does not answer")
        await expect(identity(page, "Ada Byron")).to_be_visible()
