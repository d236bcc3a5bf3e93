"""One object of each healthy kind; `@…@` stands for what differs from object to object."""

from typing import Any

from sandbox.tenant import TENANT_ID

Sample = dict[str, Any]
MICROSOFT_TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
PARTNER_TENANT = "2b1f0c4e-7d0a-4c53-9e2b-0d9f2f4f7a01"
HEALTHY_HOST = "portal.contoso.example"
VERIFIED = {
    "displayName": "Fabrikam, Inc.",
    "verifiedPublisherId": "1234567",
    "addedDateTime": "2024-05-01T00:00:00Z",
}
NO_PUBLISHER: dict[str, Any] = {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None}


def web(*redirects: str, id_token: bool = False, access_token: bool = False) -> Sample:
    """The `web` part of an application."""
    return {
        "homePageUrl": None,
        "logoutUrl": None,
        "redirectUris": [*redirects],
        "implicitGrantSettings": {"enableIdTokenIssuance": id_token, "enableAccessTokenIssuance": access_token},
        "redirectUriSettings": [{"uri": one, "index": None} for one in redirects],
    }


def certificate(  # noqa: PLR0913 - one argument for each property of the credential
    key_id: str,
    start: str,
    end: str | None,
    thumbprint: str | None,
    *,
    name: str = "CN=contoso.example",
    use: str = "Verify",
) -> Sample:
    """A certificate as lists show it: without its bytes."""
    return {
        "customKeyIdentifier": thumbprint,
        "displayName": name,
        "endDateTime": end,
        "key": None,
        "keyId": key_id,
        "startDateTime": start,
        "type": "AsymmetricX509Cert",
        "usage": use,
    }


def secret(key_id: str, start: str | None, end: str | None, name: str | None = "rotated by hand") -> Sample:
    """A client secret as Graph shows it: never its text."""
    return {
        "customKeyIdentifier": None,
        "displayName": name,
        "endDateTime": end,
        "hint": "k3y",
        "keyId": key_id,
        "secretText": None,
        "startDateTime": start,
    }


APPLICATION: Sample = {
    "id": "@id@",
    "appId": "@app@",
    "displayName": "@name@",
    "createdDateTime": "@created@",
    "signInAudience": "AzureADMyOrg",
    "publisherDomain": "contoso.example",
    "isFallbackPublicClient": False,
    "web": web(),
    "spa": {"redirectUris": []},
    "publicClient": {"redirectUris": []},
    "api": {
        "acceptMappedClaims": None,
        "knownClientApplications": [],
        "oauth2PermissionScopes": [],
        "preAuthorizedApplications": [],
        "requestedAccessTokenVersion": 2,
    },
    "verifiedPublisher": NO_PUBLISHER,
    "servicePrincipalLockConfiguration": None,
}
_SIGNS_IN = APPLICATION | {"web": web(f"https://{HEALTHY_HOST}/signed-in")}
_THREE_YEARS = ("@start@", "@end3@", "@thumb@")
_SIGNING = "CN=Microsoft Azure Federated SSO Certificate"
APPLICATION_SAMPLES: dict[str, Sample] = {
    "signed-in": _SIGNS_IN,
    "daemon": APPLICATION | {"keyCredentials": [certificate("@key@", "@start@", "@end@", "@thumb@")]},
    "saml": APPLICATION,
    "password": APPLICATION,
    "new": _SIGNS_IN,
}

PRINCIPAL: Sample = {
    "id": "@principal@",
    "appId": "@app@",
    "appDisplayName": "@name@",
    "displayName": "@name@",
    "accountEnabled": True,
    "appOwnerOrganizationId": TENANT_ID,
    "servicePrincipalType": "Application",
    "servicePrincipalNames": ["@app@"],
    "signInAudience": "AzureADMyOrg",
    "appRoleAssignmentRequired": True,
    "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
    "verifiedPublisher": NO_PUBLISHER,
}
_SIGNING_PAIR = [
    certificate("@key@", *_THREE_YEARS, name=_SIGNING, use="Sign"),
    certificate("@twin@", *_THREE_YEARS, name=_SIGNING, use="Verify"),
]
PRINCIPAL_SAMPLES: dict[str, Sample] = {
    "signed-in": PRINCIPAL,
    "daemon": PRINCIPAL,
    "saml": PRINCIPAL | {"preferredSingleSignOnMode": "saml", "keyCredentials": _SIGNING_PAIR},
    "password": PRINCIPAL | {"preferredSingleSignOnMode": "password"},
    "new": PRINCIPAL,
    "managed-identity": PRINCIPAL
    | {
        "servicePrincipalType": "ManagedIdentity",
        "alternativeNames": ["isExplicit=True", "/subscriptions/0/userAssignedIdentities/@name@"],
        "tags": [],
    },
    "microsoft": PRINCIPAL | {"appOwnerOrganizationId": MICROSOFT_TENANT, "signInAudience": "AzureADMultipleOrgs"},
    "foreign": PRINCIPAL
    | {
        "appOwnerOrganizationId": PARTNER_TENANT,
        "signInAudience": "AzureADMultipleOrgs",
        "verifiedPublisher": VERIFIED,
        "preferredSingleSignOnMode": "saml",
    },
}
