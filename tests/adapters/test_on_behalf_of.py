"""An approver's click becomes their own token for the gateway, or a refusal that says what to do."""

from collections.abc import AsyncIterator

import httpx
import jwt
import pytest

from sandbox import cast
from sandbox.tenant import BOT_APP_ID, GATEWAY_CLIENT_ID, TENANT_ID
from sandbox.tokens import issue_token, read_token
from shared.adapters.on_behalf_of import OnBehalfOf
from shared.adapters.signing_keys import SigningKeys
from shared.adapters.system_clock import SystemClock
from shared.errors import RejectedError, RetryLaterError
from shared.wire.sign_in import EntraApp
from tests.sandbox.login_under_test import Login, ManagedIdentity, running_login, trust

OBO = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture(scope="module")
async def login(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Login]:
    async with running_login(tmp_path_factory.mktemp("login")) as running:
        trust(running)
        yield running


def on_behalf_of(login: Login, identity: ManagedIdentity | None = None) -> OnBehalfOf:
    bot = EntraApp(TENANT_ID, BOT_APP_ID, login.url)
    keys = SigningKeys(login.client, bot.metadata_url, SystemClock())
    return OnBehalfOf(keys, identity or ManagedIdentity(), bot, GATEWAY_CLIENT_ID)


async def test_click_becomes_the_approvers_own_token_for_the_gateway(login: Login) -> None:
    sso_token = await login.sso_token(cast.GRACE.id)

    token = await on_behalf_of(login).exchange(sso_token, cast.GRACE.id)

    assert read_token(token, audience=GATEWAY_CLIENT_ID)["sub"] == cast.GRACE.subject


async def test_token_for_the_name_that_teams_asks_for_is_taken(login: Login) -> None:
    sso_token = await login.sso_token(cast.GRACE.id, aud=f"api://botid-{BOT_APP_ID}")

    token = await on_behalf_of(login).exchange(sso_token, cast.GRACE.id)

    assert read_token(token)["sub"] == cast.GRACE.subject


async def test_keys_are_fetched_once_for_many_clicks_and_a_newer_key_waits_for_the_next_fetch(login: Login) -> None:
    before = await login.asked("keys")
    exchange = on_behalf_of(login).exchange
    for _ in range(3):
        await exchange(await login.sso_token(cast.GRACE.id), cast.GRACE.id)
    fetched = await login.asked("keys") - before
    await login.client.post("/sandbox/keys/rotate")

    with pytest.raises(RejectedError, match="the key is unknown"):
        await exchange(await login.sso_token(cast.GRACE.id), cast.GRACE.id)

    assert fetched == 1


@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        ({"oid": cast.ADA.id}, "somebody else's"),
        ({"tid": "7e7e0000-0000-4000-8000-00000000ffff"}, "another tenant"),
        ({"aud": "https://graph.microsoft.com"}, "the audience is not our bot"),
        ({"iss": "https://login.microsoftonline.com/common/v2.0"}, "the issuer is not our tenant"),
        ({"exp": 1_700_000_000}, "expired"),
        ({"ver": "1.0"}, "version"),
        ({"scp": None, "idtyp": "app"}, "missing"),
        ({"idtyp": "app"}, "an app's"),
    ],
    ids=["somebody else", "other tenant", "other audience", "other issuer", "expired", "v1", "no scope", "app-only"],
)
async def test_token_that_is_not_the_clickers_own_is_refused_and_never_reaches_entra(
    login: Login, overrides: dict[str, object], why: str
) -> None:
    sso_token = await login.sso_token(cast.GRACE.id, **overrides)
    before = await login.asked(OBO)

    with pytest.raises(RejectedError, match=why) as refused:
        await on_behalf_of(login).exchange(sso_token, cast.GRACE.id)

    assert refused.value.reason == "sign-in-refused"
    assert sso_token not in str(refused.value)
    assert await login.asked(OBO) == before


async def test_forged_token_is_refused_although_it_names_a_key_of_ours(login: Login) -> None:
    header, payload, signature = (await login.sso_token(cast.GRACE.id)).split(".")
    _, foreign, _ = (await login.sso_token(cast.ADA.id)).split(".")
    assert payload != foreign

    with pytest.raises(RejectedError, match="the signature does not match"):
        await on_behalf_of(login).exchange(f"{header}.{foreign}.{signature}", cast.ADA.id)


async def test_managed_identitys_own_token_is_no_sign_in(login: Login) -> None:
    forged = issue_token(audience=BOT_APP_ID, object_id=cast.GRACE.id)

    with pytest.raises(RejectedError, match="the algorithm is not RS256"):
        await on_behalf_of(login).exchange(forged, cast.GRACE.id)


