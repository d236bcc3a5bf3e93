"""Who may speak as Teams: a genuine token is let in, every attack is refused, and only the log knows why."""

import hmac
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.bot_tokens import LARGEST_BODY, BotTokens
from shared.domain.activities import ActivityKind
from shared.errors import RejectedError
from tests.adapters.issuer import APP, APPROVE, BOT, Door, bearer, body, encoded, jwk, private_key, public_pem
from tests.domain.samples import ADA
from tests.wire.samples import TENANT, fixture, fixture_text

FOREIGN = "99999999-0000-4000-8000-000000000009"
AGENT_365 = "5a807f24-c9de-44ee-a3a7-329e88a00ffc"
ENTRA_V1 = f"https://sts.windows.net/{TENANT}/"
ENTRA_V2 = f"https://login.microsoftonline.com/{TENANT}/v2.0"
COARSE = {"unauthenticated", "forbidden", "malformed-activity", "body-too-large"}


@pytest.fixture
def door() -> Door:
    return Door()


def handmade(header: dict[str, Any] | bytes, payload: dict[str, Any] | bytes, signature: bytes) -> str:
    return f"{encoded(header)}.{encoded(payload)}.{encoded(signature)}"


def with_header(door: Door, **header: object) -> str:
    return jwt.encode(door.claims(), private_key("current"), "RS256", {"kid": "current", **header})


def signed_with_the_public_key(door: Door, algorithm: str = "HS256") -> str:
    signed = f"{encoded({'alg': algorithm, 'kid': 'current'})}.{encoded(door.claims())}"
    return f"{signed}.{encoded(hmac.digest(public_pem('current'), signed.encode(), 'sha256'))}"


def entra(door: Door, issuer: str = ENTRA_V2, **changes: object) -> str:
    claims: dict[str, Any] = {"iss": issuer, "tid": TENANT, "azp": APP, "ver": "2.0", **changes}
    return door.token(**claims)


def at(door: Door, claim: str, seconds: float) -> str:
    moved: dict[str, Any] = {claim: int(door.clock.now().timestamp()) + seconds}
    return door.token(**moved)


def other_payload(door: Door) -> str:
    head, _, signature = door.token().split(".")
    return f"{head}.{encoded(door.claims(serviceurl='https://smba.trafficmanager.net/amer/'))}.{signature}"


