"""A report from the front page to its reader: made, counted, opened by whom it is for, and by nobody else."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from sandbox import cast
from sandbox.seed import create_group, create_user
from sandbox.supervisor import Sandbox
from sandbox.supervisor.ports import variable
from sandbox.tenant import DEFAULT_PORTS
from tests.sandbox.door_under_test import CHROMIUM, end

ROOT = Path(__file__).parents[2]
PATIENCE_MS = 60_000
READER_ID = cast.object_id(0x2F1)
pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no chromium at {CHROMIUM}")


@pytest.fixture(scope="module")
def door(sandbox: Sandbox) -> Iterator[str]:
    """The front page over the sandbox that all tests share."""
    ports = {variable(name): str(urlsplit(sandbox.url(name)).port) for name in DEFAULT_PORTS if name in sandbox.servers}
    command = [sys.executable, "-m", "sandbox.door", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | sandbox.settings | ports, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield f"http://{process.stdout.readline().split()[-1]}"
    assert end(process) == 0


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Nobody is signed in, and nothing on any page is out of order."""
    context = await browser.new_context()
    wrong: list[str] = []
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    context.on("console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None)
    yield context
    await context.close()
    assert wrong == []


@pytest.fixture
async def front(context: BrowserContext, door: str) -> Page:
    """The front page with the numbers of a report that was made there."""
    page = await context.new_page()
    await page.goto(door)
    await expect(page.locator("#posture-made")).not_to_be_empty(timeout=PATIENCE_MS)
    if not await page.locator(".severity:not(.none)").count():
        await page.get_by_role("button", name="Make a report now").click()
    await expect(page.locator(".severity:not(.none)").first).to_be_visible(timeout=PATIENCE_MS)
    return page


async def opened(front: Page, name: str) -> Page:
    async with front.expect_popup() as popup:
        await front.get_by_role("link", name=f"Open the newest report as {name}").click()
    page = await popup.value
    await page.wait_for_load_state()
    return page


async def test_report_is_made_and_opened_from_the_front_page_and_leads_to_what_somebody_reaches(
    front: Page, sandbox: Sandbox
) -> None:
    counted = await front.locator(".severity b").all_inner_texts()

    report = await opened(front, "Root")

    await expect(report.locator(".tiles.four b")).to_have_text(counted[:4])
    await report.locator(f'a[href$="{cast.ADA.id}"]').first.click()
    await expect(report.get_by_role("heading", level=1)).to_have_text("Ada Byron")
    await expect(report.get_by_role("row").filter(has_text="vault-db")).to_contain_text("platform")
    assert report.url == f"{sandbox.url('functions')}/api/reach/{cast.ADA.id}"


async def test_key_of_the_app_is_nowhere_on_the_front_page(front: Page, sandbox: Sandbox) -> None:
    told = [
        await front.content(),
        *await front.evaluate(
            "Promise.all(['/api/state', '/api/report'].map(async (path) => (await fetch(path)).text()))"
        ),
    ]

    assert not [text for text in told if sandbox.function_key in text]


async def test_whoever_is_not_in_the_group_reads_why_and_may_sign_in_as_somebody_else(front: Page) -> None:
    page = await opened(front, "somebody else")

    await page.get_by_role("button", name="Alan Turing").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("This is not for you to read")
    await page.get_by_role("link", name="Sign in as somebody else").click()
    await page.get_by_role("button", name="Root").click()
    await expect(page.get_by_role("heading", name="Findings")).to_be_visible()


async def test_reader_who_is_disabled_reads_nothing_more_although_the_sign_in_lasts(
    front: Page, sandbox: Sandbox
) -> None:
    await create_user(sandbox.graph, READER_ID, "Rita", "rita@contoso.example")
    readers = cast.Group(cast.SECURITY_APPROVERS_ID, "security-approvers", (READER_ID,))
    await create_group(sandbox.graph, readers)
    await front.reload()
    page = await opened(front, "Rita")
    before = await page.title()
    (await sandbox.graph.patch(f"/v1.0/users/{READER_ID}", json={"accountEnabled": False})).raise_for_status()

    refused = await page.reload()

    assert before.startswith("Identity posture")
    assert refused is not None
    assert refused.status == 403
    (await sandbox.graph.delete(f"/v1.0/users/{READER_ID}")).raise_for_status()


async def test_page_of_an_identity_fits_a_phone(browser: Browser, sandbox: Sandbox, front: Page) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 800})
    page = await context.new_page()
    await page.goto(f"{sandbox.url('functions')}/api/reach/{cast.ADA.id}")
    await page.get_by_role("button", name="Root").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ada Byron")

    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert await page.get_by_text("payments-db", exact=True).last.bounding_box() is not None
    await context.close()
