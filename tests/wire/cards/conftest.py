from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, Request, async_playwright

from tests.wire.cards.rendering import SCRIPTS

CHROMIUM = Path("/usr/bin/chromium")
HAS_CHROMIUM = CHROMIUM.exists()


@pytest.fixture(scope="session")
def requested() -> list[str]:
    """What a card made the browser ask the network for."""
    return []


@pytest.fixture(scope="session")
async def page(requested: list[str]) -> AsyncIterator[Page]:
    """One empty page, as wide as a phone, that can draw cards."""
    if not HAS_CHROMIUM:
        pytest.skip(f"no chromium at {CHROMIUM}")

    def note(request: Request) -> None:
        requested.append(request.url)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-quic"])
        opened = await browser.new_page(viewport={"width": 360, "height": 800})
        for script in SCRIPTS:
            await opened.add_script_tag(path=script)
        opened.on("request", note)
        yield opened
        await browser.close()
