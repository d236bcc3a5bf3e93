"""Plants of the chapter on credentials by kind, place and history: C11 to C16."""

import json

from sandbox.graph.posture.certificates import P_256, RSA_1024, RSA_1024_SHA1, RSA_2048, RSA_2048_SHA1
from sandbox.graph.posture.garden import Garden, Json, Planted
from sandbox.graph.posture.ids import planted_id
from sandbox.graph.posture.plants.permissions import APPLICATION_WRITE, GRAPH, ROLE_MANAGEMENT
from sandbox.graph.posture.plants.usage import MICROSOFT_TENANTS

SECRETS_MANAGED = "Update application \N{EN DASH} Certificates and secrets management "
SAML = {"preferredSingleSignOnMode": "saml"}


def plant(garden: Garden) -> None:
    """Hidden, on Microsoft's own, mixed, weak, shared, added by nobody who should."""
    _hidden(garden)
    _on_microsofts(garden)
    _mixed(garden)
    _weak(garden)
    _shared(garden)
    _added(garden)


def _hidden(garden: Garden) -> None:
    made = garden.app("hidden secret")
    garden.guilty("C11", made, "own application", garden.secret(made, "hidden", 20, 100, on_principal=True), held=True)
    made = garden.stranger("hidden secret on foreign principal")
    garden.guilty(
        "C11", made, "foreign principal", garden.secret(made, "hidden", 20, 100, on_principal=True), held=True
    )
    made = garden.blueprint("blueprint with hidden secret")
    garden.guilty(
        "C11", made, "blueprint principal", garden.secret(made, "hidden", 20, 100, on_principal=True), held=True
    )
    made = garden.app("saml with password", None, SAML)
    mark = garden.thumbprint("saml with password")
    key_id = garden.certificate(made, "sign", 20, 1000, use="Sign", used=None, on_principal=True, thumbprint=mark)
    garden.certificate(made, "verify", 20, 1000, used=None, on_principal=True, thumbprint=mark)
    password = garden.secret(made, "guards the key", 20, 1000, used=None, on_principal=True)
    (made.principal or {})["passwordCredentials"][0]["customKeyIdentifier"] = mark
    for one in (key_id, password):
        garden.innocent(("C3", "C4", "C8", "C11"), made, "a SAML signing certificate and its password", one, held=True)
    garden.innocent("C13", made, "a SAML signing certificate and its password")


def _on_microsofts(garden: Garden) -> None:
    for number, tenant in enumerate(MICROSOFT_TENANTS):
        made = garden.microsofts(f"first party with credential {number}", tenant=tenant)
        if number == 1:
            key_id = garden.certificate(made, "foreign", 20, 100, on_principal=True, used=None)
        else:
            key_id = garden.secret(made, "foreign", 20, 100, on_principal=True, used=None)
        garden.guilty("C12", made, "certificate" if number == 1 else "secret", key_id)
    garden.innocent("C12", garden.microsofts("first party without credential"), "it has no credential")
    own = garden.app("own with secret")
    garden.secret(own, "live", 20, 100)
    garden.innocent("C12", own, "not Microsoft's")


def _mixed(garden: Garden) -> None:
    for number in range(3):
        made = garden.app(f"secret and certificate {number}")
        garden.secret(made, "secret", 25 + number, 100)
        garden.certificate(made, "certificate", 40 + number, 100)
        garden.guilty("C13", made, "both live")
    made = garden.app("ended secret and certificate")
    garden.secret(made, "secret", 100, -2, used=3)
    garden.certificate(made, "certificate", 40, 100)
    garden.innocent("C13", made, "the secret has ended")
    made = garden.app("migrating to certificate")
    garden.secret(made, "secret", 100, 60)
    garden.certificate(made, "certificate", 5, 100)
    garden.innocent("C13", made, "a migration that began 5 days ago")


def _weak(garden: Garden) -> None:
    shapes = {"RSA 1024": RSA_1024, "SHA-1": RSA_2048_SHA1, "RSA 1024 and SHA-1": RSA_1024_SHA1}
    for shape, der in shapes.items():
        made = garden.app(f"weak {shape}")
        key_id = garden.certificate(made, "weak", 20, 480, der=der)
        garden.guilty("C14", made, shape, key_id)
        garden.guilty("C4", made, f"500 days, {shape}", key_id)
    for shape, der in {"self-signed RSA 2048": RSA_2048, "elliptic curve P-256": P_256}.items():
        made = garden.app(f"strong {shape}")
        garden.innocent("C14", made, shape, garden.certificate(made, "strong", 20, 300, der=der))


