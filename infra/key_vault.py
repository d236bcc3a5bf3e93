"""Secrets into Key Vault, over its REST API, as whoever is signed in to the Azure CLI."""

from typing import Protocol

import httpx

from infra.stopped import StoppedError
from shared.domain.clouds import CloudName

SUFFIXES = {
    CloudName.WORLDWIDE: "vault.azure.net",
    CloudName.US_GOVERNMENT: "vault.usgovcloudapi.net",
    CloudName.US_DEFENCE: "vault.usgovcloudapi.net",
    CloudName.CHINA: "vault.azure.cn",
}
API_VERSION = "7.4"
_ADVICE = {
    401: "sign in again: az login",
    403: "you need the role Key Vault Secrets Officer on this vault, and a network that it lets in",
}


class Keeper(Protocol):
    """Where secrets go."""

    def check(self, name: str) -> None:
        """Nothing when this secret could be kept; raises `StoppedError` before anything was made that needs it."""

    def keep(self, name: str, value: str) -> None:
        """Keep a secret. Raises `StoppedError`; then it is not kept."""


class KeyVault:
    """A vault; each secret that is kept again becomes a new version of itself."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def check(self, name: str) -> None:
        """See `Keeper.check`; a secret that is not there yet could be kept."""
        if self._request("GET", name).status_code not in (200, 404):
            raise StoppedError(f"Key Vault has {name}, and it is disabled or being deleted")

    def keep(self, name: str, value: str) -> None:
        """See `Keeper.keep`."""
        answer = self._request("PUT", name, {"value": value})
        if answer.status_code != 200:
            raise StoppedError(f"Key Vault did not take {name}: {answer.status_code}")
        print(f"  in the vault as {name}")

    def _request(self, method: str, name: str, body: object = None) -> httpx.Response:
        try:
            answer = self._client.request(method, f"/secrets/{name}", params={"api-version": API_VERSION}, json=body)
        except httpx.HTTPError as error:
            raise StoppedError(f"Key Vault cannot be reached at {self._client.base_url}: {error}") from error
        if answer.status_code in _ADVICE:
            raise StoppedError(f"Key Vault said {answer.status_code}: {_ADVICE[answer.status_code]}")
        return answer


class Terminal:
    """Shows secrets instead of keeping them, to whoever asked for just that."""

    def check(self, name: str) -> None:
        """See `Keeper.check`."""

    def keep(self, name: str, value: str) -> None:
        """See `Keeper.keep`."""
        print(f"  {name}: {value}")


def open_vault(vault: str, cloud: CloudName) -> KeyVault:
    """The vault of this name, as whoever is signed in to the Azure CLI. Raises `StoppedError`."""
    from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415 - not needed to read --help
    from azure.identity import AzureCliCredential  # noqa: PLC0415

    suffix = SUFFIXES[cloud]
    try:
        token = AzureCliCredential().get_token(f"https://{suffix}/.default").token
    except ClientAuthenticationError as error:
        raise StoppedError("the Azure CLI is not signed in: az login --tenant YOUR-TENANT") from error
    headers = {"Authorization": f"Bearer {token}"}
    return KeyVault(httpx.Client(base_url=f"https://{vault}.{suffix}", headers=headers, timeout=30.0))
