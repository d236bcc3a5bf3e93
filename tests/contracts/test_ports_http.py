"""What an answer over HTTP means: an answer, something to try again, and for how long not."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from httpx_aiohttp import AiohttpTransport

from shared.adapters.json_api import Answer, JsonApi
from shared.adapters.system_clock import SystemClock
from shared.adapters.telemetry import Telemetry
from shared.adapters.tokens import api_key, bearer
from shared.errors import RetryLaterError, UnknownOutcomeError
from tests.sandbox.host_process import free_port


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


class TestWrites:
    """What may have happened although nobody said so."""

    @pytest.mark.parametrize(
        "response",
        [
            httpx.ReadTimeout("slow"),
            httpx.WriteError("cut"),
            httpx.RemoteProtocolError("cut"),
            httpx.Response(500),
            httpx.Response(502, text="<html>"),
            httpx.Response(503),
            httpx.Response(200, html="<!doctype html>"),
            httpx.Response(200, content=b'{"a":', headers={"content-type": "application/json"}),
        ],
        ids=lambda value: str(value)[:40],
    )
    async def test_outcome_of_a_write_without_a_clear_answer_is_unknown(
        self, response: httpx.Response | Exception
    ) -> None:
        with pytest.raises(UnknownOutcomeError):
            await api(response).request("PUT", "/path", json={})
        with pytest.raises(RetryLaterError) as refused:
            await api(response).get("/path")

        assert not isinstance(refused.value, UnknownOutcomeError)

    @pytest.mark.parametrize(
        "response",
        [
            httpx.ConnectError("refused"),
            httpx.ConnectTimeout("slow"),
            httpx.PoolTimeout("full"),
            httpx.Response(401, json={}),
            httpx.Response(403, json={}),
            httpx.Response(429, json={}),
        ],
        ids=lambda value: str(value)[:40],
    )
    async def test_write_that_never_arrived_or_was_refused_has_not_happened(
        self, response: httpx.Response | Exception
    ) -> None:
        with pytest.raises(RetryLaterError) as refused:
            await api(response).request("PUT", "/path", json={})

        assert not isinstance(refused.value, UnknownOutcomeError)


@pytest.mark.parametrize("transport", [httpx.AsyncHTTPTransport, AiohttpTransport])
class TestTransports:
    """Both transports tell what was never sent from what was sent and not answered."""

    async def test_refused_connection_carried_nothing(self, transport: type[httpx.AsyncBaseTransport]) -> None:
        async with httpx.AsyncClient(transport=transport()) as client:
            port = JsonApi("vendor", client, no_headers)

            with pytest.raises(RetryLaterError, match="vendor-unreachable") as refused:
                await port.request("POST", f"http://127.0.0.1:{free_port()}/path", json={})

        assert not isinstance(refused.value, UnknownOutcomeError)

    @pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"], ids=["none", "half"])
    async def test_connection_that_breaks_after_the_request_leaves_the_outcome_unknown(
        self, transport: type[httpx.AsyncBaseTransport], answer: bytes
    ) -> None:
        async with _listening(answer) as (url, requests), httpx.AsyncClient(transport=transport()) as client:
            with pytest.raises(UnknownOutcomeError, match="vendor-unreachable"):
                await JsonApi("vendor", client, no_headers).request("POST", url, json={})

        assert len(requests) == 1

    async def test_answer_that_does_not_come_in_time_leaves_the_outcome_unknown(
        self, transport: type[httpx.AsyncBaseTransport]
    ) -> None:
        async with (
            _listening(None) as (url, requests),
            httpx.AsyncClient(transport=transport(), timeout=0.2) as client,
        ):
            with pytest.raises(UnknownOutcomeError, match="vendor-unreachable"):
                await JsonApi("vendor", client, no_headers).request("POST", url, json={})

        assert len(requests) == 1


@asynccontextmanager
async def _listening(answer: bytes | None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that reads each request, and answers this much before it hangs up (`None`: it says nothing)."""
    requests: list[bytes] = []
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"{}"))
        if answer is None:
            await over.wait()
        writer.write(answer or b"")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/path", requests
    finally:
        over.set()
        server.close()
        await server.wait_closed()
