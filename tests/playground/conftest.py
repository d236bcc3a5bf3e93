"""The whole app with the playground in place of Teams, looked at by two browser windows."""

import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, Route, async_playwright, expect

from sandbox import cast
from sandbox.demo.teams import Teams
from sandbox.supervisor import running_sandbox
from sandbox.supervisor.running import OUTPUT
from sandbox.teams.world import APPROVALS_CHANNEL, CHANNELS
from tests.playground.microsoft import PROGRAM, Playground, running_playground
from tests.playground.shim import Shim, running_shim

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"]
BEYOND_LOOPBACK = re.compile(r"^(?!(http|ws)://127\.0\.0\.1:)")
PATIENCE_MS = 30_000
PICTURES = OUTPUT / "playground"


@dataclass(frozen=True, slots=True)
class Scene:
    """What asks, what stands between, and who looks: the one who clicks, and somebody who only has Teams open."""

    gateway: Teams
    shim: Shim
    playground: Playground
    clicker: Page
    onlooker: Page

    async def picture(self, name: str) -> None:
        """Save what the clicker sees."""
        await self.clicker.screenshot(path=PICTURES / f"{name}.png")


def card_about(page: Page, requester: str) -> Locator:
    """The card about a request of theirs."""
    return page.locator(".ac-adaptiveCard").filter(has_text=requester)


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    _require_everything()
    expect.set_options(timeout=PATIENCE_MS)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with running_shim() as shim:
        settings = {"TEAMS_SERVICE_URL": shim.service_url}
        async with running_sandbox(without=("door",), environment=settings) as sandbox, async_playwright() as driver:
            shim.app_url, shim.stand_in_url = sandbox.url("functions"), sandbox.url("teams")
            folder = tmp_path_factory.mktemp("playground")
            with running_playground(cast.GRACE, shim.bot_endpoint, shim.service_url, folder) as playground:
                shim.playground_url = playground.url
                browser = await driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
                windows = [await _window(browser, playground) for _ in range(2)]
                yield Scene(Teams(sandbox), shim, playground, *windows)
                await browser.close()
    expect.set_options(timeout=5_000)


async def _window(browser: Browser, playground: Playground) -> Page:
    """The approvals channel in a window of its own."""
    page = await browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(PATIENCE_MS)
    await page.route(BEYOND_LOOPBACK, _refuse)
    await page.goto(playground.url)
    await page.get_by_text(CHANNELS[APPROVALS_CHANNEL], exact=True).first.click()
    await expect(page.get_by_text("Start a new post")).to_be_visible()
    return page


async def _refuse(route: Route) -> None:
    await route.abort()


def _require_everything() -> None:
    if shutil.which("node") is None:
        pytest.skip("there is no node on the PATH")
    if not PROGRAM.exists():
        pytest.skip("the playground is not among the node packages here: run `npm ci` in tests/playground")
    if not CHROMIUM.exists():
        pytest.skip(f"no chromium at {CHROMIUM}")
