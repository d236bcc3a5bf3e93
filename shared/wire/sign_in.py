"""A person's Entra token, as Teams hands it over with a click: checked completely, or refused.

https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.domain.clouds import WORLDWIDE
from shared.errors import RejectedError
from shared.wire.jwt_headers import ALGORITHM, parse_key_id

PUBLIC_CLOUD = WORLDWIDE.authority_url
VERSION = "2.0"
LEEWAY_SECONDS = 300
LONGEST_TOKEN = 16 * 1024
_REQUIRED: Any = {"require": ["iss", "aud", "exp", "nbf", "iat", "tid", "oid", "scp", "ver"]}
_FAILURES = {
    jwt.InvalidSignatureError: "the signature does not match",
    jwt.InvalidIssuerError: "the issuer is not our tenant",
    jwt.InvalidAudienceError: "the audience is not our bot",
    jwt.ExpiredSignatureError: "the token has expired",
    jwt.ImmatureSignatureError: "the token is not valid yet",
    jwt.MissingRequiredClaimError: "a required claim is missing",
}


@dataclass(frozen=True, slots=True)
class EntraApp:
    """An app registration in its tenant, and the cloud that holds both."""

    tenant_id: str
    app_id: str
    authority: str = PUBLIC_CLOUD

    @property
    def issuer(self) -> str:
        """Who issues the tokens of the tenant's people."""
        return f"{self.authority.rstrip('/')}/{self.tenant_id}/v2.0"

    @property
    def metadata_url(self) -> str:
        """Where the tenant's signing keys are found."""
        return f"{self.issuer}/.well-known/openid-configuration"

    @property
    def audiences(self) -> tuple[str, str]:
        """The app by its id, and by the name that Teams asks for."""
        return self.app_id, f"api://botid-{self.app_id}"


def signing_key_id(token: str) -> str:
    """The id of the key that signed the token, which proves nothing yet. Raises `RejectedError` (`sign-in-refused`)."""
    if len(token) > LONGEST_TOKEN:
        raise _refused("the token is too long")
    try:
        return parse_key_id(token)
    except ValueError as error:
        raise _refused(str(error)) from error


def check_sign_in(token: str, key: RSAPublicKey, app: EntraApp, person_id: str) -> None:
    """Nothing when the token is this person's own, for our bot, from our tenant.

    Raises:
        RejectedError: `sign-in-refused`; `detail` says which check failed and holds no part of the token.
    """
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=app.audiences,
            issuer=app.issuer,
            leeway=LEEWAY_SECONDS,
            options=_REQUIRED,
        )
    except (jwt.PyJWTError, RecursionError) as error:
        raise _refused(_FAILURES.get(type(error), "the token is malformed")) from error
    if not isinstance(claims["aud"], str):
        raise _refused("the token is for several audiences")
    if claims["ver"] != VERSION:
        raise _refused(f"the token is not of version {VERSION}: set requestedAccessTokenVersion of the bot's app to 2")
    _check_person(claims, app.tenant_id, person_id)


def _check_person(claims: Mapping[str, Any], tenant_id: str, person_id: str) -> None:
    if claims.get("idtyp", "user") != "user" or not isinstance(claims["scp"], str) or not claims["scp"].strip():
        raise _refused("the token is an app's, not a person's")
    if _folded(claims["tid"]) != _folded(tenant_id):
        raise _refused("the token is of another tenant")
    if not person_id or _folded(claims["oid"]) != _folded(person_id):
        raise _refused("the token is somebody else's")


def _folded(value: object) -> str:
    return value.lower() if isinstance(value, str) else ""


def _refused(detail: str) -> RejectedError:
    return RejectedError("sign-in-refused", detail)