def elliptic(door: Door) -> str:
    return jwt.encode(door.claims(), ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": "current"})


TOKEN_ATTACKS: list[tuple[str, str, Callable[[Door], str]]] = [
    ("alg_none_without_a_signature", "bearer", lambda d: handmade({"alg": "none", "kid": "current"}, d.claims(), b"")),
    ("alg_none_with_a_signature", "RS256", lambda d: handmade({"alg": "none", "kid": "current"}, d.claims(), b"x")),
    ("alg_None_in_other_case", "RS256", lambda d: handmade({"alg": "nOnE", "kid": "current"}, d.claims(), b"x")),
    ("alg_missing", "RS256", lambda d: handmade({"kid": "current"}, d.claims(), b"x")),
    ("alg_a_list", "RS256", lambda d: handmade({"alg": ["RS256"], "kid": "current"}, d.claims(), b"x")),
    ("alg_in_lower_case", "RS256", lambda d: handmade({"alg": "rs256", "kid": "current"}, d.claims(), b"x")),
    ("alg_hs256_with_the_public_key", "RS256", signed_with_the_public_key),
    ("alg_hs256_said_to_be_rs256", "signature", lambda d: signed_with_the_public_key(d, "RS256")),
    ("alg_rs512", "RS256", lambda d: jwt.encode(d.claims(), private_key("current"), "RS512", {"kid": "current"})),
    ("alg_ps256", "RS256", lambda d: jwt.encode(d.claims(), private_key("current"), "PS256", {"kid": "current"})),
    ("alg_es256", "RS256", elliptic),
    ("signed_by_a_stranger_under_a_known_key_id", "signature", lambda d: d.token(key="stranger", kid="current")),
    ("signed_by_a_stranger_under_an_unknown_key_id", "unknown", lambda d: d.token(key="stranger")),
    ("key_id_missing", "no key", lambda d: jwt.encode(d.claims(), private_key("current"), "RS256")),
    ("key_id_empty", "no key", lambda d: with_header(d, kid="")),
    ("key_id_a_number", "malformed", lambda d: handmade({"alg": "RS256", "kid": 1}, d.claims(), b"x")),
    ("key_id_a_path", "unknown", lambda d: with_header(d, kid="../../current")),
    ("key_id_an_injection", "unknown", lambda d: with_header(d, kid="current' or '1'='1")),
    ("key_id_in_other_case", "unknown", lambda d: with_header(d, kid="CURRENT")),
    (
        "key_brought_along",
        "signature",
        lambda d: jwt.encode(d.claims(), private_key("stranger"), "RS256", {"kid": "current", "jwk": jwk("stranger")}),
    ),
    (
        "keys_url_brought_along",
        "unknown",
        lambda d: jwt.encode(
            d.claims(), private_key("stranger"), "RS256", {"kid": "stranger", "jku": "https://evil.example/keys"}
        ),
    ),
    (
        "extension_demanded",
        "extension",
        lambda d: handmade({"alg": "RS256", "kid": "current", "crit": ["b64"], "b64": True}, d.claims(), b"x"),
    ),
    ("payload_exchanged", "signature", other_payload),
    ("signature_cut_short", "signature", lambda d: d.token()[:-6]),
    (
        "signature_of_another_token",
        "signature",
        lambda d: ".".join([*d.token(jti="a").split(".")[:2], d.token(jti="b").split(".")[2]]),
    ),
    ("issuer_missing", "claim", lambda d: d.token(iss=...)),
    ("issuer_evil", "issuer", lambda d: d.token(iss="https://evil.example")),
    ("issuer_with_a_trailing_slash", "issuer", lambda d: d.token(iss="https://api.botframework.com/")),
    ("issuer_a_longer_name", "issuer", lambda d: d.token(iss="https://api.botframework.com.evil.example")),
    ("issuer_a_list", "issuer", lambda d: d.token(iss=["https://api.botframework.com"])),
    ("issuer_of_another_cloud", "issuer", lambda d: d.token(iss="https://api.botframework.us")),
    ("entra_app_of_our_tenant", "issuer", entra),
    ("entra_app_of_our_tenant_version_1", "issuer", lambda d: entra(d, ENTRA_V1, appid=APP)),
    ("entra_app_of_another_tenant", "issuer", lambda d: entra(d, ENTRA_V2.replace(TENANT, FOREIGN), tid=FOREIGN)),
    ("entra_user_of_our_tenant", "issuer", lambda d: entra(d, scp="access_as_user", oid=ADA)),
    (
        "entra_first_party_tenant",
        "issuer",
        lambda d: entra(
            d,
            ENTRA_V1.replace(TENANT, "f8cdef31-a31e-4b4a-93e4-5f571e91255a"),
            tid="f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        ),
    ),
    ("entra_agent_365_platform", "issuer", lambda d: entra(d, azp=AGENT_365)),
    ("azp_another_client", "another client", lambda d: d.token(azp=AGENT_365)),
    ("appid_another_client", "another client", lambda d: d.token(appid=FOREIGN)),
    ("tid_another_tenant", "another tenant", lambda d: d.token(tid=FOREIGN)),
    ("audience_missing", "claim", lambda d: d.token(aud=...)),
    ("audience_empty", "claim", lambda d: d.token(aud="")),
    ("audience_another_bot", "audience", lambda d: d.token(aud=FOREIGN)),
    ("audience_a_list_with_us", "audience", lambda d: d.token(aud=[APP])),
    ("audience_a_list_with_us_and_another", "audience", lambda d: d.token(aud=[APP, FOREIGN])),
    ("audience_as_a_uri", "audience", lambda d: d.token(aud=f"api://{APP}")),
    ("audience_the_bot_framework", "audience", lambda d: d.token(aud="https://api.botframework.com")),
    ("expired_six_minutes_ago", "expired", lambda d: at(d, "exp", -360)),
    ("expired_five_minutes_ago_to_the_second", "expired", lambda d: at(d, "exp", -300)),
    ("expiry_missing", "claim", lambda d: d.token(exp=...)),
    ("expiry_null", "claim", lambda d: d.token(exp=None)),
    ("expiry_a_text", "exp is no time", lambda d: d.token(exp="9999999999")),
    ("expiry_true", "exp is no time", lambda d: d.token(exp=True)),
    ("expiry_not_a_number", "exp is no time", lambda d: d.token(exp=float("nan"))),
    ("expiry_infinite", "exp is no time", lambda d: d.token(exp=float("inf"))),
    ("expiry_beyond_all_clocks", "exp is no time", lambda d: d.token(exp=10**400)),
    ("valid_in_six_minutes", "not valid yet", lambda d: at(d, "nbf", 360)),
    ("start_of_validity_missing", "claim", lambda d: d.token(nbf=...)),
    ("start_of_validity_a_text", "nbf is no time", lambda d: d.token(nbf="0")),
    ("issued_in_six_minutes", "future", lambda d: at(d, "iat", 360)),
    ("issued_at_a_list", "iat is no time", lambda d: d.token(iat=[0])),
    ("service_url_claim_missing", "claim", lambda d: d.token(serviceurl=...)),
    (
        "service_url_claim_in_other_case_only",
        "claim",
        lambda d: d.token(serviceurl=..., serviceUrl=fixture(APPROVE)["serviceUrl"]),
    ),
    ("service_url_claim_a_list", "serviceurl", lambda d: d.token(serviceurl=[fixture(APPROVE)["serviceUrl"]])),
    (
        "payload_a_list",
        "malformed",
        lambda _: jwt.PyJWS().encode(b"[]", private_key("current"), "RS256", {"kid": "current"}),
    ),
    ("header_a_list", "malformed", lambda d: handmade(b"[]", d.claims(), b"x")),
    ("header_deeper_than_any_reader", "malformed", lambda d: handmade(b"[" * 8000, d.claims(), b"x")),
    ("header_not_base64", "malformed", lambda d: "a." + d.token().partition(".")[2]),
]


@pytest.mark.parametrize(
    ("check", "forge"), [pytest.param(check, forge, id=name) for name, check, forge in TOKEN_ATTACKS]
)
async def test_forged_token_is_refused(check: str, forge: Callable[[Door], str], door: Door) -> None:
    token = forge(door)

    with pytest.raises(RejectedError) as refusal:
        await door.tokens.authenticate(bearer(token), body())

    assert refusal.value.reason == "unauthenticated"
    assert check in refusal.value.detail
    assert all(part not in str(refusal.value) for part in token.split(".") if len(part) > 3)


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(lambda _: None, id="no_header"),
        pytest.param(lambda _: "", id="empty_header"),
        pytest.param(lambda _: "Bearer", id="scheme_alone"),
        pytest.param(lambda _: "Bearer ", id="scheme_and_nothing"),
        pytest.param(lambda token: token, id="token_alone"),
        pytest.param(lambda token: f"Basic {token}", id="another_scheme"),
        pytest.param(lambda token: f"Bearer  {token}", id="two_blanks"),
        pytest.param(lambda token: f"Bearer {token}\n", id="line_break_behind"),
        pytest.param(lambda token: f"Bearer {token}, Bearer {token}", id="two_tokens"),
        pytest.param(lambda token: f"Bearer {token}.", id="four_parts"),
        pytest.param(lambda token: f"Bearer {token}=", id="padding"),
        pytest.param(lambda token: f"Bearer {token}{'A' * 20_000}", id="header_too_long"),
    ],
)
async def test_header_without_exactly_one_bearer_token_is_refused(
    authorization: Callable[[str], str | None], door: Door
) -> None:
    with pytest.raises(RejectedError) as refusal:
        await door.tokens.authenticate(authorization(door.token()), body())

    assert (refusal.value.reason, refusal.value.detail) == ("unauthenticated", "there is no bearer token")
    assert door.issuer.asked == []


