"""Azure Key Vault: what is kept there and until when, read without any value."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from shared.domain.posture.vault import VaultVersion
from shared.errors import RejectedError, RetryLaterError

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretProperties
    from azure.keyvault.secrets.aio import SecretClient

AT_ONCE = 8
API_VERSION = "7.4"
"""Known in every cloud, which the library's own choice need not be."""

TIMEOUT, RETRIES = 20, 3
KEY_TAGS = ("keyId", "CredentialId")
"""Tags that say which credential a version holds: ours, and that of Microsoft's rotation samples."""

APP_TAGS = ("appObjectId", "appId")


class KeyVaults:
    """See `Vaults`. A certificate is listed among the secrets, as its private key is one."""

    def __init__(self, credential: AsyncTokenCredential) -> None:
        self._credential = credential

    async def versions(self, vault_url: str) -> tuple[VaultVersion, ...]:
        """See `Vaults.versions`.

        Raises:
            RejectedError: `vault-403`, `vault-404` or the like: asking again changes nothing.
            RetryLaterError: `vault-unreachable`, `vault-429` or the like.
        """
        # Loaded here because only those who name a vault need it.
        from azure.keyvault.secrets.aio import SecretClient  # noqa: PLC0415

        try:
            client = SecretClient(
                vault_url,
                self._credential,
                api_version=API_VERSION,
                connection_timeout=TIMEOUT,
                read_timeout=TIMEOUT,
                retry_total=RETRIES,
            )
            async with client:
                return await _read(client)
        except HttpResponseError as error:
            raise _judged(error) from error
        except (AzureError, ValueError) as error:
            raise RetryLaterError("vault-unreachable", f"{vault_url}: {type(error).__name__}") from error


async def _read(client: "SecretClient") -> tuple[VaultVersion, ...]:
    names = [one.name async for one in client.list_properties_of_secrets() if one.name]
    slots = asyncio.Semaphore(AT_ONCE)

    async def of(name: str) -> list[VaultVersion]:
        async with slots:
            try:
                return [_version(one) async for one in client.list_properties_of_secret_versions(name)]
            except ResourceNotFoundError:
                return []  # deleted since it was listed

    found = await asyncio.gather(*(of(name) for name in sorted(names)))
    return tuple(one for some in found for one in some)


def _version(one: "SecretProperties") -> VaultVersion:
    tags = {str(name).casefold(): str(value) for name, value in (one.tags or {}).items()}
    return VaultVersion(
        one.vault_url or "",
        one.name or "",
        one.version or "",
        _tag(tags, KEY_TAGS),
        one.enabled is not False,
        one.expires_on,
        _tag(tags, APP_TAGS),
    )


def _tag(tags: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((tags[name.casefold()] for name in names if tags.get(name.casefold())), "")


def _judged(error: HttpResponseError) -> RejectedError | RetryLaterError:
    status = error.status_code or 0
    if status == 429 or status >= 500 or not status:
        return RetryLaterError(f"vault-{status}" if status else "vault-unreachable", error.reason or "")
    return RejectedError(f"vault-{status}", "check the vault's URL, its firewall and the role Key Vault Reader")
