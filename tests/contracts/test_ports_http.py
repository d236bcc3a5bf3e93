"""What an answer over HTTP means: an answer, something to try again, and for how long not."""

from collections.abc import Mapping

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from shared.adapters.json_api import Answer, JsonApi
from shared.adapters.system_clock import SystemClock
from shared.adapters.telemetry import Telemetry
from shared.adapters.tokens import api_key, bearer
from shared.errors import RetryLaterError


async def no_headers() -> Mapping[str, str]:
    return {}


def api(response: httpx.Response | Exception) -> JsonApi:
    """An API whose every answer is this one."""

    def answer(_: httpx.Request) -> httpx.Response:
        if isinstance(response, Exception):
            raise response
        return response

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="https://vendor.example")
    return JsonApi("vendor", client, no_headers)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (httpx.Response(200, json={"a": 1}), Answer(200, {"a": 1})),
        (
            httpx.Response(200, json=None, headers={"content-type": "application/json"}, content=b"null"),
            Answer(200, None),
        ),
        (httpx.Response(204), Answer(204, None)),
        (httpx.Response(404, text="404 page not found"), Answer(404, None)),
        (httpx.Response(404), Answer(404, None)),
        (httpx.Response(410, json={}, headers={"location": "https://x"}), Answer(410, {}, "https://x")),
        (httpx.Response(500, json={"message": "not found"}), Answer(500, {"message": "not found"})),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_answer_with_a_meaning_is_handed_on(response: httpx.Response, expected: Answer) -> None:
    assert await api(response).get("/path") == expected


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (httpx.Response(401, json={}), "vendor-401"),
        (httpx.Response(403, json={}), "vendor-403"),
        (httpx.Response(429, json={}), "vendor-429"),
        (httpx.Response(500), "vendor-500"),
        (httpx.Response(500, json={"error": "odd"}), "vendor-500"),
        (httpx.Response(502, text="<html>"), "vendor-502"),
        (httpx.Response(503), "vendor-503"),
        (httpx.Response(200), "vendor-empty"),
        (httpx.Response(200, html="<!doctype html>"), "vendor-not-json"),
        (httpx.Response(302, headers={"location": "/login"}, text="moved"), "vendor-not-json"),
        (httpx.Response(200, content=b'{"a":', headers={"content-type": "application/json"}), "vendor-not-json"),
        (httpx.ConnectError("refused"), "vendor-unreachable"),
        (httpx.ReadTimeout("slow"), "vendor-unreachable"),
        (httpx.RemoteProtocolError("cut"), "vendor-unreachable"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_answer_without_a_meaning_is_a_reason_to_try_later(
    response: httpx.Response | Exception, reason: str
) -> None:
    with pytest.raises(RetryLaterError) as refused:
        await api(response).get("/path")

    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "Mon, 04 Jan 2027 09:00:30 GMT", "date": "Mon, 04 Jan 2027 09:00:00 GMT"}, 30),
        ({"retry-after": "Mon, 04 Jan 2027 09:00:00 GMT", "date": "Mon, 04 Jan 2027 09:00:30 GMT"}, 0),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "Mon, 04 Jan 2027 09:00:30 GMT"}, 0),
        ({}, 0),
    ],
)
async def test_wait_is_read_in_both_forms(headers: dict[str, str], seconds: float) -> None:
    with pytest.raises(RetryLaterError) as refused:
        await api(httpx.Response(429, headers=headers)).get("/path")

    assert refused.value.retry_after == seconds


async def test_empty_answer_to_a_write_is_an_answer() -> None:
    assert await api(httpx.Response(200)).request("PUT", "/path", json={}) == Answer(200, None)


async def test_token_of_the_managed_identity_is_borne() -> None:
    class Identity:
        async def get_token(self, *scopes: str, **_: object) -> AccessToken:
            return AccessToken(f"token for {scopes[0]}", 0)

    headers = await bearer(Identity(), "scope")()  # type: ignore[arg-type]

    assert headers == {"Authorization": "Bearer token for scope"}


async def test_identity_without_a_token_is_a_reason_to_try_later() -> None:
    class NoIdentity:
        async def get_token(self, *_: str, **__: object) -> AccessToken:
            raise ClientAuthenticationError("no")

    with pytest.raises(RetryLaterError, match="no-token"):
        await bearer(NoIdentity(), "scope")()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "headers"),
    [("hpk_abc", {"Authorization": "Bearer hpk_abc"}), ("org|secret", {"Api-Key": "org|secret"})],
)
async def test_gateway_key_goes_into_the_header_of_its_kind(value: str, headers: dict[str, str]) -> None:
    assert await api_key(value)() == headers


def test_clock_is_aware_and_never_repeats_an_id() -> None:
    clock = SystemClock()

    assert clock.now().utcoffset() is not None
    assert 0 <= clock.jitter() < 1
    assert clock.new_id() != clock.new_id()


def test_alert_is_a_line_of_its_reason_and_details(caplog: pytest.LogCaptureFixture) -> None:
    telemetry = Telemetry()

    with caplog.at_level("INFO", "tether"):
        telemetry.raise_alert("sweep-held", revocations=3)
        telemetry.measure("sweep", 0.25, resource="users")

    assert [record.getMessage() for record in caplog.records] == [
        'alert sweep-held {"revocations": 3}',
        'measured sweep 0.250 s {"resource": "users"}',
    ]
