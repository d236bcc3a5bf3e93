"""Permissions and roles that matter most, by id: names can be chosen by anybody, ids cannot."""

from collections.abc import Mapping

GRAPH = "00000003-0000-0000-c000-000000000000"
EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
SHAREPOINT_ONLINE = "00000003-0000-0ff1-ce00-000000000000"

TIER_ZERO: Mapping[str, str] = {
    "5eb59dd3-1da2-4329-8733-9dabdc435916": "AdministrativeUnit.ReadWrite.All",
    "06b708a9-e830-4db3-a914-8e69da51d44f": "AppRoleAssignment.ReadWrite.All",
    "fc023787-fd04-4e44-9bc7-d454f00c0f0a": "Application.ReadUpdate.All",
    "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9": "Application.ReadWrite.All",
    "18a4783c-866b-4cc7-a460-3d5e5662c884": "Application.ReadWrite.OwnedBy",
    "cc13eba4-8cd8-44c6-b4d4-f93237adce58": "DelegatedAdminRelationship.ReadWrite.All",
    "9241abd9-d0e6-425a-bd4f-47ba86e767a4": "DeviceManagementConfiguration.ReadWrite.All",
    "e330c4f0-4170-414e-a55a-2f022ec2b57b": "DeviceManagementRBAC.ReadWrite.All",
    "9255e99d-faf5-445e-bbf7-cb71482737c4": "DeviceManagementScripts.ReadWrite.All",
    "19dbc75e-c2e2-444c-a770-ec69d8559fc7": "Directory.ReadWrite.All",
    "7e05723c-0bb0-42da-be95-ae9f08a6e53c": "Domain.ReadWrite.All",
    "9acd699f-1e81-4958-b001-93b1d2506e19": "EntitlementManagement.ReadWrite.All",
    "2d9bd318-b883-40be-9df7-63ec4fcdc424": "Group-OnPremisesSyncBehavior.ReadWrite.All",
    "62a82d76-70ea-41e2-9197-370581804d09": "Group.ReadWrite.All",
    "dbaae8cf-10b5-4b86-a4a1-f871c94c6695": "GroupMember.ReadWrite.All",
    "292d869f-3427-49a8-9dab-8c70152b74e9": "Organization.ReadWrite.All",
    "29c18626-4985-4dcd-85c0-193eef327366": "Policy.ReadWrite.AuthenticationMethod",
    "01c0a623-fc9b-48e9-b794-0756f8e8f067": "Policy.ReadWrite.ConditionalAccess",
    "a402ca1c-2696-4531-972d-6e5ee4aa11ea": "Policy.ReadWrite.PermissionGrant",
    "854d9ab1-6657-4ec8-be45-823027bcd009": "PrivilegedAccess.ReadWrite.AzureAD",
    "2f6817f8-7b12-4f0f-bc18-eeaf60705a9e": "PrivilegedAccess.ReadWrite.AzureADGroup",
    "6f9d5abc-2db6-400b-a267-7de22a40fb87": "PrivilegedAccess.ReadWrite.AzureResources",
    "41202f2c-f7ab-45be-b001-85c9728b9d69": "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
    "618b6020-bca8-4de6-99f6-ef445fa4d857": "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
    "dd199f4a-f148-40a4-a2ec-f0069cc799ec": "RoleAssignmentSchedule.ReadWrite.Directory",
    "fee28b28-e1f3-4841-818e-2704dc62245f": "RoleEligibilitySchedule.ReadWrite.Directory",
    "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8": "RoleManagement.ReadWrite.Directory",
    "b38dcc4d-a239-4ed6-aa84-6c65b284f97c": "RoleManagementPolicy.ReadWrite.AzureADGroup",
    "31e08e0a-d3f7-4ca2-ac39-7343fb83e8ad": "RoleManagementPolicy.ReadWrite.Directory",
    "af2bf46f-7bf1-4be3-8bad-e17e279e8462": "SecurityIdentitiesActions.ReadWrite.All",
    "7fc588a2-ea2d-4d1f-bcf7-33c324b149b8": "SignInIdentifier.ReadWrite.All",
    "9b50c33d-700f-43b1-b2eb-87e89b703581": "Synchronization.ReadWrite.All",
    "eccc023d-eccf-4e7b-9683-8813ab36cecc": "User.DeleteRestore.All",
    "3011c876-62b7-4ada-afa2-506cbbecc68c": "User.EnableDisableAccount.All",
    "741f803b-c850-494e-b5df-cde7c675a1ca": "User.ReadWrite.All",
    "cc117bb9-00cf-4eb8-b580-ea2a878fe8f7": "User-PasswordProfile.ReadWrite.All",
    "50483e42-d915-4231-9639-7fdb7fd190e5": "UserAuthenticationMethod.ReadWrite.All",
    "7e9ebcc1-90aa-4471-8051-e68d6b4e9c89": "UserAuthMethod-HardwareOATH.ReadWrite.All",
    "6e85d483-7092-4375-babe-0a94a8213a58": "UserAuthMethod-Phone.ReadWrite.All",
    "4869299f-18c3-40c8-98f2-222657e67db1": "UserAuthMethod-QR.ReadWrite.All",
    "627169a8-8c15-451c-861a-5b80e383de5c": "UserAuthMethod-TAP.ReadWrite.All",
}
"""Microsoft Graph application permissions with a known path to every other one."""

