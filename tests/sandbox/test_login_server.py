"""The sign-in server speaks Entra's protocol well enough for Microsoft's own credentials."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest

from sandbox import cast
from sandbox.login.grants import BOT_OBJECT_ID
from sandbox.supervisor.certificates import issue_certificates
from sandbox.tenant import BOT_APP_ID, GATEWAY_CLIENT_ID, TENANT_ID
from sandbox.tokens import SIGNING_KEY, read_token
from tests.sandbox.login_under_test import Login, assertion, bot_form, person_form, running_login

STRANGER = "7e7e0000-0000-4000-8000-00000000ffff"
ASK_AS_THE_BOT = """
import asyncio, sys
from azure.identity.aio import ClientAssertionCredential

async def main():
    authority, tenant, app, assertion = sys.argv[1:]
    async with ClientAssertionCredential(tenant, app, lambda: assertion, authority=authority) as credential:
        print((await credential.get_token("https://api.botframework.com/.default")).token)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
async def login(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Login]:
    async with running_login(tmp_path_factory.mktemp("login")) as running:
        yield running


def aged_assertion() -> str:
    claims = read_token(assertion()) | {"exp": int(time.time()) - 60}
    return jwt.encode(claims, SIGNING_KEY, algorithm="HS256")


def forged_assertion() -> str:
    return jwt.encode(read_token(assertion()), "somebody's own key, which is long enough", algorithm="HS256")


async def test_metadata_and_keys_prove_a_persons_token(login: Login) -> None:
    metadata = (await login.client.get(f"/{TENANT_ID}/v2.0/.well-known/openid-configuration")).json()
    keys = jwt.PyJWKSet.from_dict((await login.client.get(metadata["jwks_uri"])).json())
    token = await login.sso_token(cast.GRACE.id)

    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=BOT_APP_ID, issuer=metadata["issuer"])

    assert metadata["issuer"] == f"{login.url}/{TENANT_ID}/v2.0"
    assert metadata["token_endpoint"] == f"{login.url}/{TENANT_ID}/oauth2/v2.0/token"
    assert (claims["oid"], claims["tid"], claims["ver"]) == (cast.GRACE.id, TENANT_ID, "2.0")
    assert (claims["preferred_username"], claims["scp"]) == (cast.GRACE.email, "access_as_user")


async def test_managed_identitys_word_gets_the_bot_its_token(login: Login) -> None:
    answer = await login.token(bot_form())

    assert answer.status_code == 200
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3599)
    claims = read_token(answer.json()["access_token"], audience="https://api.botframework.com")
    assert claims["oid"] == BOT_OBJECT_ID


async def test_microsofts_credential_trusts_the_server_when_ssl_cert_file_names_its_authority(login: Login) -> None:
    arguments = (login.url, TENANT_ID, BOT_APP_ID, assertion())
    command = [sys.executable, "-c", ASK_AS_THE_BOT, *arguments]

    asked = subprocess.run(  # noqa: ASYNC221
        command,
        env={**os.environ, "SSL_CERT_FILE": str(login.certificates.authorities), "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert read_token(asked.stdout.strip(), audience="https://api.botframework.com")["oid"] == BOT_OBJECT_ID


@pytest.mark.parametrize(
    ("changed", "error", "code", "status"),
    [
        ({"client_assertion": None}, "invalid_client", 7000218, 401),
        ({"client_assertion_type": "password"}, "invalid_client", 7000218, 401),
        ({"client_assertion": assertion(STRANGER)}, "invalid_client", 700213, 401),
        ({"client_assertion": assertion(audience="https://graph.microsoft.com")}, "invalid_client", 700212, 401),
        ({"client_assertion": aged_assertion()}, "invalid_client", 700024, 401),
        ({"client_assertion": forged_assertion()}, "invalid_client", 700027, 401),
        ({"client_assertion": "no token"}, "invalid_client", 700027, 401),
        ({"client_id": STRANGER}, "unauthorized_client", 700016, 400),
        ({"client_id": None}, "invalid_request", 900144, 400),
        ({"scope": "https://graph.microsoft.com/.default"}, "invalid_scope", 70011, 400),
        ({"scope": None}, "invalid_request", 900144, 400),
        ({"grant_type": "password"}, "unsupported_grant_type", 70003, 400),
        ({"grant_type": None}, "invalid_request", 900144, 400),
    ],
    ids=[
        "no assertion",
        "other type of assertion",
        "other managed identity",
        "assertion for Graph",
        "expired assertion",
        "forged assertion",
        "nonsense",
        "unknown app",
        "no app",
        "other scope",
        "no scope",
        "other grant",
        "no grant",
    ],
)
async def test_bot_gets_no_token_when_the_request_is_not_right(
    login: Login, changed: dict[str, str | None], error: str, code: int, status: int
) -> None:
    answer = await login.token(bot_form(**changed))

    assert answer.status_code == status
    assert (answer.json()["error"], answer.json()["error_codes"]) == (error, [code])
    assert answer.json()["error_description"].startswith(f"AADSTS{code}: ")


async def test_another_tenant_is_unknown(login: Login) -> None:
    answer = await login.token(bot_form(), tenant=STRANGER)

    assert (answer.json()["error"], answer.json()["error_codes"]) == ("invalid_tenant", [90002])


@pytest.mark.parametrize("audience", [BOT_APP_ID, f"api://botid-{BOT_APP_ID}"])
async def test_persons_token_becomes_one_for_the_gateway_with_their_subject_there(login: Login, audience: str) -> None:
    token = await login.sso_token(cast.ALAN.id, aud=audience)

    answer = await login.token(person_form(token))

    claims = read_token(answer.json()["access_token"], audience=GATEWAY_CLIENT_ID)
    assert claims["sub"] == cast.ALAN.subject
    assert answer.json()["scope"] == f"{GATEWAY_CLIENT_ID}/.default"


async def test_somebody_beside_the_cast_can_sign_in_once_added(login: Login) -> None:
    unknown = await login.client.post("/sandbox/sso-token", json={"object_id": STRANGER})
    await login.client.post("/sandbox/people", json={"object_id": STRANGER, "subject": "pairwise-stranger"})

    answer = await login.token(person_form(await login.sso_token(STRANGER)))

    assert unknown.status_code == 404
    assert read_token(answer.json()["access_token"])["sub"] == "pairwise-stranger"


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        ({"exp": 1}, 500133),
        ({"aud": "00000003-0000-0000-c000-000000000000"}, 500131),
        ({"iss": "https://login.example/v2.0"}, 50013),
        ({"oid": "7e7e0000-0000-4000-8000-00000000fffe"}, 50034),
    ],
    ids=["expired", "for another app", "other issuer", "nobody"],
)
async def test_persons_token_that_does_not_hold_is_an_invalid_grant(
    login: Login, overrides: dict[str, object], code: int
) -> None:
    token = await login.sso_token(cast.ALAN.id, **overrides)

    answer = await login.token(person_form(token))

    assert answer.status_code == 400
    assert (answer.json()["error"], answer.json()["error_codes"]) == ("invalid_grant", [code])


