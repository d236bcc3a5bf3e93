"""Requests of the Bot Connector: authenticated by its token, and only then read.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

import jwt

from shared.adapters.signing_keys import SigningKey, SigningKeys
from shared.domain.activities import Activity, Bot
from shared.domain.clouds import WORLDWIDE
from shared.errors import RejectedError
from shared.ports import Clock
from shared.wire.activities import Assurance, parse_activity
from shared.wire.jwt_headers import ALGORITHM, parse_key_id

BOT_FRAMEWORK_ISSUERS = (WORLDWIDE.bot_issuer,)
LEEWAY_SECONDS = 300
LAST_SECOND = 10**12
LARGEST_BODY = 256 * 1024
LONGEST_TOKEN = 16 * 1024

_BEARER = re.compile(r"bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)", re.IGNORECASE)
_REQUIRED = ("iss", "aud", "exp", "nbf", "serviceurl")
# Our clock is the only one here, so the library's time checks are off and `_check_times` does them.
_OPTIONS: Any = {
    "require": list(_REQUIRED),
    "strict_aud": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}
_FAILURES = {
    jwt.InvalidSignatureError: "the signature does not match",
    jwt.InvalidIssuerError: "the issuer is not the Bot Connector",
    jwt.InvalidAudienceError: "the audience is not this bot",
    jwt.MissingRequiredClaimError: "a required claim is missing",
}


class BotTokens:
    """The door for activities: what comes out is authentic, of our tenant and meant for our bot."""

    def __init__(
        self, keys: SigningKeys, bot: Bot, clock: Clock, issuers: Collection[str] = BOT_FRAMEWORK_ISSUERS
    ) -> None:
        self._keys = keys
        self._bot = bot
        self._clock = clock
        self._issuers = tuple(issuers)

    async def authenticate(self, authorization: str | None, body: bytes) -> Activity:
        """The activity that an authentic request carries.

        Raises:
            RejectedError: `unauthenticated` (401) when the token is not the Bot Connector's for this bot, `forbidden`
                (403) when it does not vouch for this activity, `malformed-activity` (400), `body-too-large` (413).
                `detail` says which check failed; neither holds any part of the token.
            RetryLaterError: `signing-keys-unavailable` (503) when nobody can tell.
        """
        if len(body) > LARGEST_BODY:
            raise RejectedError("body-too-large", f"{len(body)} bytes")
        token = _bearer(authorization)
        key = await self._keys.find(_key_id(token))
        if key is None:
            raise _unauthenticated("the key is unknown")
        claims = self._claims(token, key)
        return parse_activity(body, Assurance(claims["serviceurl"], key.endorsements), self._bot)

    def _claims(self, token: str, key: SigningKey) -> Mapping[str, Any]:
        claims: dict[str, Any]
        try:
            claims = jwt.decode(
                token,
                key.public_key,
                algorithms=[ALGORITHM],
                audience=self._bot.app_id,
                issuer=self._issuers,
                options=_OPTIONS,
            )
        except jwt.PyJWTError as error:
            raise _unauthenticated(_FAILURES.get(type(error), "the token is malformed")) from error
        _check_times(claims, self._clock.now().timestamp())
        self._check_parties(claims)
        return claims

    def _check_parties(self, claims: Mapping[str, Any]) -> None:
        """Channels' tokens name no client and no tenant; one that does, must name ours."""
        if any(claims.get(name, self._bot.app_id) != self._bot.app_id for name in ("azp", "appid")):
            raise _unauthenticated("the token was issued to another client")
        if claims.get("tid", self._bot.tenant_id) != self._bot.tenant_id:
            raise _unauthenticated("the token is of another tenant")
        if not isinstance(claims["serviceurl"], str):
            raise _unauthenticated("serviceurl is no text")


def _bearer(authorization: str | None) -> str:
    match = _BEARER.fullmatch(authorization or "") if len(authorization or "") <= LONGEST_TOKEN else None
    if match is None:
        raise _unauthenticated("there is no bearer token")
    return match[1]


def _key_id(token: str) -> str:
    try:
        return parse_key_id(token)
    except ValueError as error:
        raise _unauthenticated(str(error)) from error


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    if _moment(claims, "exp") <= now - LEEWAY_SECONDS:
        raise _unauthenticated("the token has expired")
    if _moment(claims, "nbf") > now + LEEWAY_SECONDS:
        raise _unauthenticated("the token is not valid yet")
    if "iat" in claims and _moment(claims, "iat") > now + LEEWAY_SECONDS:
        raise _unauthenticated("the token comes from the future")


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LAST_SECOND:
        raise _unauthenticated(f"{name} is no time")
    return value


def _unauthenticated(detail: str) -> RejectedError:
    return RejectedError("unauthenticated", detail)