@pytest.mark.parametrize("switch", ["consentMissing", "interactionRequired"])
async def test_person_who_has_to_agree_or_prove_more_first_is_told_so(login: Login, switch: str) -> None:
    sso_token = await login.sso_token(cast.GRACE.id)
    await login.switched(**{switch: True})

    with pytest.raises(RejectedError) as refused:
        await on_behalf_of(login).exchange(sso_token, cast.GRACE.id)

    await login.switched(**{switch: False})
    assert refused.value.reason == "consent-needed"
    assert sso_token not in str(refused.value)


async def test_person_whom_entra_does_not_accept_is_refused(login: Login) -> None:
    nobody = "7e7e0000-0000-4000-8000-00000000fffe"
    sso_token = await login.sso_token(cast.GRACE.id, oid=nobody)

    with pytest.raises(RejectedError, match="Entra: invalid_grant") as refused:
        await on_behalf_of(login).exchange(sso_token, nobody)

    assert refused.value.reason == "sign-in-refused"


@pytest.mark.parametrize(
    "status",
    [{"code": 429}, {"code": 500}, {"code": 503}, {"code": 502, "html": True}, {"code": 200, "html": True}],
    ids=["throttled", "500", "503", "a proxy's page", "a proxy's page as if all were well"],
)
async def test_busy_entra_is_asked_once_and_the_click_may_be_repeated(login: Login, status: dict[str, object]) -> None:
    exchange = on_behalf_of(login).exchange
    sso_token = await login.sso_token(cast.GRACE.id)
    await exchange(sso_token, cast.GRACE.id)
    await login.switched(status={**status, "retryAfter": 30, "count": 1})

    with pytest.raises(RetryLaterError, match="no-token"):
        await exchange(sso_token, cast.GRACE.id)

    assert read_token(await exchange(sso_token, cast.GRACE.id))["sub"] == cast.GRACE.subject


async def test_entra_that_hangs_does_not_hold_the_click(login: Login) -> None:
    exchange = on_behalf_of(login).exchange
    sso_token = await login.sso_token(cast.GRACE.id)
    await exchange(sso_token, cast.GRACE.id)
    await login.switched(latencyMs=6000)

    with pytest.raises(RetryLaterError, match="no-token"):
        await exchange(sso_token, cast.GRACE.id)

    await login.switched(latencyMs=0)


@pytest.mark.parametrize(
    "identity", [ManagedIdentity(cast.ADA.id), ManagedIdentity(gone=True)], ids=["not federated", "gone"]
)
async def test_bot_that_cannot_prove_who_it_is_blames_nobody_who_clicks(
    login: Login, identity: ManagedIdentity
) -> None:
    sso_token = await login.sso_token(cast.GRACE.id)

    with pytest.raises(RetryLaterError, match="no-token"):
        await on_behalf_of(login, identity).exchange(sso_token, cast.GRACE.id)


async def test_unreachable_entra_leaves_the_click_to_be_repeated(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with running_login(tmp_path_factory.mktemp("own")) as own:
        trust(own)
        sso_token = await own.sso_token(cast.GRACE.id)
        known, unknown = on_behalf_of(own), on_behalf_of(own)
        await known.exchange(sso_token, cast.GRACE.id)
        own.process.kill()
        own.process.wait(10)

        with pytest.raises(RetryLaterError, match="no-token"):
            await known.exchange(sso_token, cast.GRACE.id)
        with pytest.raises(RetryLaterError, match="signing-keys-unavailable"):
            await unknown.exchange(sso_token, cast.GRACE.id)


async def test_entra_is_not_believed_without_a_certificate_of_its_authority(login: Login) -> None:
    bot = EntraApp(TENANT_ID, BOT_APP_ID, login.url)
    async with httpx.AsyncClient(trust_env=False) as distrusting:
        keys = SigningKeys(distrusting, bot.metadata_url, SystemClock())

        with pytest.raises(RetryLaterError, match="signing-keys-unavailable"):
            await OnBehalfOf(keys, ManagedIdentity(), bot, GATEWAY_CLIENT_ID).exchange(
                await login.sso_token(cast.GRACE.id), cast.GRACE.id
            )


async def test_gateways_token_is_no_way_back_into_the_bot(login: Login) -> None:
    exchange = on_behalf_of(login).exchange
    token = await exchange(await login.sso_token(cast.GRACE.id), cast.GRACE.id)

    with pytest.raises(RejectedError, match="sign-in-refused"):
        await exchange(token, cast.GRACE.id)

    assert jwt.decode(token, options={"verify_signature": False})["aud"] == GATEWAY_CLIENT_ID
