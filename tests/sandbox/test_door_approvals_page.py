"""Asking for access in a real browser: on a laptop and on a phone, by mouse and by keyboard."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from sandbox import cast
from tests.sandbox.door_under_test import CHROMIUM, Door, running_door

ARGUMENTS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]
pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no chromium at {CHROMIUM}")


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Door]:
    async with running_door("teams") as door:
        yield door


@pytest.fixture
async def door(process: Door) -> Door:
    (await process.teams.post("/sandbox/reset")).raise_for_status()
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


@pytest.fixture(params=[(1280, 800), (390, 844)], ids=["laptop", "phone"])
async def page(request: pytest.FixtureRequest, browser: Browser, door: Door) -> AsyncIterator[Page]:
    """The page; the test fails when it logged an error, threw one, or scrolls sideways."""
    width, height = request.param
    wrong: list[str] = []
    page = await browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(15_000)
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    await page.goto(door.url)
    await page.wait_for_selector("body[data-ready]")
    yield page
    content = await page.evaluate("document.documentElement.scrollWidth")
    await page.close()
    assert wrong == []
    assert content == width


def pending(page: Page) -> Locator:
    return page.get_by_role("list", name="Requests that wait for approval").get_by_role("listitem")


def requests(page: Page) -> Locator:
    return page.locator("#timeline .request")


async def test_suggested_request_is_asked_with_one_click_and_listed_until_it_is_answered(
    page: Page, door: Door
) -> None:
    await page.get_by_role("button", name="Grace Hopper asks for vault-db").click()

    await expect(pending(page)).to_contain_text("Alan Turing (dba-approvers) and Ada Byron or Root")
    await expect(requests(page)).to_have_attribute("data-state", "open")
    [review] = (await door.gateway.get("/api/reviews")).json()
    await door.gateway.put(f"/api/reviews/{review['id']}", json={"status": "REJECTED", "rejection_reason": "no"})
    await expect(pending(page)).to_have_count(0)
    await expect(requests(page)).to_have_attribute("data-state", "denied")


async def test_anybody_who_reaches_a_connection_may_be_chosen_to_run_a_command(page: Page, door: Door) -> None:
    await page.get_by_text("Ask as somebody else").click()
    await page.get_by_label("asks for").select_option(cast.VAULT_DB)
    await page.get_by_label("Who").select_option(cast.ADA.subject)
    await page.get_by_label("to run").fill("select 1")

    await page.keyboard.press("Enter")

    await expect(pending(page)).to_contain_text("Ada Byron asked to run a command on vault-db")
    assert (await door.gateway.get("/api/sessions")).json()["data"][0]["script"] == {"data": "select 1"}


async def test_choice_and_text_survive_what_happens_meanwhile(page: Page, door: Door) -> None:
    await page.get_by_text("Ask as somebody else").click()
    await page.get_by_label("Who").select_option(cast.GRACE.subject)
    await page.get_by_label("to run").fill("select 1")

    await door.closes(cast.ALAN)
    await door.connects(cast.ADA, "orders-db")
    await expect(page.get_by_role("group", name="Sessions of Ada Byron")).to_contain_text("orders-db")

    await expect(page.get_by_label("Who")).to_have_value(cast.GRACE.subject)
    await expect(page.get_by_label("to run")).to_have_value("select 1")


async def test_teams_is_one_link_away_and_opens_in_a_tab_of_its_own(page: Page, door: Door) -> None:
    link = page.get_by_role("link", name="Open Teams")

    await expect(link).to_have_attribute("href", f"{door.teams.base_url}/")
    await expect(link).to_have_attribute("target", "_blank")
