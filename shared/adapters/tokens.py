"""Bearer tokens of Tether's managed identity, and of the bot, whom it vouches for: no secret anywhere."""

from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError

from shared.domain.clouds import WORLDWIDE
from shared.errors import RetryLaterError


def bearer(credential: AsyncTokenCredential, scope: str) -> Callable[[], Awaitable[Mapping[str, str]]]:
    """A source of `Authorization` headers; the credential caches and renews the token behind it."""

    async def headers() -> Mapping[str, str]:
        try:
            token = await credential.get_token(scope)
        except AzureError as error:
            raise RetryLaterError("no-token", f"the managed identity got no token for {scope}") from error
        return {"Authorization": f"Bearer {token.token}"}

    return headers


def api_key(value: str) -> Callable[[], Awaitable[Mapping[str, str]]]:
    """A source of headers for a gateway API key: `hpk_` keys are bearer tokens, older ones have their own header."""
    return bearer_token(value) if value.startswith("hpk_") else _always({"Api-Key": value})


def bearer_token(value: str) -> Callable[[], Awaitable[Mapping[str, str]]]:
    """A source of headers for one token."""
    return _always({"Authorization": f"Bearer {value}"})


def _always(header: Mapping[str, str]) -> Callable[[], Awaitable[Mapping[str, str]]]:
    async def headers() -> Mapping[str, str]:
        return header

    return headers


def bot_credential(  # noqa: PLR0913 - each is a setting of its own, and named
    managed_identity: AsyncTokenCredential,
    *,
    tenant_id: str,
    bot_app_id: str,
    managed_identity_client_id: str | None,
    authority: str | None = None,
    federation_scope: str = WORLDWIDE.federation_scope,
) -> AsyncTokenCredential:
    """The bot's credential: the managed identity itself where it is the bot, else one that it vouches for."""
    if bot_app_id == managed_identity_client_id:
        return managed_identity
    return federated_credential(managed_identity, tenant_id, bot_app_id, authority, federation_scope)


def federated_credential(
    managed_identity: AsyncTokenCredential,
    tenant_id: str,
    client_id: str,
    authority: str | None = None,
    federation_scope: str = WORLDWIDE.federation_scope,
) -> AsyncTokenCredential:
    """A credential of an app registration whose federated credential names the managed identity.

    Closing it leaves the managed identity open. Without an authority, `AZURE_AUTHORITY_HOST` or the public cloud's.
    """
    return _FederatedCredential(managed_identity, tenant_id, client_id, authority, federation_scope)


async def client_assertion(managed_identity: AsyncTokenCredential, federation_scope: str) -> str:
    """What the managed identity vouches with, cached and renewed by it; each cloud has its own audience for it."""
    return (await managed_identity.get_token(federation_scope)).token


class _FederatedCredential:
    def __init__(
        self,
        managed_identity: AsyncTokenCredential,
        tenant_id: str,
        client_id: str,
        authority: str | None,
        federation_scope: str,
    ) -> None:
        from azure.identity.aio import ClientAssertionCredential  # noqa: PLC0415 - as late as bootstrap needs it

        self._managed_identity = managed_identity
        self._federation_scope = federation_scope
        self._assertion = ""
        self._app = ClientAssertionCredential(tenant_id, client_id, lambda: self._assertion, authority=authority)

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> AccessToken:
        # The library asks for the assertion without awaiting it, so it has to be there before.
        self._assertion = await client_assertion(self._managed_identity, self._federation_scope)
        return await self._app.get_token(*scopes, claims=claims, tenant_id=tenant_id, **kwargs)

    async def close(self) -> None:
        await self._app.close()

    async def __aenter__(self) -> Self:
        await self._app.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()
