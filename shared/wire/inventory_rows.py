"""Graph's pages of posture sources, trimmed to rows: what is kept of each object, and what it is joined by."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any

from shared.domain.posture.inventory import Purpose
from shared.domain.posture.scan import Row, Source
from shared.errors import RetryLaterError
from shared.wire.inventory import parse_moment

Json = Mapping[str, Any]
APPLICATION_FIELDS = (
    "id,appId,displayName,createdDateTime,signInAudience,isDisabled,disabledByMicrosoftStatus,isFallbackPublicClient,"
    "passwordCredentials,keyCredentials,web,spa,servicePrincipalLockConfiguration,api,appRoles,"
    "identifierUris,applicationTemplateId"
)
PRINCIPAL_FIELDS = (
    "id,appId,displayName,createdDateTime,servicePrincipalType,appOwnerOrganizationId,accountEnabled,isDisabled,"
    "disabledByMicrosoftStatus,passwordCredentials,keyCredentials,preferredSingleSignOnMode,tags,"
    "appRoleAssignmentRequired,verifiedPublisher"
)
OWNER_FIELDS = "id,displayName,accountEnabled,userType,appOwnerOrganizationId"
_AGENT, _BLUEPRINT = "#microsoft.graph.agentidentity", "#microsoft.graph.agentidentityblueprint"
_BLUEPRINT_PRINCIPAL = "#microsoft.graph.agentidentityblueprintprincipal"
# https://learn.microsoft.com/entra/identity/devices/faq: "P2P Server" is known by this name, and by no id.
_DEVICE_TRUST = "urn:p2p_cert"
# https://learn.microsoft.com/entra/identity/hybrid/cloud-sync/how-to-inbound-synch-ms-graph
_CLOUD_SYNC = "1a4721b3-e57f-4451-ae87-ef078703ec94"
# https://learn.microsoft.com/office/dev/add-ins/develop/register-sso-add-in-aad-v2: Office as a whole, then its parts.
_OFFICE = frozenset(
    {
        "ea5a67f6-b6f3-4338-b240-c655ddc3cc8e",
        "d3590ed6-52b3-4102-aeff-aad2292ab01c",
        "93d53678-613d-4013-afc1-62e9e444a0a5",
        "57fb890c-0dab-4253-a5e0-7188c88b2bb4",
        "08e18876-6177-487e-b8b5-cf950c1e598c",
        "bc59ab01-8403-45c6-8796-ac3ef710b3e3",
    }
)
_ACTIVITIES = (
    "lastSignInActivity",
    "delegatedClientSignInActivity",
    "delegatedResourceSignInActivity",
    "applicationAuthenticationClientSignInActivity",
    "applicationAuthenticationResourceSignInActivity",
)


def trim_page(source: Source, document: object) -> tuple[Row, ...]:
    """The rows of a listing; what is no listing of objects is nonsense, and a reason to ask again."""
    values = document.get("value") if isinstance(document, dict) else None
    if not isinstance(values, list):
        raise RetryLaterError("graph-answered-nonsense", f"{source} is no list")
    try:
        return tuple(row for raw in values for row in _TRIM[source](raw))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RetryLaterError("graph-answered-nonsense", f"a row of {source}: {type(error).__name__}") from error


def row(key: str, ident: str, body: object) -> Row:
    """A row with its body as compact JSON; ids compare without regard to case."""
    return Row(key.lower(), ident.lower(), json.dumps(body, separators=(",", ":")))


def trim_owners(values: Iterable[Json]) -> list[dict[str, Any]]:
    """Owners or sponsors, by id."""
    return sorted((_trim_owner(raw) for raw in values), key=lambda one: str(one["id"]))


def trim_role_definitions(document: Json) -> Row:
    """Which permissions a resource offers, by the object id that assignments name it with."""
    names = {str(one["id"]).lower(): one.get("value") or "" for one in document.get("appRoles") or ()}
    return row(str(document["id"]), "definitions", {"app": str(document["appId"]).lower(), "names": names})


def _trim_application(raw: Json) -> Iterator[Row]:
    web, lock = raw.get("web") or {}, raw.get("servicePrincipalLockConfiguration")
    body = {
        **_common(raw),
        "audience": raw.get("signInAudience"),
        "blueprint": str(raw.get("@odata.type", "")).lower() == _BLUEPRINT,
        "web": web.get("redirectUris"),
        "spa": (raw.get("spa") or {}).get("redirectUris"),
        "implicit": (web.get("implicitGrantSettings") or {}).get("enableAccessTokenIssuance"),
        "public": raw.get("isFallbackPublicClient"),
        "api": bool((raw.get("api") or {}).get("oauth2PermissionScopes") or raw.get("appRoles")),
        "purpose": _purpose(raw),
    }
    locked = {} if lock is None else {"locked": bool(lock.get("isEnabled"))}
    yield row(raw["appId"], raw["id"], _without_nothing(body) | locked)


def _purpose(raw: Json) -> Purpose:
    if any(str(one).lower() == _DEVICE_TRUST for one in raw.get("identifierUris") or ()):
        return Purpose.DEVICE_TRUST
    if str(raw.get("applicationTemplateId")).lower() == _CLOUD_SYNC:
        return Purpose.CLOUD_SYNC
    clients = (raw.get("api") or {}).get("preAuthorizedApplications") or ()
    is_add_in = any(str(one.get("appId")).lower() in _OFFICE for one in clients)
    return Purpose.OFFICE_ADD_IN if is_add_in else Purpose.ORDINARY


def _trim_principal(raw: Json) -> Iterator[Row]:
    body = {
        **_common(raw),
        "kind": raw.get("servicePrincipalType"),
        "tenant": raw.get("appOwnerOrganizationId"),
        "off": raw.get("accountEnabled") is False or raw.get("isDisabled"),
        "agent": str(raw.get("@odata.type", "")).lower() == _AGENT,
        "blueprint": str(raw.get("@odata.type", "")).lower() == _BLUEPRINT_PRINCIPAL,
        "sso": raw.get("preferredSingleSignOnMode"),
        "tags": raw.get("tags"),
        "assigned": raw.get("appRoleAssignmentRequired"),
        "publisher": (raw.get("verifiedPublisher") or {}).get("displayName"),
    }
    yield row(raw.get("appId") or raw["id"], raw["id"], _without_nothing(body))


def _common(raw: Json) -> dict[str, Any]:
    return {
        "name": raw.get("displayName"),
        "created": raw.get("createdDateTime"),
        "off": raw.get("isDisabled"),
        "microsoft": (raw.get("disabledByMicrosoftStatus") or "NotDisabled") != "NotDisabled",
        "secrets": [_trim_credential(one) for one in raw.get("passwordCredentials") or ()],
        "keys": [_trim_credential(one) for one in raw.get("keyCredentials") or ()],
        "owners": trim_owners(raw.get("owners") or ()),
    }


def _trim_credential(raw: Json) -> dict[str, Any]:
    return _without_nothing(
        {
            "id": str(raw["keyId"]).lower(),
            "name": raw.get("displayName"),
            "start": raw.get("startDateTime"),
            "end": raw.get("endDateTime"),
            "thumbprint": raw.get("customKeyIdentifier"),
            "usage": raw.get("usage"),
        }
    )


def _trim_owner(raw: Json) -> dict[str, Any]:
    return _without_nothing(
        {
            "id": str(raw["id"]).lower(),
            "type": str(raw.get("@odata.type", "#microsoft.graph.user")).rpartition(".")[2].lower(),
            "name": raw.get("displayName"),
            "tenant": raw.get("appOwnerOrganizationId"),
        }
    )


def _trim_sign_in(raw: Json) -> Iterator[Row]:
    moments = ((raw.get(name) or {}).get("lastSignInDateTime") for name in _ACTIVITIES)
    yield row(raw["appId"], "", [moment for moment in moments if moment])


def _trim_credential_sign_in(raw: Json) -> Iterator[Row]:
    # One key can have a row for each resource and usage: all are kept, and the newest counts.
    moment = (raw.get("signInActivity") or {}).get("lastSignInDateTime")
    yield row(raw["appId"], f"{raw['keyId']}/{raw.get('id', '')}", {"key": str(raw["keyId"]).lower(), "at": moment})


def _trim_agent_sign_in(raw: Json) -> Iterator[Row]:
    """The day on which an agent got a token, to its end, so that it is the same whichever row of it comes last."""
    if (raw.get("status") or {}).get("errorCode", 0) == 0:
        moment = parse_moment(raw["createdDateTime"])
        if moment is None or not raw["servicePrincipalId"]:
            raise ValueError("a sign-in of nobody, or of no day")
        day = moment.astimezone(UTC).date().isoformat()
        yield row(raw["servicePrincipalId"], day, f"{day}T23:59:59Z")


def _trim_registration(raw: Json) -> Iterator[Row]:
    yield row(f"users/{raw['id']}", "", {"mfa": raw.get("isMfaRegistered")})


def _trim_object(raw: Json) -> Iterator[Row]:
    yield row(raw["id"], "", None)


def _trim_app_role(raw: Json) -> Iterator[Row]:
    body = {"resource": str(raw["resourceId"]).lower(), "role": str(raw["appRoleId"]).lower()}
    yield row(raw["principalId"], raw["id"], body)


def _trim_directory_role(raw: Json) -> Iterator[Row]:
    yield row(raw["principalId"], raw["id"], str(raw["roleDefinitionId"]).lower())


def _trim_grant(raw: Json) -> Iterator[Row]:
    if raw.get("consentType") == "AllPrincipals":
        yield row(raw["clientId"], raw["id"], str(raw.get("scope") or "").split())


def _without_nothing(body: Json) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value}


_Trim = Callable[[Json], Iterable[Row]]
_TRIM: dict[Source, _Trim] = {
    Source.APPLICATIONS: _trim_application,
    Source.SERVICE_PRINCIPALS: _trim_principal,
    Source.SIGN_INS: _trim_sign_in,
    Source.CREDENTIAL_SIGN_INS: _trim_credential_sign_in,
    Source.REGISTRATIONS: _trim_registration,
    Source.AGENT_SIGN_INS: _trim_agent_sign_in,
    Source.OWNERLESS_APPLICATIONS: _trim_object,
    Source.SINGLE_OWNER_APPLICATIONS: _trim_object,
    Source.OWNERLESS_PRINCIPALS: _trim_object,
    Source.SINGLE_OWNER_PRINCIPALS: _trim_object,
    Source.FEDERATED_APPLICATIONS: _trim_object,
    Source.APP_ROLES: _trim_app_role,
    Source.DIRECTORY_ROLES: _trim_directory_role,
    Source.DELEGATED_GRANTS: _trim_grant,
}
