from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from tests.wire.cards.conftest import CHROMIUM, HAS_CHROMIUM, page, requested

__all__ = ["page", "requested"]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A browser in which reports are opened as a reader would open them: from a file."""
    if not HAS_CHROMIUM:
        pytest.skip(f"no chromium at {CHROMIUM}")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-quic"])
        yield opened
        await opened.close()