OTHER_URL = "https://smba.trafficmanager.net/amer/"


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        pytest.param("another serviceUrl", {"serviceUrl": OTHER_URL}, id="replayed_with_another_service_url"),
        pytest.param(
            "another serviceUrl", {"serviceUrl": "https://evil.example/"}, id="replayed_with_an_evil_service_url"
        ),
        pytest.param("another serviceUrl", {"serviceUrl": ...}, id="replayed_without_a_service_url"),
        pytest.param("another serviceUrl", {"serviceUrl": None}, id="replayed_with_a_null_service_url"),
        pytest.param(
            "another serviceUrl",
            {"serviceUrl": fixture(APPROVE)["serviceUrl"] + "/"},
            id="replayed_with_a_second_slash",
        ),
        pytest.param(
            "another serviceUrl",
            {"serviceUrl": fixture(APPROVE)["serviceUrl"].upper()},
            id="replayed_with_a_url_in_other_case",
        ),
        pytest.param("channelId", {"channelId": "webchat"}, id="replayed_as_another_channel"),
        pytest.param("channelId", {"channelId": ...}, id="replayed_without_a_channel"),
        pytest.param("channelId", {"channelId": ["msteams"]}, id="replayed_with_a_list_of_channels"),
        pytest.param("tenant", {"channelData__tenant__id": FOREIGN}, id="replayed_with_a_foreign_tenant"),
        pytest.param("tenant", {"channelData__tenant": ...}, id="replayed_without_a_tenant"),
        pytest.param("tenant", {"channelData": TENANT}, id="replayed_with_a_text_for_channel_data"),
        pytest.param("conversation", {"conversation__tenantId": FOREIGN}, id="replayed_with_a_foreign_conversation"),
        pytest.param("conversation", {"conversation__tenantId": [TENANT]}, id="replayed_with_a_list_of_tenants"),
        pytest.param("object id", {"from__aadObjectId": ...}, id="clicked_by_nobody"),
        pytest.param("object id", {"from__aadObjectId": "ada@example.com"}, id="clicked_by_an_address"),
        pytest.param("object id", {"from__aadObjectId": f"{ADA}\n"}, id="clicked_by_an_id_with_a_line_break"),
        pytest.param("object id", {"from": None}, id="clicked_by_null"),
    ],
)
async def test_genuine_token_with_anothers_activity_is_refused(check: str, changes: dict[str, Any], door: Door) -> None:
    with pytest.raises(RejectedError) as refusal:
        await door.tokens.authenticate(bearer(door.token()), body(**changes))

    assert refusal.value.reason == "forbidden"
    assert check in refusal.value.detail


