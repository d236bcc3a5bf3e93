"""Plants that look unused, unowned or badly kept by their nature: what Entra, Office and agents use in their way."""

from sandbox.graph.posture.garden import ACTIVITIES, AS_CLIENT, BLUEPRINT_PRINCIPAL, DEVICES, Garden
from sandbox.graph.posture.plants.usage import UNUSED
from sandbox.graph.posture.samples import APPLICATION, web

CLOUD_SYNC = "1a4721b3-e57f-4451-ae87-ef078703ec94"
ALL_OF_OFFICE, OUTLOOK = "ea5a67f6-b6f3-4338-b240-c655ddc3cc8e", "bc59ab01-8403-45c6-8796-ac3ef710b3e3"


def plant(garden: Garden) -> None:
    """Trust between devices, cloud sync, Office add-ins, blueprints that only their agents work for."""
    _device_trust(garden)
    _cloud_sync(garden)
    _office_add_ins(garden)
    _blueprints(garden)


def _device_trust(garden: Garden) -> None:
    name = "P2P Server"
    made = garden.app(
        name,
        {"displayName": name, "identifierUris": ["urn:p2p_cert"]},
        {"displayName": name, "servicePrincipalNames": ["urn:p2p_cert"], "tags": []},
        used=None,
        owners=(),
    )
    why = "Entra made it for the trust between devices, and keeps it"
    garden.innocent((*UNUSED, "B1", "B2"), made, why)
    for label, started, ends in (("old", 800, -30), ("last", 400, 20), ("new", 200, 1600)):
        key_id = garden.certificate(made, label, started, ends, name=DEVICES, used=None, on_principal=True)
        garden.innocent(("C1", "C2", "C4", "C5", "C8", "C11"), made, why, key_id, held=True)
    hidden = garden.certificate(made, "hidden", 20, 100, on_principal=True)
    garden.guilty("C11", made, "somebody's certificate beside Entra's own", hidden, held=True)


def _cloud_sync(garden: Garden) -> None:
    template = {"applicationTemplateId": CLOUD_SYNC, "displayName": f"{garden.prefix}contoso.example"}
    made = garden.app("cloud sync", template, template, used=None)
    garden.innocent(UNUSED, made, "cloud sync works without tokens of its own")


def _office_add_ins(garden: Garden) -> None:
    for client, label in ((ALL_OF_OFFICE, "add-in"), (OUTLOOK.upper(), "add-in of Outlook")):
        made = garden.app(label, _asked_for_by(client), used=None)
        garden.innocent(UNUSED, made, "Office asks for its tokens")
    old: dict[str, float] = {ACTIVITIES[0]: 150, AS_CLIENT: 150}
    with_secret = garden.app("add-in with secret", _asked_for_by(ALL_OF_OFFICE), used=old)
    key_id = garden.secret(with_secret, "live", 160, 19, used=150)
    for check_id in ("A1", "A3"):
        garden.guilty(check_id, with_secret, "an add-in that asks for tokens itself, stale")
    garden.guilty("C2", with_secret, "add-in, stale, 19 days left", key_id)
    garden.guilty("C8", with_secret, "add-in, last used 150 days ago", key_id)
    of_others = garden.app("api for another client", _asked_for_by(garden.id("another client")), used=old)
    garden.guilty("A1", of_others, "pre-authorised for somebody who is not Office, 150 days")


def _asked_for_by(client: str) -> dict[str, object]:
    allowed = [{"appId": client, "delegatedPermissionIds": []}]
    return {"api": APPLICATION["api"] | {"preAuthorizedApplications": allowed}, "web": web()}


def _blueprints(garden: Garden) -> None:
    own = garden.blueprint("blueprint by its agents", used=None)
    garden.innocent((*UNUSED, "B6"), own, "its agents ask for tokens")
    foreign = garden.stranger("foreign blueprint", {"@odata.type": BLUEPRINT_PRINCIPAL}, used=None)
    garden.innocent((*UNUSED, "A7", "B6"), foreign, "the principal of a partner's blueprint: its agents ask for tokens")