TIER_ONE: Mapping[str, Mapping[str, str]] = {
    GRAPH: {
        "ef54d2bf-783f-4e0f-bca1-3210c0444d99": "Calendars.ReadWrite",
        "6b7d71aa-70aa-4810-a8d9-5d9fb2830017": "Chat.Read.All",
        "294ce7c9-31ba-490a-ad7d-97a7d075e4ed": "Chat.ReadWrite.All",
        "db51be59-e728-414b-b800-e0f010df1a79": "DeviceLocalCredential.Read.All",
        "01d4889c-1287-42c6-ac1f-5d1e02578ef6": "Files.Read.All",
        "75359482-378d-4052-8f01-80520e7db3cd": "Files.ReadWrite.All",
        "810c84a8-4a9e-49e6-bf7d-12d183f40d01": "Mail.Read",
        "e2a3a72e-5f79-4c64-b1b1-878b674786c9": "Mail.ReadWrite",
        "b633e1c5-b582-4048-a93e-9f11b44c7e96": "Mail.Send",
        "6931bccd-447a-43d1-b442-00a195474933": "MailboxSettings.ReadWrite",
        "a82116e5-55eb-4c41-a434-62fe8a61c773": "Sites.FullControl.All",
        "0c0bf378-bf22-4481-8f81-9e89a9b4960a": "Sites.Manage.All",
        "332a536c-c7ef-4017-ab91-336970924f0d": "Sites.Read.All",
        "9492366f-7969-46a4-8d15-ed1a20078fff": "Sites.ReadWrite.All",
    },
    EXCHANGE_ONLINE: {
        "dc50a0fb-09a3-484d-be87-e023b12c6440": "Exchange.ManageAsApp",
        "dc890d15-9560-4a4c-9b7f-a736ec74ec40": "full_access_as_app",
    },
    SHAREPOINT_ONLINE: {
        "678536fe-1083-478a-9c59-b99265e6b0d3": "Sites.FullControl.All",
        "9bff6588-13f2-4c48-bbf2-ddab62256b36": "Sites.Manage.All",
        "d13f72ca-a275-4b96-b789-48ebcc4da984": "Sites.Read.All",
        "fbcd29d2-fcca-4405-aded-518d457caae4": "Sites.ReadWrite.All",
    },
}
"""Application permissions that read or write everybody's data, by resource."""

RISKY_SCOPES = frozenset(TIER_ZERO.values()) | {
    "Directory.AccessAsUser.All",
    *(name for roles in TIER_ONE.values() for name in roles.values()),
}
"""Delegated scopes that are worth as much as the role of the person who uses them; grants carry names only."""

DIRECTORY_ROLES: Mapping[str, str] = {
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
    "c4e39bd9-1100-46d3-8c65-fb160da0071f": "Authentication Administrator",
    "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
    "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9": "Conditional Access Administrator",
    "9360feb5-f418-4baa-8175-e2a00bac4301": "Directory Writers",
    "8329153b-31d0-4727-b945-745eb3bc5f31": "Domain Name Administrator",
    "29232cdf-9323-42fd-ade2-1d097af3e4de": "Exchange Administrator",
    "be2f45a1-457d-42af-a067-6ec1fa63bc45": "External Identity Provider Administrator",
    "62e90394-69f5-4237-9190-012177145e10": "Global Administrator",
    "fdd7a751-b60b-444a-984c-02652fe8fa1c": "Groups Administrator",
    "729827e3-9c14-49f7-bb1b-9608f156bbb8": "Helpdesk Administrator",
    "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2": "Hybrid Identity Administrator",
    "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e": "Identity Governance Administrator",
    "3a2c62db-5318-420d-8d74-23affee5d9d5": "Intune Administrator",
    "4ba39ca4-527c-499a-b93d-d9b492c50246": "Partner Tier1 Support",
    "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8": "Partner Tier2 Support",
    "966707d0-3269-4727-9be2-8c3a10f19b9d": "Password Administrator",
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13": "Privileged Authentication Administrator",
    "e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
    "194ae4cb-b126-40b2-bd5b-6091b380977d": "Security Administrator",
    "f28a1f50-f6e7-4571-818b-6a12f2af6b6c": "SharePoint Administrator",
    "69091246-20e8-4a56-aa4d-066075b2a7a8": "Teams Administrator",
    "fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
}
"""Directory roles, by template id, with a path to Global Administrator."""

HARMLESS_DIRECTORY_ROLES: Mapping[str, str] = {
    "88d8e3e3-8f55-4a1e-953a-9b9898b8876b": "Directory Readers",
    "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b": "Message Center Reader",
    "4a5d8f65-41da-4de4-8968-e035b65339cf": "Reports Reader",
}
"""Directory roles that only read what most applications may read anyway."""


def permission_name(resource_app_id: str, role_id: str) -> str:
    """What the vendor calls a tier-0 or tier-1 application permission; empty for any other."""
    resource, role = resource_app_id.lower(), role_id.lower()
    if resource == GRAPH and role in TIER_ZERO:
        return TIER_ZERO[role]
    return TIER_ONE.get(resource, {}).get(role, "")