@pytest.mark.parametrize(
    "service_url",
    [
        pytest.param("https://evil.example/teams/", id="another_host"),
        pytest.param("http://smba.trafficmanager.net/emea/", id="without_tls"),
        pytest.param("https://smba.trafficmanager.net.evil.example/", id="our_host_as_a_prefix"),
        pytest.param("https://smba.trafficmanager.net@evil.example/", id="our_host_as_user_info"),
        pytest.param("https://evil.example\\@smba.trafficmanager.net/", id="backslash"),
        pytest.param("https://evil.example#@smba.trafficmanager.net/", id="fragment"),
        pytest.param("https://evil.example?@smba.trafficmanager.net/", id="query"),
        pytest.param("https://smba.trafficmanager.net:8443/emea/", id="another_port"),
        pytest.param("https://smba.trafficmanager.net:x/", id="no_port"),
        pytest.param("https://smba.trafficmanager.net/emea/../..", id="path_that_climbs"),
        pytest.param("https://smba.trafficmanager.net/\tx", id="control_character"),
        pytest.param("https://smba.trafficmanager.net/" + "x" * 3000, id="endless"),
        pytest.param("https://[::1/", id="broken_address"),
        pytest.param("http://127.0.0.1:7078/teams/", id="loopback_that_is_not_listed"),
        pytest.param("file:///etc/passwd", id="another_scheme"),
        pytest.param("", id="empty"),
    ],
)
async def test_service_url_that_is_not_on_the_list_is_refused_even_when_signed(service_url: str, door: Door) -> None:
    token = door.token(serviceurl=service_url or "/")

    with pytest.raises(RejectedError) as refusal:
        await door.tokens.authenticate(bearer(token), body(serviceUrl=service_url))

    assert (refusal.value.reason, refusal.value.detail) == ("forbidden", "serviceUrl is not on an allowed host")


@pytest.mark.parametrize(
    "endorsements",
    [
        pytest.param([], id="none"),
        pytest.param(..., id="absent"),
        pytest.param(["webchat", "directline"], id="other_channels"),
        pytest.param("msteams", id="a_text"),
        pytest.param(["MSTeams"], id="other_case"),
    ],
)
async def test_key_without_the_endorsement_for_teams_is_refused(endorsements: object, door: Door) -> None:
    door.issuer.keys = [jwk("current", endorsements=endorsements)]

    with pytest.raises(RejectedError) as refusal:
        await door.tokens.authenticate(bearer(door.token()), body())

    assert (refusal.value.reason, refusal.value.detail) == ("forbidden", "the key is not endorsed for msteams")


