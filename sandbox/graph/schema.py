"""What Graph's directory types are called, which properties they have, and which a read returns unasked."""

from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The directory's four base types; the value is Graph's type name."""

    USER = "user"
    GROUP = "group"
    SERVICE_PRINCIPAL = "servicePrincipal"
    APPLICATION = "application"


COLLECTIONS = {
    Kind.USER: "users",
    Kind.GROUP: "groups",
    Kind.SERVICE_PRINCIPAL: "servicePrincipals",
    Kind.APPLICATION: "applications",
}
KIND_OF_TYPE = {
    "user": Kind.USER,
    "agentUser": Kind.USER,
    "group": Kind.GROUP,
    "servicePrincipal": Kind.SERVICE_PRINCIPAL,
    "agentIdentity": Kind.SERVICE_PRINCIPAL,
    "agentIdentityBlueprintPrincipal": Kind.SERVICE_PRINCIPAL,
    "application": Kind.APPLICATION,
    "agentIdentityBlueprint": Kind.APPLICATION,
}
RELATIONS = ("owners", "sponsors")
MEMBER_KINDS = frozenset({Kind.USER, Kind.GROUP, Kind.SERVICE_PRINCIPAL})

_USER = """
aboutMe accountEnabled ageGroup authorizationInfo city companyName consentProvidedForMinor country createdDateTime
creationType customSecurityAttributes department displayName employeeHireDate employeeId employeeLeaveDateTime
employeeOrgData employeeType externalUserState externalUserStateChangeDateTime faxNumber givenName identities
imAddresses
isManagementRestricted isResourceAccount jobTitle lastPasswordChangeDateTime legalAgeGroupClassification
licenseAssignmentStates mail mailNickname mobilePhone officeLocation onPremisesDistinguishedName onPremisesDomainName
onPremisesExtensionAttributes onPremisesImmutableId onPremisesLastSyncDateTime onPremisesSamAccountName
onPremisesSecurityIdentifier onPremisesSyncEnabled onPremisesUserPrincipalName passwordPolicies passwordProfile
postalCode
preferredDataLocation preferredLanguage securityIdentifier showInAddressList signInActivity
signInSessionsValidFromDateTime state streetAddress surname usageLocation userPrincipalName userType
"""
_GROUP = """
classification createdDateTime description displayName expirationDateTime isAssignableToRole isManagementRestricted mail
mailEnabled mailNickname membershipRule membershipRuleProcessingState onPremisesLastSyncDateTime
onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled preferredDataLocation preferredLanguage
renewedDateTime securityEnabled securityIdentifier theme uniqueName visibility
"""
_APPLICATION = """
api appId applicationTemplateId certification createdByAppId createdDateTime defaultRedirectUri description
disabledByMicrosoftStatus displayName groupMembershipClaims info isDeviceOnlyAuthSupported isDisabled
isFallbackPublicClient notes optionalClaims publicClient publisherDomain samlMetadataUrl serviceManagementReference
servicePrincipalLockConfiguration signInAudience spa tokenEncryptionKeyId uniqueName verifiedPublisher web
"""
_SERVICE_PRINCIPAL = """
accountEnabled appDescription appDisplayName appId applicationTemplateId appOwnerOrganizationId createdByAppId
customSecurityAttributes description disabledByMicrosoftStatus displayName homepage info isDisabled loginUrl logoutUrl
notes preferredSingleSignOnMode preferredTokenSigningKeyThumbprint servicePrincipalType signInAudience
tokenEncryptionKeyId verifiedPublisher
"""
_COLLECTION_VALUED = {
    Kind.USER: "assignedLicenses assignedPlans businessPhones otherMails provisionedPlans proxyAddresses",
    Kind.GROUP: "groupTypes infoCatalogs proxyAddresses resourceBehaviorOptions resourceProvisioningOptions",
    Kind.APPLICATION: "addIns appRoles identifierUris keyCredentials passwordCredentials requiredResourceAccess tags",
    Kind.SERVICE_PRINCIPAL: "addIns alternativeNames appRoles keyCredentials notificationEmailAddresses "
    "oauth2PermissionScopes passwordCredentials replyUrls servicePrincipalNames tags",
}


def _defaults(kind: Kind, nullable: str, **required: object) -> dict[str, Any]:
    collections: dict[str, Any] = {name: [] for name in _COLLECTION_VALUED[kind].split()}
    return {"id": None, "deletedDateTime": None} | dict.fromkeys(nullable.split()) | collections | required


PROPERTIES: dict[Kind, dict[str, Any]] = {
    Kind.USER: _defaults(Kind.USER, _USER),
    Kind.GROUP: _defaults(Kind.GROUP, _GROUP),
    Kind.APPLICATION: _defaults(Kind.APPLICATION, _APPLICATION),
    Kind.SERVICE_PRINCIPAL: _defaults(Kind.SERVICE_PRINCIPAL, _SERVICE_PRINCIPAL, appRoleAssignmentRequired=False),
}
OWN_PROPERTIES: dict[str, dict[str, Any]] = {
    "agentIdentity": {"agentIdentityBlueprintId": None, "createdDateTime": None},
}
BOOLEANS = frozenset({"accountEnabled", "isDisabled", "securityEnabled", "mailEnabled", "appRoleAssignmentRequired"})
NEVER_NULL = frozenset({"id", "agentIdentityBlueprintId", "appRoleAssignmentRequired"}) | frozenset(
    name for names in _COLLECTION_VALUED.values() for name in names.split()
)

# A user read without $select carries these and no accountEnabled: Graph's best-known trap.
_USER_UNASKED = (
    "businessPhones displayName givenName id jobTitle mail mobilePhone officeLocation preferredLanguage surname "
    "userPrincipalName"
)
_ONLY_WHEN_SELECTED = frozenset({"customSecurityAttributes", "uniqueName", "isManagementRestricted", "infoCatalogs"})


def properties_of(type_name: str) -> dict[str, Any]:
    """Every property of a type, inheritance included, with the value it has when nobody set one."""
    return PROPERTIES[KIND_OF_TYPE[type_name]] | OWN_PROPERTIES.get(type_name, {})


def properties_of_kind(kind: Kind) -> dict[str, Any]:
    """Every property that a base type or one of its derived types has."""
    derived = [own for name, own in OWN_PROPERTIES.items() if KIND_OF_TYPE[name] is kind]
    return PROPERTIES[kind] | {name: value for own in derived for name, value in own.items()}


def _unasked(type_name: str) -> tuple[str, ...]:
    if KIND_OF_TYPE[type_name] is Kind.USER:
        return tuple(_USER_UNASKED.split())
    return tuple(name for name in properties_of(type_name) if name not in _ONLY_WHEN_SELECTED)


UNASKED = {type_name: _unasked(type_name) for type_name in KIND_OF_TYPE}
ALL_PROPERTIES = {type_name: properties_of(type_name) for type_name in KIND_OF_TYPE}
KIND_PROPERTIES = {kind: properties_of_kind(kind) for kind in Kind}
