"""App management policies that a generated tenant can have; Entra compares with "less than", hence 181 and 366 days."""

from typing import Any

Json = dict[str, Any]
_FROM = "2019-10-19T10:37:00Z"


def _restriction(kind: str, lifetime: str | None = None, state: str = "enabled") -> Json:
    return {
        "restrictionType": kind,
        "state": state,
        "maxLifetime": lifetime,
        "restrictForAppsCreatedAfterDateTime": _FROM,
        "excludeActors": None,
    }


def _policy(secrets: list[Json], certificates: list[Json], *, enabled: bool = True) -> Json:
    restrictions = {"passwordCredentials": secrets, "keyCredentials": certificates}
    return {
        "id": "00000000-0000-0000-0000-000000000000",
        "deletedDateTime": None,
        "displayName": "Default app management tenant policy",
        "description": "Default tenant policy that enforces app management restrictions.",
        "isEnabled": enabled,
        "applicationRestrictions": restrictions | {"identifierUris": None},
        "servicePrincipalRestrictions": restrictions,
    }


_SECRETS = [
    _restriction("passwordAddition"),
    _restriction("customPasswordAddition"),
    _restriction("passwordLifetime", "P181D"),
]
_CERTIFICATES = [_restriction("asymmetricKeyLifetime", "P366D")]
POLICIES = {
    "strict": _policy(_SECRETS, _CERTIFICATES),
    "disabled": _policy(_SECRETS, _CERTIFICATES, enabled=False),
    "empty": _policy([], []),
    "lax": _policy([_restriction("passwordLifetime", "P730D")], [_restriction("asymmetricKeyLifetime", "P1095D")]),
    "partial": _policy([_restriction("passwordAddition", state="disabled"), _SECRETS[2]], []),
}
