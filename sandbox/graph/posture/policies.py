"""App management policies that a generated tenant can have; Entra compares with "less than", hence 181 and 366 days."""

from typing import Any

Json = dict[str, Any]
_FROM = "2019-10-19T10:37:00Z"


def restriction(kind: str, lifetime: str | None = None, state: str = "enabled") -> Json:
    """One rule of a policy."""
    return {
        "restrictionType": kind,
        "state": state,
        "maxLifetime": lifetime,
        "restrictForAppsCreatedAfterDateTime": _FROM,
        "excludeActors": None,
    }


def own_policy(
    policy_id: str, name: str, secrets: list[Json], certificates: list[Json], *, enabled: bool = True
) -> Json:
    """A policy for single applications: what it does not name stays as in the tenant's."""
    return {
        "id": policy_id,
        "deletedDateTime": None,
        "displayName": name,
        "description": "",
        "isEnabled": enabled,
        "restrictions": {
            "passwordCredentials": secrets,
            "keyCredentials": certificates,
            "applicationRestrictions": None,
        },
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
    restriction("passwordAddition"),
    restriction("customPasswordAddition"),
    restriction("passwordLifetime", "P181D"),
]
_CERTIFICATES = [restriction("asymmetricKeyLifetime", "P366D")]
POLICIES = {
    "strict": _policy(_SECRETS, _CERTIFICATES),
    "disabled": _policy(_SECRETS, _CERTIFICATES, enabled=False),
    "empty": _policy([], []),
    "lax": _policy([restriction("passwordLifetime", "P730D")], [restriction("asymmetricKeyLifetime", "P1095D")]),
    "partial": _policy([restriction("passwordAddition", state="disabled"), _SECRETS[2]], []),
}
