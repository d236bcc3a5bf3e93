"""The resources that applications have permissions at, and the roles that are planted, by id."""

from sandbox.graph.posture.garden import Garden
from sandbox.graph.posture.samples import MICROSOFT_TENANT

GRAPH = "00000003-0000-0000-c000-000000000000"
EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
SHAREPOINT = "00000003-0000-0ff1-ce00-000000000000"
USER_READ_ALL = "df021288-bdef-4463-88db-98f22de89214"
ROLE_MANAGEMENT = "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"
APP_ROLE_ASSIGNMENT = "06b708a9-e830-4db3-a914-8e69da51d44f"
APPLICATION_WRITE = "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"
GROUP_MEMBER_WRITE = "dbaae8cf-10b5-4b86-a4a1-f871c94c6695"
DIRECTORY_WRITE = "19dbc75e-c2e2-444c-a770-ec69d8559fc7"
MAIL_READ_WRITE = "e2a3a72e-5f79-4c64-b1b1-878b674786c9"
FILES_WRITE = "75359482-378d-4052-8f01-80520e7db3cd"
SITES_SELECTED = "883ea226-0bf2-4a8f-9f9d-92c9162a727d"
FULL_ACCESS_AS_APP = "dc890d15-9560-4a4c-9b7f-a736ec74ec40"
EXCHANGE_MANAGE = "dc50a0fb-09a3-484d-be87-e023b12c6440"
SHAREPOINT_FULL = "678536fe-1083-478a-9c59-b99265e6b0d3"

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814"
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
DIRECTORY_READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
ROLE_DEFINITIONS = {
    GLOBAL_ADMINISTRATOR: "Global Administrator",
    PRIVILEGED_ROLE_ADMINISTRATOR: "Privileged Role Administrator",
    APPLICATION_ADMINISTRATOR: "Application Administrator",
    DIRECTORY_READERS: "Directory Readers",
}

RESOURCES = {
    GRAPH: (
        "Microsoft Graph",
        {
            USER_READ_ALL: "User.Read.All",
            ROLE_MANAGEMENT: "RoleManagement.ReadWrite.Directory",
            APP_ROLE_ASSIGNMENT: "AppRoleAssignment.ReadWrite.All",
            APPLICATION_WRITE: "Application.ReadWrite.All",
            GROUP_MEMBER_WRITE: "GroupMember.ReadWrite.All",
            DIRECTORY_WRITE: "Directory.ReadWrite.All",
            MAIL_READ_WRITE: "Mail.ReadWrite",
            FILES_WRITE: "Files.ReadWrite.All",
            SITES_SELECTED: "Sites.Selected",
        },
    ),
    EXCHANGE: (
        "Office 365 Exchange Online",
        {FULL_ACCESS_AS_APP: "full_access_as_app", EXCHANGE_MANAGE: "Exchange.ManageAsApp"},
    ),
    SHAREPOINT: ("Office 365 SharePoint Online", {SHAREPOINT_FULL: "Sites.FullControl.All"}),
}


def plant_resources(garden: Garden) -> None:
    """Microsoft's resource principals, whose names are Microsoft-like and rightly so."""
    for app_id, (name, roles) in RESOURCES.items():
        app_roles = [
            {
                "id": role_id,
                "value": value,
                "displayName": value,
                "description": value,
                "isEnabled": True,
                "allowedMemberTypes": ["Application"],
                "origin": "Application",
            }
            for role_id, value in roles.items()
        ]
        own = {"appId": app_id, "displayName": name, "appDisplayName": name, "appRoles": app_roles}
        resource = garden.microsofts(f"resource/{name}", own, MICROSOFT_TENANT)
        garden.resources[app_id] = resource.object_id
        garden.innocent(("A1", "A2", "B1", "F9", "F10", "F11"), resource, "Microsoft's, by its tenant")
