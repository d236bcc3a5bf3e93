"""What the front page says of posture reports while there is no app, no reader or no report to be had."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox import cast
from sandbox.door.report import PostureReport, _counted
from sandbox.door.servers import UnavailableError
from tests.sandbox.door_under_test import Door, running_door

TABLE = (
    "\ufefffinding_id,standing,severity\r\n"
    "1,new,critical\r\n2,open,high\r\n3,worse,high\r\n4,accepted,critical\r\n5,fixed,low\r\n"
)


@pytest.fixture(scope="module")
async def door() -> AsyncIterator[Door]:
    async with running_door() as door:
        await door.begin()
        yield door


@pytest.fixture
async def browser(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=door.url, headers={"Origin": door.url}, trust_env=False) as client:
        yield client


async def test_page_says_that_nobody_may_read_where_no_group_is_set(browser: httpx.AsyncClient) -> None:
    shown = (await browser.get("/api/report")).json()

    assert (shown["readers"], shown["made"]) == ([], None)
    assert shown["problem"] == "Nobody who is enabled is in the group that reads reports."


async def test_report_that_cannot_be_asked_for_is_a_sentence(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/api/reports")

    assert answer.status_code == 502
    assert answer.json()["problem"].startswith("The app does not answer at ")


async def test_page_of_another_site_cannot_have_a_report_made(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/api/reports", headers={"Origin": "https://elsewhere.example"})

    assert answer.status_code == 403


async def test_each_reader_has_a_link_that_signs_them_in_and_app_that_is_down_is_named() -> None:
    report = PostureReport()

    shown = await report.show([{"id": cast.ROOT.id, "displayName": "Root"}])
    await report.close()

    (reader,) = shown["readers"]
    assert reader["url"].endswith(
        f"/.auth/login/aad?post_login_redirect_uri=%2Fapi%2Freports&login_hint={cast.ROOT.id}"
    )
    assert shown["other"].endswith("/.auth/login/aad?post_login_redirect_uri=%2Fapi%2Freports")


def test_only_what_is_open_is_counted() -> None:
    counted = _counted("20270104T090000Z", TABLE.encode())

    assert counted["counts"] == {"critical": 1, "high": 2, "medium": 0, "low": 0, "info": 0}
    assert (counted["fresh"], counted["made"]) == (2, 1_799_053_200_000)


@pytest.mark.parametrize(("report_id", "table"), [("", TABLE), ("20270104T090000Z", "x,y\r\n1,2\r\n")])
def test_report_that_is_none_is_a_sentence(report_id: str, table: str) -> None:
    with pytest.raises(UnavailableError, match="cannot be read"):
        _counted(report_id, table.encode())
