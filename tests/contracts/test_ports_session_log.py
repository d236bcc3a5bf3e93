"""The session log keeps its promise at the gateway's stand-in: every use once, and nothing that only looks like one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sandbox.tenant import GATEWAY_CLIENT_ID, TETHER_OBJECT_ID
from sandbox.tokens import issue_token
from shared.adapters.hoop_session_log import HoopSessionLog, Window
from shared.adapters.json_api import JsonApi
from shared.adapters.tokens import bearer_token
from shared.errors import RetryLaterError
from tests.sandbox.gateway_under_test import Gateway, start


@pytest.fixture(scope="module")
async def gateway() -> AsyncIterator[Gateway]:
    process, url = start()
    async with httpx.AsyncClient(base_url=url) as client:
        yield Gateway(client)
    process.terminate()
    process.wait()


@pytest.fixture
async def api(gateway: Gateway) -> JsonApi:
    await gateway.populated()
    token = issue_token(audience=GATEWAY_CLIENT_ID, object_id=TETHER_OBJECT_ID)
    return JsonApi("gateway", gateway.client, bearer_token(token))


@pytest.fixture
def log(api: JsonApi) -> HoopSessionLog:
    return HoopSessionLog(api)


async def read(log: HoopSessionLog, days: int = 90) -> list[tuple[str, str]]:
    now = datetime.now(UTC)
    found = log.uses(now - timedelta(days=days), now + timedelta(minutes=1))
    return [(user, use.connection) async for user, use in found]


async def test_every_session_that_was_opened_is_told_once(gateway: Gateway, log: HoopSessionLog) -> None:
    await gateway.live("dev")
    await gateway.live("dev")
    await gateway.live("sre-1")

    assert sorted(await read(log)) == [("dev", "pg1"), ("dev", "pg1"), ("sre-1", "pg1")]


async def test_request_that_waits_is_no_use_until_it_is_approved(gateway: Gateway, log: HoopSessionLog) -> None:
    await gateway.rule("sre")
    asked = await gateway.connect("dev", wait=True)

    assert await read(log) == []

    await gateway.decided("sre-1", asked.json()["review_id"], "APPROVED")

    assert await read(log) == [("dev", "pg1")]


async def test_issue_of_a_credential_is_no_use(gateway: Gateway, log: HoopSessionLog) -> None:
    answer = await gateway.to("dev", "POST", "/connections/pg1/credentials", {"access_duration_seconds": 600})

    assert answer.status_code == 201
    assert await read(log) == []


async def test_more_sessions_than_a_query_shows_are_read_in_smaller_slices(gateway: Gateway, api: JsonApi) -> None:
    for _ in range(7):
        await gateway.live("dev")
    small = Window(page=2, last_offset=2, shortest_slice=timedelta(milliseconds=1))

    assert await read(HoopSessionLog(api, small)) == [("dev", "pg1")] * 7


async def test_too_many_sessions_at_once_are_an_error_and_not_a_shorter_list(gateway: Gateway, api: JsonApi) -> None:
    for _ in range(7):
        await gateway.live("dev")
    coarse = Window(page=1, last_offset=1, shortest_slice=timedelta(days=100))

    with pytest.raises(RetryLaterError, match="gateway-too-many-sessions"):
        await read(HoopSessionLog(api, coarse))


async def test_gateway_that_is_down_is_an_error(gateway: Gateway, log: HoopSessionLog) -> None:
    await gateway.switched(down=True)

    with pytest.raises(RetryLaterError):
        await read(log)

    await gateway.switched(down=False)
