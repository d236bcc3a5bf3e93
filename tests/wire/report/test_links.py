"""Reports lead to what each identity reaches now, wherever they are served, and nowhere when they are saved."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser

from shared.domain.posture.figures import Reach
from shared.wire.report import Pictured, page_policy, policy_of
from shared.wire.report.html_page import html_page
from shared.wire.report.pages import reach_path
from tests.wire.report.samples import BLAST, FIGURES, PICTURED, first_report

HREF = '<a href="/api/reach/cccccccc-0000-4000-8000-0000000000b1"><bdi>invoice-agent</bdi></a>'


def test_picture_and_table_lead_to_the_page_of_the_identity() -> None:
    page = html_page(first_report(), PICTURED).decode()

    assert page.count(HREF) == 2
    assert '<a href="/api/reach/machine-identity/backup%20runner%2Feu"><bdi>backup-runner</bdi></a>' in page


def test_identity_that_nobody_can_look_up_is_named_without_a_link() -> None:
    pictured = Pictured(FIGURES, (Reach("invoice-agent", 5, 2),), replace(BLAST, object_id=""))

    assert "/api/reach/" not in html_page(first_report(), pictured).decode()


@pytest.mark.parametrize(
    ("object_id", "path"),
    [
        ("cccccccc-0000-4000-8000-0000000000b1", "/api/reach/cccccccc-0000-4000-8000-0000000000b1"),
        ("user/ada@contoso.example", "/api/reach/user/ada%40contoso.example"),
        ("api-key/a/../b?c#d%2F", "/api/reach/api-key/a%2F..%2Fb%3Fc%23d%252F"),
        ('"><script>', "/api/reach/%22%3E%3Cscript%3E"),
        ("//elsewhere.example", "/api/reach//%2Felsewhere.example"),
        ("", ""),
    ],
)
def test_path_of_an_identity_holds_nothing_that_could_lead_elsewhere(object_id: str, path: str) -> None:
    assert reach_path(object_id) == path


async def test_report_that_was_saved_has_no_links_into_nowhere(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_bytes(html_page(first_report(), PICTURED))
    page = await browser.new_page()
    await page.goto(file.as_uri())

    assert await page.locator('a[href^="/api/"]').count() == 0
    assert await page.get_by_text("invoice-agent", exact=True).count() > 0


def test_kept_page_is_served_with_the_policy_that_it_was_made_with() -> None:
    page = html_page(first_report(), PICTURED)
    older = page.replace(b"sha256-", b"sha256-older")

    assert policy_of(page) == page_policy()
    assert policy_of(older) == page_policy().replace("sha256-", "sha256-older")


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"Finding,Severity\n",
        b'<meta http-equiv="Content-Security-Policy" content="default-src *">',
        b'<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; x\r\nSet-Cookie: y">',
    ],
)
def test_file_that_carries_no_policy_of_ours_gets_that_of_the_pages(page: bytes) -> None:
    assert policy_of(page) == page_policy()
