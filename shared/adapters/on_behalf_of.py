"""An approver's own token for the gateway, from the token that Teams hands over with the click.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
"""

from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, HttpResponseError

from shared.adapters.signing_keys import SigningKeys
from shared.adapters.tokens import client_assertion
from shared.domain.clouds import WORLDWIDE
from shared.errors import RejectedError, RetryLaterError, TetherError
from shared.wire.sign_in import EntraApp, check_sign_in, signing_key_id

_NEEDS_PERSON = ("interaction_required", "consent_required", "login_required")
# Entra says `invalid_grant` as well when only the person can go on, and then gives one of these reasons.
_NEEDS_PERSON_WITHIN = (
    "consent_required",
    "basic_action",
    "additional_action",
    "message_only",
    "user_password_expired",
)


class OnBehalfOf:
    """Exchanges people's tokens, as the bot, for tokens of the gateway that name the same people."""

    def __init__(
        self,
        keys: SigningKeys,
        managed_identity: AsyncTokenCredential,
        bot: EntraApp,
        gateway_client_id: str,
        federation_scope: str = WORLDWIDE.federation_scope,
    ) -> None:
        self._keys = keys
        self._managed_identity = managed_identity
        self._bot = bot
        self._scope = f"{gateway_client_id}/.default"
        self._federation_scope = federation_scope

    async def exchange(self, sso_token: str, person_object_id: str) -> str:
        """The gateway token of the person whose click was authenticated.

        Raises:
            RejectedError: `sign-in-refused`, when the token is not this person's own and valid one, or Entra does not
                accept it; `consent-needed`, when the person has to agree or to prove more first.
            RetryLaterError: Entra cannot be reached, is busy, or does not know the bot.
        """
        key = await self._keys.find(signing_key_id(sso_token))
        if key is None:
            raise RejectedError("sign-in-refused", "the key is unknown")
        check_sign_in(sso_token, key.public_key, self._bot, person_object_id)
        try:
            return await self._exchanged(sso_token)
        except AzureError as error:
            raise _judged(error) from error

    async def _exchanged(self, sso_token: str) -> str:
        from azure.identity.aio import OnBehalfOfCredential  # noqa: PLC0415 - as late as bootstrap needs it

        assertion = await client_assertion(self._managed_identity, self._federation_scope)
        async with OnBehalfOfCredential(
            self._bot.tenant_id,
            self._bot.app_id,
            client_assertion_func=lambda: assertion,
            user_assertion=sso_token,
            authority=self._bot.authority,
            # Somebody has clicked and waits: what does not answer at once is reported, and they click again.
            retry_total=0,
            connection_timeout=1.5,
            read_timeout=2.5,
        ) as credential:
            return (await credential.get_token(self._scope)).token


def _judged(error: AzureError) -> TetherError:
    said = _document(error)
    word, codes = said.get("error"), said.get("error_codes") or ""
    detail = f"Entra: {word or type(error).__name__} {codes}".strip()
    if word in _NEEDS_PERSON or said.get("suberror") in _NEEDS_PERSON_WITHIN:
        return RejectedError("consent-needed", detail)
    if word == "invalid_grant":
        return RejectedError("sign-in-refused", detail)
    return RetryLaterError("no-token", detail)


def _document(error: AzureError) -> dict[str, Any]:
    """What Entra said; empty when it said nothing that can be read."""
    response: Any = error.response if isinstance(error, HttpResponseError) else None
    try:
        document = response.json() if response is not None else {}
    except (ValueError, AzureError):
        return {}
    return document if isinstance(document, dict) else {}
