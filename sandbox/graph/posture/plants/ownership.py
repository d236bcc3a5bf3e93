"""Plants of the chapter on ownership, B1 to B7: nobody, too few, the wrong ones."""

from collections.abc import Sequence

from sandbox.graph.posture.garden import Garden
from sandbox.graph.posture.plants.permissions import (
    APP_ROLE_ASSIGNMENT,
    DIRECTORY_WRITE,
    GLOBAL_ADMINISTRATOR,
    GRAPH,
    ROLE_MANAGEMENT,
)


def plant(garden: Garden) -> None:
    """Ownerless, single, dead, without MFA, privileged and owned, without sponsor, owned by machines."""
    _too_few(garden)
    _dead(garden)
    _without_mfa(garden)
    _privileged(garden)
    _sponsors(garden)
    _chains(garden)


def _too_few(garden: Garden) -> None:
    garden.guilty("B1", garden.app("ownerless", owners=()), "no credential")
    with_secret = garden.app("ownerless with secret", owners=())
    garden.secret(with_secret, "live", 20, 100)
    garden.guilty("B1", with_secret, "live secret")
    with_certificate = garden.app("ownerless with certificate", owners=())
    garden.certificate(with_certificate, "live", 20, 100)
    garden.guilty("B1", with_certificate, "live certificate")
    one, two = garden.people[3], garden.people[4]
    for number, owner in enumerate((one, two, garden.people[5])):
        made = garden.app(f"single owner {number}", owners=(owner,))
        garden.guilty("B2", made, "one owner")
        garden.innocent("B1", made, "somebody owns it")
    garden.innocent(("B1", "B2"), garden.app("two owners", owners=(one, two)), "two owners")
    apart = garden.app("principal ownerless", owners=(one, two), principal_owners=())
    garden.innocent("B1", apart, "the registration has owners, the principal needs none")
    apart = garden.app("principal with one owner", owners=(one, two), principal_owners=(one,))
    garden.innocent(("B1", "B2"), apart, "the registration has two owners")
    unowned = garden.app("tier-0 ownerless", owners=())
    garden.grant_role(unowned, GRAPH, DIRECTORY_WRITE)
    garden.guilty("E1", unowned, "tier-0 permission, ownerless")
    garden.innocent(("B1", "B5"), unowned, "tier-0: shall have no owners")
    garden.innocent(("B1", "B2", "F11"), garden.managed_identity("identity ownerless"), "a managed identity")


def _dead(garden: Garden) -> None:
    disabled = [garden.user(f"left {number}", accountEnabled=False) for number in range(2)]
    guests = [garden.user(f"guest {number}", userType="Guest") for number in range(2)]
    gone = [garden.user(f"gone {number}", gone=True) for number in range(2)]
    shapes = {"disabled": disabled, "guests": guests, "deleted": gone, "mixed": [disabled[0], guests[1]]}
    for shape, owners in shapes.items():
        garden.guilty("B3", garden.app(f"dead owners {shape}", owners=owners), shape)
    alive = garden.app("one owner alive", owners=(disabled[0], garden.people[6]))
    garden.innocent("B3", alive, "one of two owners is enabled")
    service = garden.user("svc-deploy")
    kept = garden.app("owned by service account", owners=(service, garden.people[7]))
    garden.innocent(("B3", "B4"), kept, "an enabled service account with MFA owns it")


def _without_mfa(garden: Garden) -> None:
    careless = [garden.user(f"without mfa {number}", mfa=False) for number in range(3)]
    for number, person in enumerate(careless):
        made = garden.app(f"owner without mfa {number}", owners=(person, garden.people[8]))
        garden.guilty("B4", made, "one of two owners")
    garden.guilty("B4", garden.app("owners without mfa", owners=careless[:2]), "both owners")
    passkey = garden.user("with passkey", mfa=True)
    garden.registrations[passkey] |= {"isPasswordlessCapable": True, "methodsRegistered": ["fido2SecurityKey"]}
    made = garden.app("owner with passkey", owners=(passkey, garden.people[9]))
    garden.innocent("B4", made, "phishing-resistant: a passkey, no authenticator app")
    unlisted = garden.user("not in the report")
    del garden.registrations[unlisted]
    made = garden.app("owner not in the report", owners=(unlisted, garden.people[10]))
    garden.innocent("B4", made, "the report says nothing about one owner")


def _privileged(garden: Garden) -> None:
    shapes: dict[str, Sequence[str]] = {
        "one owner": garden.people[11:12],
        "two owners": garden.people[11:13],
        "three owners": garden.people[11:14],
    }
    for (shape, owners), role in zip(
        shapes.items(), (ROLE_MANAGEMENT, APP_ROLE_ASSIGNMENT, DIRECTORY_WRITE), strict=True
    ):
        made = garden.app(f"tier-0 with {shape}", owners=owners)
        garden.grant_role(made, GRAPH, role)
        garden.guilty("B5", made, f"tier-0 permission, {shape}")
        garden.guilty("E1", made, f"tier-0 permission, {shape}")
    admin = garden.app("administrator with owners")
    garden.give_directory_role((admin.principal or {})["id"], GLOBAL_ADMINISTRATOR)
    garden.guilty("B5", admin, "directory role, two owners")
    garden.guilty("E3", admin, "directory role, two owners")
    garden.innocent("B5", garden.app("plain with owners"), "owners of an unprivileged application")


def _sponsors(garden: Garden) -> None:
    blueprint = garden.blueprint("blueprint ownership")
    garden.innocent("B6", blueprint, "the blueprint has a sponsor, and its principal needs none")
    nobody = garden.group("empty sponsors", ())
    somebody = garden.group("sponsors", garden.people[14:16])
    garden.guilty("B6", garden.agent("agent without sponsor", blueprint, sponsors=()), "agent")
    garden.guilty("B6", garden.blueprint("blueprint without sponsor", sponsors=()), "blueprint")
    garden.guilty("B6", garden.agent("agent with empty group", blueprint, sponsors=(nobody,)), "group without members")
    garden.innocent("B6", garden.agent("agent with sponsor", blueprint), "a person sponsors it")
    by_group = garden.agent("agent with group", blueprint, sponsors=(somebody,))
    garden.innocent(("B1", "B6"), by_group, "a group with members sponsors it")


def _chains(garden: Garden) -> None:
    foreign = garden.stranger("foreign owner").object_id
    pipeline = garden.app("deployment pipeline")
    own = str((pipeline.principal or {})["id"])
    shapes = {"foreign principal": [foreign, own], "person and foreign principal": [garden.people[16], foreign]}
    for shape, owners in shapes.items():
        garden.guilty("B7", garden.app(f"owned by {shape}", owners=owners), shape)
    stronger = garden.app("tier-0 owned by weaker principal", owners=[own])
    garden.grant_role(stronger, GRAPH, ROLE_MANAGEMENT)
    for check_id in ("B5", "B7", "E1"):
        garden.guilty(check_id, stronger, "tier-0 permission, owned by a weaker principal")
    deployed = garden.app(
        "owned by deployment pipeline", {"createdByAppId": pipeline.app_id}, owners=[own, garden.people[17]]
    )
    garden.innocent("B7", deployed, "the deployment pipeline of this tenant made it, and it has no power")
    garden.innocent("B7", pipeline, "people own it")