@pytest.mark.parametrize(
    ("reason", "content"),
    [
        pytest.param("malformed-activity", b"", id="empty"),
        pytest.param("malformed-activity", b"{", id="cut_short"),
        pytest.param("malformed-activity", b"[]", id="a_list"),
        pytest.param("malformed-activity", b'{"type":"invoke"} {}', id="two_documents"),
        pytest.param("malformed-activity", b'{"x":' + b"[" * 50_000, id="deeper_than_any_reader"),
        pytest.param("malformed-activity", b'{"x":' + b"[" * 300 + b"]" * 300 + b"}", id="too_deep"),
        pytest.param("malformed-activity", b'{"x":NaN}', id="not_a_number"),
        pytest.param("malformed-activity", b'{"x":"\\ud800"}', id="half_a_character"),
        pytest.param("malformed-activity", b'{"x":"\xff"}', id="not_utf8"),
        pytest.param("malformed-activity", '{"x":1}'.encode("utf-16"), id="utf16"),
        pytest.param("malformed-activity", b'{"x":' + b"9" * 5000 + b"}", id="number_beyond_limits"),
        pytest.param(
            "malformed-activity",
            fixture_text(APPROVE).replace(b'"channelId"', b'"serviceUrl":"https://evil.example/","channelId"'),
            id="service_url_twice",
        ),
        pytest.param("body-too-large", b" " * (LARGEST_BODY + 1), id="too_large"),
    ],
)
async def test_body_that_is_not_one_sound_object_is_refused(reason: str, content: bytes, door: Door) -> None:
    with pytest.raises(RejectedError) as refusal:
        await door.tokens.authenticate(bearer(door.token()), content)

    assert refusal.value.reason == reason


async def test_genuine_click_is_let_in_with_who_clicked_and_where(door: Door) -> None:
    activity = await door.tokens.authenticate(bearer(door.token()), body())

    assert (activity.kind, activity.person.object_id, activity.tenant_id) == (ActivityKind.INVOKE, ADA, TENANT)
    assert activity.service_url == fixture(APPROVE)["serviceUrl"]


@pytest.mark.parametrize(
    "genuine",
    [
        pytest.param(lambda d: at(d, "exp", -240), id="expired_four_minutes_ago"),
        pytest.param(lambda d: at(d, "nbf", 240), id="valid_in_four_minutes"),
        pytest.param(lambda d: at(d, "iat", 240), id="issued_in_four_minutes"),
        pytest.param(lambda d: d.token(serviceurl=fixture(APPROVE)["serviceUrl"].removesuffix("/")), id="no_slash"),
        pytest.param(lambda d: d.token(azp=APP, appid=APP, tid=TENANT), id="client_and_tenant_are_ours"),
        pytest.param(lambda d: with_header(d, typ="at+jwt"), id="another_type_of_token"),
    ],
)
async def test_genuine_token_is_let_in_within_the_tolerances(genuine: Callable[[Door], str], door: Door) -> None:
    activity = await door.tokens.authenticate(bearer(genuine(door)), body())

    assert activity.person.object_id == ADA


async def test_scheme_is_taken_in_any_case(door: Door) -> None:
    activity = await door.tokens.authenticate(f"bearer {door.token()}", body())

    assert activity.person.object_id == ADA


async def test_tenants_are_compared_whatever_their_case(door: Door) -> None:
    activity = await door.tokens.authenticate(bearer(door.token()), body(channelData__tenant__id=TENANT.upper()))

    assert activity.tenant_id == TENANT


async def test_issuer_of_another_cloud_is_let_in_where_the_operator_lists_it(door: Door) -> None:
    tokens = BotTokens(door.keys, BOT, door.clock, issuers=["https://api.botframework.us"])

    activity = await tokens.authenticate(bearer(door.token(iss="https://api.botframework.us")), body())

    assert activity.person.object_id == ADA


async def test_nobody_is_let_in_when_no_issuer_is_listed(door: Door) -> None:
    tokens = BotTokens(door.keys, BOT, door.clock, issuers=[])

    with pytest.raises(RejectedError, match="issuer"):
        await tokens.authenticate(bearer(door.token()), body())


@given(st.text() | st.from_regex(r"Bearer [A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40}"), st.binary())
async def test_noise_is_always_refused_and_never_an_error(authorization: str, content: bytes) -> None:
    with pytest.raises(RejectedError) as refusal:
        await Door().tokens.authenticate(authorization, content)

    assert refusal.value.reason in COARSE
