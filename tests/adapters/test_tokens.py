"""The bot signs in without a secret: the managed identity vouches for it, or is it."""

from collections.abc import AsyncIterator

import pytest
from azure.core.credentials_async import AsyncTokenCredential

from sandbox import cast
from sandbox.login.grants import BOT_OBJECT_ID
from sandbox.tenant import BOT_APP_ID, TENANT_ID, TETHER_CLIENT_ID
from sandbox.tokens import read_token
from shared.adapters.tokens import bearer, bot_credential
from shared.errors import RetryLaterError
from tests.sandbox.login_under_test import Login, ManagedIdentity, running_login, trust

BOT_FRAMEWORK = "https://api.botframework.com"


@pytest.fixture(scope="module")
async def login(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Login]:
    async with running_login(tmp_path_factory.mktemp("login")) as running:
        trust(running)
        yield running


def credential(login: Login, identity: ManagedIdentity, bot_app_id: str = BOT_APP_ID) -> AsyncTokenCredential:
    return bot_credential(
        identity,
        tenant_id=TENANT_ID,
        bot_app_id=bot_app_id,
        managed_identity_client_id=TETHER_CLIENT_ID,
        authority=login.url,
    )


async def test_managed_identity_vouches_for_the_bot_which_asks_once_for_many_calls(login: Login) -> None:
    before = await login.asked("client_credentials")

    async with credential(login, ManagedIdentity()) as bot:
        headers = bearer(bot, f"{BOT_FRAMEWORK}/.default")
        given = [await headers() for _ in range(3)]

    kind, _, token = given[0]["Authorization"].partition(" ")
    assert (kind, read_token(token, audience=BOT_FRAMEWORK)["oid"]) == ("Bearer", BOT_OBJECT_ID)
    assert given == [given[0]] * 3
    assert await login.asked("client_credentials") - before == 1


async def test_managed_identity_that_is_the_bot_speaks_for_itself(login: Login) -> None:
    identity = ManagedIdentity()

    bot = credential(login, identity, bot_app_id=TETHER_CLIENT_ID)

    assert bot is identity


async def test_managed_identity_stays_open_when_the_bots_credential_is_closed(login: Login) -> None:
    identity = ManagedIdentity()

    await credential(login, identity).close()

    assert identity.is_open


@pytest.mark.parametrize(
    "identity", [ManagedIdentity(cast.ADA.id), ManagedIdentity(gone=True)], ids=["not federated", "gone"]
)
async def test_bot_without_a_token_tries_again_later(login: Login, identity: ManagedIdentity) -> None:
    async with credential(login, identity) as bot:
        with pytest.raises(RetryLaterError, match="no-token"):
            await bearer(bot, f"{BOT_FRAMEWORK}/.default")()
