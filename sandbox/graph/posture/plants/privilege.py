"""Plants of the chapter on privilege, E1 to E4: who may do what to the whole tenant."""

from sandbox.graph.posture.garden import Garden
from sandbox.graph.posture.plants.permissions import (
    APP_ROLE_ASSIGNMENT,
    APPLICATION_ADMINISTRATOR,
    APPLICATION_WRITE,
    EXCHANGE,
    EXCHANGE_MANAGE,
    FILES_WRITE,
    FULL_ACCESS_AS_APP,
    GLOBAL_ADMINISTRATOR,
    GRAPH,
    MAIL_READ_WRITE,
    PRIVILEGED_ROLE_ADMINISTRATOR,
    ROLE_MANAGEMENT,
    SHAREPOINT,
    SHAREPOINT_FULL,
    SITES_SELECTED,
    USER_READ_ALL,
)


def plant(garden: Garden) -> None:
    """Tier-0 and tier-1 permissions, directory roles, delegated permissions for everybody."""
    _application_permissions(garden)
    _directory_roles(garden)
    _delegated(garden)


def _application_permissions(garden: Garden) -> None:
    for number, role in enumerate((ROLE_MANAGEMENT, APP_ROLE_ASSIGNMENT, APPLICATION_WRITE)):
        made = garden.app(f"tier-0 {number}", owners=())
        garden.grant_role(made, GRAPH, role)
        garden.guilty("E1", made, "tier-0 permission")
    foreign = garden.stranger("tier-0 foreign", owners=())
    garden.grant_role(foreign, GRAPH, ROLE_MANAGEMENT)
    garden.guilty("E1", foreign, "foreign principal")
    tier_one = {
        "mail": (GRAPH, MAIL_READ_WRITE),
        "files": (GRAPH, FILES_WRITE),
        "exchange": (EXCHANGE, FULL_ACCESS_AS_APP),
        "exchange management": (EXCHANGE, EXCHANGE_MANAGE),
        "sharepoint": (SHAREPOINT, SHAREPOINT_FULL),
    }
    for number, (shape, (resource, role)) in enumerate(tier_one.items()):
        made = garden.app(f"tier-1 {number}")
        garden.grant_role(made, resource, role)
        garden.guilty("E2", made, shape)
        garden.innocent("E1", made, "tier-1 is not tier-0")
    scoped = garden.app("scoped reader")
    garden.grant_role(scoped, GRAPH, SITES_SELECTED)
    garden.innocent(("E1", "E2"), scoped, "Sites.Selected reaches only what was selected")
    reader = garden.app("reads users")
    garden.grant_role(reader, GRAPH, USER_READ_ALL)
    garden.innocent(("E1", "E2"), reader, "User.Read.All")
    microsoft = garden.microsofts("first party with tier-0")
    garden.grant_role(microsoft, GRAPH, ROLE_MANAGEMENT)
    garden.innocent(("E1", "B5"), microsoft, "Microsoft's, by its tenant")


def _directory_roles(garden: Garden) -> None:
    for number, role in enumerate((GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR, APPLICATION_ADMINISTRATOR)):
        made = garden.app(f"administrator {number}", owners=())
        garden.give_directory_role((made.principal or {})["id"], role)
        garden.guilty("E3", made, "directory role")
    person = garden.people[20]
    garden.give_directory_role(person, GLOBAL_ADMINISTRATOR)
    friend = garden.app("owned by an administrator", owners=(person, garden.people[21]))
    garden.innocent("E3", friend, "the role is a person's, not the application's")
    garden.give_directory_role(garden.group("administrators", (person,)), APPLICATION_ADMINISTRATOR)


def _delegated(garden: Garden) -> None:
    risky = ("Directory.AccessAsUser.All", "Mail.ReadWrite Mail.Send", "offline_access Files.ReadWrite.All User.Read")
    for number, scope in enumerate(risky):
        made = garden.app(f"delegated to all {number}")
        garden.grant_scopes(made, scope, consent="AllPrincipals", resource_app_id=GRAPH)
        garden.guilty("E4", made, scope)
    one = garden.app("delegated to one")
    garden.grant_scopes(one, "Mail.ReadWrite Mail.Send", consent="Principal", resource_app_id=GRAPH)
    garden.innocent("E4", one, "one person consented for herself")
    harmless = garden.app("harmless to all")
    garden.grant_scopes(harmless, "openid profile email User.Read", consent="AllPrincipals", resource_app_id=GRAPH)
    garden.innocent("E4", harmless, "nothing risky in it")
