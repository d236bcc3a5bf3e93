"""The Bot Connector's keys: fetched once, followed through a roll-over, kept through an outage."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from shared.adapters.signing_keys import LARGEST_DOCUMENT, SigningKeys
from shared.errors import RejectedError, RetryLaterError, SettingsError
from tests.adapters.issuer import KEYS_URL, METADATA_URL, Door, Issuer, bearer, body, jwk
from tests.fakes.clock import FakeClock

DAY = 24 * 3600.0
ONE_FETCH = [METADATA_URL, KEYS_URL]


@pytest.fixture
def door() -> Door:
    return Door()


async def knock(door: Door, key: str = "current") -> str:
    """`in`, `refused`, or the reason to come back later."""
    try:
        await door.tokens.authenticate(bearer(door.token(key=key)), body())
    except RejectedError:
        return "refused"
    except RetryLaterError as error:
        return error.reason
    return "in"


def out_of_order(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503)


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("made up", request=request)


async def test_keys_are_fetched_once_for_many_requests(door: Door) -> None:
    outcomes = [await knock(door) for _ in range(20)]

    assert outcomes == ["in"] * 20
    assert door.issuer.asked == ONE_FETCH


async def test_requests_at_once_share_one_fetch(door: Door) -> None:
    outcomes = await asyncio.gather(*(knock(door) for _ in range(50)))

    assert outcomes == ["in"] * 50
    assert door.issuer.asked == ONE_FETCH


async def test_keys_are_fetched_again_after_a_day(door: Door) -> None:
    await knock(door)
    door.clock.advance(DAY - 1)
    await knock(door)
    before = list(door.issuer.asked)
    door.clock.advance(1)

    outcome = await knock(door)

    assert outcome == "in"
    assert (before, door.issuer.asked) == (ONE_FETCH, ONE_FETCH * 2)


async def test_new_key_is_found_at_once_when_the_last_fetch_is_a_minute_old(door: Door) -> None:
    await knock(door)
    door.issuer.keys.append(jwk("next"))
    door.clock.advance(60)

    outcomes = [await knock(door, "next"), await knock(door)]

    assert outcomes == ["in", "in"]
    assert door.issuer.asked == ONE_FETCH * 2


async def test_flood_of_unknown_keys_costs_one_fetch_a_minute(door: Door) -> None:
    await knock(door)
    asked = []

    for _ in range(3):
        door.clock.advance(60)
        assert {await knock(door, "stranger") for _ in range(10)} == {"refused"}
        asked.append(len(door.issuer.asked))

    assert asked == [4, 6, 8]


async def test_unknown_keys_at_once_share_one_fetch_and_leave_known_ones_alone(door: Door) -> None:
    await knock(door)
    door.clock.advance(60)

    outcomes = await asyncio.gather(*(knock(door, name) for name in ["stranger", "other", "current"] * 5))

    assert outcomes == ["refused", "refused", "in"] * 5
    assert door.issuer.asked == ONE_FETCH * 2


async def test_key_that_is_no_longer_published_is_refused_after_the_next_fetch(door: Door) -> None:
    await knock(door)
    door.issuer.keys = [jwk("next")]
    door.clock.advance(DAY)

    outcomes = [await knock(door), await knock(door, "next")]

    assert outcomes == ["refused", "in"]


@pytest.mark.parametrize("outage", [out_of_order, unreachable])
async def test_known_keys_outlive_an_outage_of_five_days_and_no_longer(
    door: Door, outage: Callable[[httpx.Request], httpx.Response]
) -> None:
    await knock(door)
    door.issuer.answer = outage
    door.clock.advance(5 * DAY - 1)
    on_the_last_day = await knock(door)
    door.clock.advance(1)

    outcome = await knock(door)

    assert (on_the_last_day, outcome) == ("in", "signing-keys-unavailable")


async def test_outage_costs_known_keys_one_fetch_a_minute(door: Door) -> None:
    await knock(door)
    door.issuer.answer = unreachable
    door.clock.advance(DAY)

    outcomes = [await knock(door) for _ in range(10)]

    assert outcomes == ["in"] * 10
    assert door.issuer.asked == [*ONE_FETCH, METADATA_URL]


async def test_unknown_key_is_asked_to_come_back_while_the_issuer_is_away(door: Door) -> None:
    await knock(door)
    door.issuer.answer = unreachable
    door.clock.advance(60)

    outcomes = [await knock(door, "next") for _ in range(3)]

    assert outcomes == ["signing-keys-unavailable"] * 3
    assert door.issuer.asked == [*ONE_FETCH, METADATA_URL]


async def test_cold_start_during_an_outage_tries_again_after_five_seconds(door: Door) -> None:
    door.issuer.answer = unreachable
    first = [await knock(door) for _ in range(3)]
    door.issuer.answer = None
    too_soon = await knock(door)
    door.clock.advance(5)

    outcome = await knock(door)

    assert (first, too_soon, outcome) == (["signing-keys-unavailable"] * 3, "signing-keys-unavailable", "in")
    assert door.issuer.asked == [METADATA_URL, *ONE_FETCH]


async def test_caller_is_told_when_to_come_back_and_why_without_the_url(door: Door) -> None:
    door.issuer.answer = unreachable

    with pytest.raises(RetryLaterError) as error:
        await door.keys.find("current")

    assert (error.value.retry_after, error.value.detail) == (5.0, "ConnectError")


async def test_request_that_is_given_up_leaves_the_fetch_to_the_next(door: Door) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        asked.set()
        await go_on.wait()
        return httpx.Response(200, json={"jwks_uri": KEYS_URL, "keys": [jwk("current")]})

    keys = SigningKeys(httpx.AsyncClient(transport=httpx.MockTransport(slow)), METADATA_URL, door.clock)
    first = asyncio.ensure_future(keys.find("current"))
    await asked.wait()
    first.cancel()
    go_on.set()

    key = await keys.find("current")

    assert key is not None


@pytest.mark.parametrize(
    "keys_url",
    [
        pytest.param("https://evil.example/keys", id="another_host"),
        pytest.param("http://login.botframework.example/v1/.well-known/keys", id="without_tls"),
        pytest.param("https://login.botframework.example:8443/keys", id="another_port"),
        pytest.param("https://login.botframework.example.evil.example/keys", id="our_host_as_a_prefix"),
        pytest.param("https://login.botframework.example@evil.example/keys", id="our_host_as_user_info"),
        pytest.param("file:///etc/passwd", id="a_file"),
        pytest.param("https://[::1", id="broken"),
        pytest.param("", id="empty"),
    ],
)
async def test_keys_from_another_place_than_the_metadata_are_not_even_read(keys_url: str, door: Door) -> None:
    door.issuer.keys_url = keys_url

    outcome = await knock(door)

    assert outcome == "signing-keys-unavailable"
    assert door.issuer.asked == [METADATA_URL]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.Response(302, headers={"location": "https://evil.example/keys"}), id="redirect"),
        pytest.param(httpx.Response(200, content=b"<html>"), id="not_json"),
        pytest.param(httpx.Response(200, json=[]), id="a_list"),
        pytest.param(httpx.Response(200, json={}), id="empty"),
        pytest.param(httpx.Response(200, json={"jwks_uri": KEYS_URL, "keys": []}), id="no_keys"),
        pytest.param(httpx.Response(200, json={"jwks_uri": KEYS_URL, "keys": "x"}), id="keys_are_a_text"),
        pytest.param(httpx.Response(200, content=b'{"jwks_uri":' + b" " * LARGEST_DOCUMENT + b'""}'), id="too_large"),
    ],
)
async def test_nonsense_of_the_issuer_is_an_outage(answer: httpx.Response, door: Door) -> None:
    door.issuer.answer = lambda _: httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    outcome = await knock(door)

    assert outcome == "signing-keys-unavailable"
    assert len(door.issuer.asked) <= 2


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(jwk("weak-1024"), id="too_short"),
        pytest.param(jwk("current", kid="bad", use="enc"), id="for_encryption"),
        pytest.param(jwk("current", kid="bad", key_ops=["sign"]), id="for_signing_only"),
        pytest.param(jwk("current", kid="bad", key_ops="verify"), id="operations_a_text"),
        pytest.param(jwk("current", kid="bad", alg="RS512"), id="for_another_algorithm"),
        pytest.param(jwk("current", kid="bad", kty="oct", k="c2VjcmV0"), id="symmetric"),
        pytest.param(jwk("current", kid="bad", kty=...), id="of_no_type"),
        pytest.param(jwk("current", kid="bad", n=...), id="without_modulus"),
        pytest.param(jwk("current", kid="bad", n="!"), id="with_a_modulus_that_is_no_number"),
        pytest.param(jwk("current", kid="bad", e="AQ"), id="with_exponent_one"),
        pytest.param(jwk("current", kid="bad", d="AQAB"), id="published_with_its_private_part"),
    ],
)
async def test_unsound_key_is_passed_over_and_costs_no_other(bad: dict[str, object], door: Door) -> None:
    door.issuer.keys = [bad, jwk("current")]

    found = [await door.keys.find(str(bad["kid"])), await door.keys.find("current")]

    assert found[0] is None
    assert found[1] is not None


@pytest.mark.parametrize("kid", [..., None, "", 7, ["current"]])
async def test_key_without_an_id_is_passed_over(kid: object, door: Door) -> None:
    door.issuer.keys = [jwk("stranger", kid=kid), jwk("current")]

    found = [await door.keys.find(""), await door.keys.find("current")]

    assert found[0] is None
    assert found[1] is not None


@pytest.mark.parametrize("first", ["current", "stranger"])
async def test_two_keys_under_one_id_are_both_passed_over(first: str, door: Door) -> None:
    second = {"current": "stranger", "stranger": "current"}[first]
    door.issuer.keys = [jwk(first, kid="current"), jwk(second, kid="current"), jwk("next")]

    outcomes = [await knock(door), await knock(door, "next")]

    assert outcomes == ["refused", "in"]


@pytest.mark.parametrize(
    "metadata_url",
    ["http://login.botframework.com/x", "ftp://login.botframework.com/x", "login.botframework.com", "https:///x", ""],
)
async def test_metadata_url_without_tls_stops_the_app(metadata_url: str) -> None:
    with pytest.raises(SettingsError, match="must be https"):
        SigningKeys(Issuer().client(), metadata_url, FakeClock())


async def test_keys_are_read_over_plain_http_on_loopback() -> None:
    url = "http://127.0.0.1:7079/v1/.well-known/openidconfiguration"
    issuer = Issuer()
    issuer.answer = lambda _: httpx.Response(
        200, json={"jwks_uri": "http://127.0.0.1:7079/v1/.well-known/keys", "keys": [jwk("current")]}
    )

    key = await SigningKeys(issuer.client(), url, FakeClock()).find("current")

    assert key is not None
    assert key.endorsements == {"msteams", "webchat"}
