"""Bearer tokens of Tether's managed identity."""

from collections.abc import Awaitable, Callable, Mapping

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError

from shared.errors import RetryLaterError


def bearer(credential: AsyncTokenCredential, scope: str) -> Callable[[], Awaitable[Mapping[str, str]]]:
    """A source of `Authorization` headers; the credential caches and renews the token behind it."""

    async def headers() -> Mapping[str, str]:
        try:
            token = await credential.get_token(scope)
        except (ClientAuthenticationError, HttpResponseError, ServiceRequestError) as error:
            raise RetryLaterError("no-token", f"the managed identity got no token for {scope}") from error
        return {"Authorization": f"Bearer {token.token}"}

    return headers


def api_key(value: str) -> Callable[[], Awaitable[Mapping[str, str]]]:
    """A source of headers for a gateway API key: `hpk_` keys are bearer tokens, older ones have their own header."""
    header = {"Authorization": f"Bearer {value}"} if value.startswith("hpk_") else {"Api-Key": value}

    async def headers() -> Mapping[str, str]:
        return header

    return headers