async def test_managed_identitys_token_is_nobodys_sign_in(login: Login) -> None:
    answer = await login.token(person_form(assertion(audience=BOT_APP_ID)))

    assert (answer.json()["error"], answer.json()["error_codes"]) == ("invalid_grant", [50013])


async def test_nobody_is_acted_for_without_saying_so(login: Login) -> None:
    answer = await login.token(person_form(await login.sso_token(cast.ALAN.id), requested_token_use=None))

    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("switch", "error", "suberror"),
    [
        ("consentMissing", "invalid_grant", "consent_required"),
        ("interactionRequired", "interaction_required", "basic_action"),
    ],
)
async def test_person_is_asked_for_more_while_a_switch_says_so(
    login: Login, switch: str, error: str, suberror: str
) -> None:
    token = await login.sso_token(cast.ALAN.id)
    await login.switched(**{switch: True})

    asked = await login.token(person_form(token))
    await login.switched(**{switch: False})
    answer = await login.token(person_form(token))

    assert (asked.json()["error"], asked.json()["suberror"]) == (error, suberror)
    assert answer.status_code == 200


async def test_status_switch_applies_as_often_as_it_says_and_spares_the_control_routes(login: Login) -> None:
    await login.switched(status={"code": 429, "retryAfter": 7, "count": 2})

    answers = [await login.token(bot_form()) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"


async def test_unknown_switch_sets_nothing(login: Login) -> None:
    answer = await login.client.put("/sandbox/switches", json={"consentMissing": True, "consent": True})

    assert answer.status_code == 400
    assert (await login.client.get("/sandbox/switches")).json()["consentMissing"] is False


async def test_override_of_nothing_leaves_a_claim_out(login: Login) -> None:
    token = await login.sso_token(cast.ALAN.id, scp=None, idtyp="app")

    claims = jwt.decode(token, options={"verify_signature": False})

    assert "scp" not in claims
    assert claims["idtyp"] == "app"


async def test_token_of_the_key_before_stays_good_after_a_rotation(login: Login) -> None:
    before = await login.sso_token(cast.ALAN.id)
    kid = (await login.client.post("/sandbox/keys/rotate")).json()["kid"]
    after = await login.sso_token(cast.ALAN.id)

    answers = [await login.token(person_form(token)) for token in (before, after)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert jwt.get_unverified_header(before)["kid"] != jwt.get_unverified_header(after)["kid"] == kid


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
async def test_sign_in_server_exits_with_zero_when_terminated(tmp_path: Path) -> None:
    async with running_login(tmp_path) as own:
        own.process.send_signal(signal.SIGTERM)

        assert own.process.wait(10) == 0


def test_each_run_has_an_authority_of_its_own(tmp_path: Path) -> None:
    first = issue_certificates(tmp_path, os.environ).authorities.read_bytes()

    second = issue_certificates(tmp_path, os.environ).authorities.read_bytes()

    assert first != second