def _shared(garden: Garden) -> None:
    mark = garden.thumbprint("shared by two")
    pair = [garden.app(f"shared certificate {number}") for number in range(2)]
    for made in pair:
        garden.guilty(
            "C15",
            made,
            "two applications",
            garden.certificate(made, "shared", 20, 100, thumbprint=mark),
        )
    mark = garden.thumbprint("shared with foreign")
    own, foreign = garden.app("shared with foreign"), garden.stranger("shares with own")
    key_id = garden.certificate(own, "shared", 20, 100, thumbprint=mark)
    garden.guilty("C15", own, "application and foreign principal", key_id)
    key_id = garden.certificate(foreign, "shared", 20, 100, thumbprint=mark, on_principal=True)
    for check_id in ("C11", "C15"):
        garden.guilty(check_id, foreign, "foreign principal and application", key_id, held=True)
    alone = garden.app("same certificate on both objects")
    mark = garden.thumbprint("both objects")
    garden.certificate(alone, "registration", 20, 100, thumbprint=mark)
    key_id = garden.certificate(alone, "principal", 20, 100, thumbprint=mark, on_principal=True)
    garden.guilty("C11", alone, "certificate on the principal", key_id, held=True)
    garden.innocent("C15", alone, "one application: its registration and its principal")
    for number in range(2):
        made = garden.app(f"without thumbprint {number}")
        key_id = garden.certificate(made, "nameless", 20, 100, thumbprint=None)
        garden.innocent("C15", made, "no customKeyIdentifier is not the same one", key_id)


def _added(garden: Garden) -> None:
    person = {
        "user": {"id": garden.people[30], "userPrincipalName": "mallory@contoso.example", "ipAddress": "192.0.2.66"}
    }
    robot = {
        "app": {"appId": garden.id("robot"), "displayName": "deploy robot", "servicePrincipalId": garden.id("robot/p")}
    }
    shapes: dict[str, tuple[Json, str, str]] = {
        "by a person": (person, ROLE_MANAGEMENT, "Update application"),
        "by an application": (robot, APPLICATION_WRITE, "Update application"),
        "first credential": (robot, ROLE_MANAGEMENT, "Add service principal credentials"),
    }
    for shape, (actor, role, activity) in shapes.items():
        made = garden.app(f"credential added {shape}", owners=())
        garden.grant_role(made, GRAPH, role)
        garden.guilty("E1", made, f"tier-0 permission, credential added {shape}")
        on_principal = activity.startswith("Add")
        key_id = garden.secret(made, "added", 2, 100, used=None, on_principal=on_principal)
        target = made.principal if on_principal else made.application
        name = activity if on_principal else SECRETS_MANAGED
        _note_audit(garden, made, name, actor, (target or {}), key_id)
        garden.guilty("C16", made, f"{shape}, two rows", key_id)
        if on_principal:
            garden.guilty("C11", made, "first credential, on the principal", key_id, held=True)
    renamed = garden.app("renamed lately")
    _note_audit(garden, renamed, "Update application", person, renamed.application or {}, "")
    garden.innocent("C16", renamed, "the audit shows another change")


def _note_audit(garden: Garden, what: Planted, activity: str, actor: Json, target: Json, key_id: str) -> None:  # noqa: PLR0913, PLR0917 - the parts of an audit row
    described = json.dumps([f"[KeyIdentifier={key_id},KeyType=Password,KeyUsage=Verify,DisplayName=rotated by hand]"])
    added = {"displayName": "KeyDescription", "oldValue": "[]", "newValue": described}
    renamed = {"displayName": "DisplayName", "oldValue": '["old"]', "newValue": '["new"]'}
    names = [activity, "Update application" if activity == SECRETS_MANAGED else "Update service principal"]
    for number, name in enumerate(names if key_id else names[:1]):
        garden.audits.append(
            {
                "id": planted_id(garden.seed, f"audit/{what.object_id}/{number}"),
                "activityDateTime": garden.moments.ago(2),
                "activityDisplayName": name,
                "additionalDetails": [],
                "category": "ApplicationManagement",
                "correlationId": planted_id(garden.seed, f"audit/{what.object_id}"),
                "initiatedBy": {"app": None, "user": None} | actor,
                "loggedByService": "Core Directory",
                "operationType": "Update",
                "result": "success",
                "resultReason": "",
                "targetResources": [
                    {
                        "id": target.get("id"),
                        "displayName": target.get("displayName"),
                        "type": "ServicePrincipal" if "servicePrincipalType" in target else "Application",
                        "userPrincipalName": None,
                        "groupType": None,
                        "modifiedProperties": [added if key_id else renamed],
                    }
                ],
            }
        )
