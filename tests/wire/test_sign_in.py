"""A person's token is taken only when it is theirs, for our bot and from our tenant."""

import base64
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key

from shared.errors import RejectedError
from shared.wire.sign_in import EntraApp, check_sign_in, signing_key_id

TENANT = "7e7e0000-0000-4000-8000-000000000001"
APP = "b0b0b0b0-0000-4000-8000-000000000001"
PERSON = "7e7e0000-0000-4000-8000-00000000abcd"
OTHER = "7e7e0000-0000-4000-8000-0000000000ff"
BOT = EntraApp(TENANT, APP)
OURS, FOREIGN = generate_private_key(65537, 2048), generate_private_key(65537, 2048)
PUBLIC = OURS.public_key()


def pem(key: RSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def claims(**changed: object) -> dict[str, Any]:
    """A good token's claims; a change to `...` takes one away."""
    now = int(time.time())
    good = {
        "aud": APP,
        "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "oid": PERSON,
        "tid": TENANT,
        "scp": "access_as_user",
        "ver": "2.0",
        "azp": "1fec8e78-bce4-4aaf-ab1b-5451cc387264",
        "preferred_username": "grace@contoso.example",
    }
    return {
        name: now + int(value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in (good | changed).items()
        if value is not ...
    }


def signed(content: Mapping[str, Any]) -> str:
    return jwt.encode(dict(content), OURS, algorithm="RS256", headers={"kid": "current"})


def unsigned(content: Mapping[str, Any]) -> str:
    return handmade({"alg": "none", "typ": "JWT", "kid": "current"}, content)


def handmade(header: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, content))
    return ".".join((*parts, ""))


def after(seconds: int) -> timedelta:
    """A moment that is counted from when the token is made, not from when the tests were collected."""
    return timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"aud": f"api://botid-{APP}"},
        {"oid": PERSON.upper()},
        {"idtyp": "user"},
        {"exp": after(-240), "nbf": after(-4000)},
        {"nbf": after(240), "iat": after(240)},
    ],
    ids=[
        "as Entra issues it",
        "for the name that Teams asks for",
        "object id in capitals",
        "says user",
        "clock behind",
        "clock ahead",
    ],
)
def test_persons_own_token_is_taken(changed: dict[str, object]) -> None:
    check_sign_in(signed(claims(**changed)), PUBLIC, BOT, PERSON)


def test_tokens_of_another_cloud_are_checked_against_its_authority() -> None:
    government = EntraApp(TENANT, APP, "https://login.microsoftonline.us/")
    token = signed(claims(iss=f"https://login.microsoftonline.us/{TENANT}/v2.0"))

    check_sign_in(token, PUBLIC, government, PERSON)

    with pytest.raises(RejectedError, match="the issuer is not our tenant"):
        check_sign_in(token, PUBLIC, BOT, PERSON)
    assert government.metadata_url == (
        f"https://login.microsoftonline.us/{TENANT}/v2.0/.well-known/openid-configuration"
    )


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"oid": OTHER}, "the token is somebody else's"),
        ({"oid": ""}, "the token is somebody else's"),
        ({"oid": [PERSON]}, "the token is somebody else's"),
        ({"tid": OTHER}, "the token is of another tenant"),
        ({"tid": 7}, "the token is of another tenant"),
        ({"iss": f"https://login.microsoftonline.com/{OTHER}/v2.0"}, "the issuer is not our tenant"),
        ({"iss": f"https://sts.windows.net/{TENANT}/"}, "the issuer is not our tenant"),
        ({"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0/"}, "the issuer is not our tenant"),
        ({"iss": f"http://login.microsoftonline.com/{TENANT}/v2.0"}, "the issuer is not our tenant"),
        ({"iss": "https://api.botframework.com"}, "the issuer is not our tenant"),
        ({"aud": "https://graph.microsoft.com"}, "the audience is not our bot"),
        ({"aud": f"api://botid-{OTHER}"}, "the audience is not our bot"),
        ({"aud": f"api://{APP}"}, "the audience is not our bot"),
        ({"aud": [APP]}, "the token is for several audiences"),
        ({"aud": [APP, "https://graph.microsoft.com"]}, "the token is for several audiences"),
        ({"ver": "1.0"}, "the token is not of version 2.0"),
        ({"ver": 2.0}, "the token is not of version 2.0"),
        ({"exp": after(-360)}, "the token has expired"),
        ({"nbf": after(360)}, "the token is not valid yet"),
        ({"iat": after(360)}, "the token is not valid yet"),
        ({"exp": "tomorrow"}, "the token is malformed"),
        ({"idtyp": "app"}, "the token is an app's"),
        ({"idtyp": "device"}, "the token is an app's"),
        ({"scp": " "}, "the token is an app's"),
        ({"scp": ["access_as_user"]}, "the token is an app's"),
        *[
            ({name: ...}, "a required claim is missing")
            for name in ("iss", "aud", "exp", "nbf", "iat", "tid", "oid", "scp", "ver")
        ],
    ],
)
def test_token_is_refused_with_the_check_that_failed(changed: dict[str, object], why: str) -> None:
    token = signed(claims(**changed))

    with pytest.raises(RejectedError, match=why) as refused:
        check_sign_in(token, PUBLIC, BOT, PERSON)

    assert refused.value.reason == "sign-in-refused"
    assert token not in str(refused.value)


def test_nobody_is_signed_in_as_nobody() -> None:
    with pytest.raises(RejectedError, match="somebody else's"):
        check_sign_in(signed(claims(oid="")), PUBLIC, BOT, "")


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (jwt.encode(claims(), FOREIGN, algorithm="RS256", headers={"kid": "current"}), "signature does not match"),
        (signed(claims()).rpartition(".")[0] + ".", "signature does not match"),
        (unsigned(claims()), "malformed"),
        (jwt.encode(claims(), "x" * 32, algorithm="HS256"), "malformed"),
        (jwt.encode(claims(), OURS, algorithm="PS256"), "malformed"),
        ("nothing", "malformed"),
    ],
    ids=["foreign key", "no signature", "alg none", "HS256", "PS256", "no token"],
)
def test_token_that_our_tenant_did_not_sign_is_refused(token: str, why: str) -> None:
    with pytest.raises(RejectedError, match=why):
        check_sign_in(token, PUBLIC, BOT, PERSON)


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "malformed"),
        ("a.b", "malformed"),
        ("a.b.c", "malformed"),
        ("x" * 20_000, "too long"),
        (unsigned({}), "the algorithm is not RS256"),
        (jwt.encode({}, "x" * 32, algorithm="HS256", headers={"kid": "current"}), "the algorithm is not RS256"),
        (jwt.encode({}, OURS, algorithm="RS256"), "the token names no key"),
        (jwt.encode({}, OURS, algorithm="RS256", headers={"kid": ""}), "the token names no key"),
    ],
    ids=["nothing", "two parts", "no JSON", "huge", "alg none", "HS256", "no key id", "empty key id"],
)
def test_header_that_cannot_be_right_is_refused_before_any_key_is_looked_for(token: str, why: str) -> None:
    with pytest.raises(RejectedError, match=why) as refused:
        signing_key_id(token)

    assert refused.value.reason == "sign-in-refused"


def test_token_that_demands_an_extension_is_refused() -> None:
    token = handmade({"alg": "RS256", "kid": "current", "crit": ["b64"], "b64": True}, claims())

    with pytest.raises(RejectedError, match="the token demands an extension"):
        signing_key_id(token)


def test_key_id_is_read_from_the_header() -> None:
    assert signing_key_id(signed(claims())) == "current"
