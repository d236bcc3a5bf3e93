"""Plants of the chapter on usage, A1 to A7: what nobody uses, and what only looks as if nobody did."""

from sandbox.graph.posture.garden import ACTIVITIES, AS_CLIENT, AS_RESOURCE, Garden
from sandbox.graph.posture.plants.permissions import (
    APPLICATION_WRITE,
    GLOBAL_ADMINISTRATOR,
    GRAPH,
    GROUP_MEMBER_WRITE,
    PRIVILEGED_ROLE_ADMINISTRATOR,
    USER_READ_ALL,
)
from sandbox.graph.posture.samples import web

LATEST, DELEGATED = ACTIVITIES[0], ACTIVITIES[1]
ON_PREMISES = "WindowsAzureActiveDirectoryOnPremApp"
LINKED = "WindowsAzureActiveDirectoryCustomSingleSignOnApplication"
MICROSOFT_TENANTS = (
    "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "72f988bf-86f1-41af-91ab-2d7cd011db47",
    "33e01921-4d64-4f8c-a055-5bdaffd5e33d",
)
UNUSED = ("A1", "A2", "A3", "A4")


def plant(garden: Garden) -> None:
    """Stale, never used, stale and dangerous, switched off; agents that sleep."""
    _stale(garden)
    _needing_no_tokens(garden)
    _never_used(garden)
    _stale_with_credentials(garden)
    _stale_and_privileged(garden)
    _switched_off(garden)
    _agents(garden)


def _stale(garden: Garden) -> None:
    shapes: dict[str, dict[str, float]] = {
        "91 days": {LATEST: 91, AS_CLIENT: 91},
        "100 days": {LATEST: 100, AS_CLIENT: 100},
        "200 days": {LATEST: 200, AS_CLIENT: 200},
        "resource only": {AS_RESOURCE: 120},
        "all five old": {name: 95 + 20 * number for number, name in enumerate(ACTIVITIES)},
    }
    for shape, used in shapes.items():
        garden.guilty("A1", garden.app(f"stale {shape}", used=used), shape)
    foreign = garden.stranger("stale foreign", used={LATEST: 130, DELEGATED: 130})
    garden.guilty("A1", foreign, "foreign principal")
    nearly = garden.app("nearly stale", used={LATEST: 89, AS_CLIENT: 89})
    garden.innocent("A1", nearly, "used 89 days ago")
    resource = garden.app("used as resource", used={LATEST: 300, AS_CLIENT: 300, AS_RESOURCE: 3})
    garden.innocent("A1", resource, "old as client, used as resource: the newest of five counts")
    delegated = garden.app("used by people", used={AS_CLIENT: 300, DELEGATED: 4})
    garden.innocent("A1", delegated, "old as daemon, used by people: the newest of five counts")
    young = garden.app("made lately", used={LATEST: 20, AS_CLIENT: 20}, created=25)
    garden.innocent(UNUSED, young, "made less than 90 days ago")
    young = garden.app("made 89 days ago", used={LATEST: 88, AS_CLIENT: 88}, created=89)
    garden.innocent("A1", young, "made less than 90 days ago")
    undated = garden.app(
        "old without date", {"createdDateTime": None}, {"createdDateTime": None}, used={LATEST: 5, AS_CLIENT: 5}
    )
    garden.innocent(UNUSED, undated, "createdDateTime is null, but it is used")


def _needing_no_tokens(garden: Garden) -> None:
    signing = {"preferredSingleSignOnMode": "saml"}
    innocents = {
        "saml sign-on": (garden.app("saml sign-on", None, signing, used=None), "SAML needs no tokens"),
        "password sign-on": (
            garden.app("password sign-on", None, {"preferredSingleSignOnMode": "password"}, used=None),
            "password single sign-on needs no tokens",
        ),
        "linked sign-on": (
            garden.app(
                "linked sign-on", None, {"preferredSingleSignOnMode": "notSupported", "tags": [LINKED]}, used=None
            ),
            "linked sign-on needs no tokens",
        ),
        "app proxy": (
            garden.app("app proxy", {"tags": [ON_PREMISES]}, {"tags": [ON_PREMISES]}, used=None),
            "Application Proxy needs no tokens",
        ),
    }
    for made, why in innocents.values():
        garden.innocent(UNUSED, made, why)
    stale = garden.app("saml stale", None, signing, used={LATEST: 300, DELEGATED: 300})
    garden.innocent(UNUSED, stale, "SAML needs no tokens")
    garden.innocent((*UNUSED, "B1", "F11"), garden.managed_identity("identity unused"), "a managed identity")
    for number, tenant in enumerate(MICROSOFT_TENANTS):
        made = garden.microsofts(f"first party unused {number}", tenant=tenant)
        garden.innocent((*UNUSED, "B1", "F9", "F11"), made, "Microsoft's, by its tenant")


def _never_used(garden: Garden) -> None:
    garden.guilty("A2", garden.app("never used", used=None), "no row, 400 days old")
    garden.guilty("A2", garden.app("never used young", used=None, created=45), "no row, 45 days old")
    garden.guilty("A2", garden.app("never used nulls", used={}), "a row of nulls")
    garden.guilty("A2", garden.stranger("never used foreign", used=None), "foreign principal")
    garden.innocent(UNUSED, garden.app("never used new", used=None, created=20), "20 days old")
    scope = {
        "id": garden.id("scope"),
        "value": "Orders.Read",
        "type": "User",
        "isEnabled": True,
        "adminConsentDisplayName": "Read orders",
        "adminConsentDescription": "Read orders",
        "userConsentDisplayName": None,
        "userConsentDescription": None,
    }
    api = {
        "identifierUris": [f"api://{garden.id('api')}"],
        "api": {
            "acceptMappedClaims": None,
            "knownClientApplications": [],
            "oauth2PermissionScopes": [scope],
            "preAuthorizedApplications": [],
            "requestedAccessTokenVersion": 2,
        },
    }
    garden.innocent("A2", garden.app("resource-only api", api, used=None), "no row is not never for an API")


def _stale_with_credentials(garden: Garden) -> None:
    old: dict[str, float] = {LATEST: 150, AS_CLIENT: 150}
    by_secret = garden.app("stale with secret", used=old)
    key_id = garden.secret(by_secret, "live", 160, 19, used=150)
    garden.guilty("C2", by_secret, "stale, 19 days left", key_id)
    garden.guilty("C8", by_secret, "stale, last used 150 days ago", key_id)
    by_certificate = garden.app("stale with certificate", used=old)
    key_id = garden.certificate(by_certificate, "live", 160, 150, used=150)
    garden.guilty("C8", by_certificate, "stale, last used 150 days ago", key_id)
    endless = garden.app("stale with endless secret", used=old)
    key_id = garden.secret(endless, "endless", 160, None, used=150)
    garden.guilty("C3", endless, "stale, without end", key_id)
    garden.guilty("C8", endless, "stale, last used 150 days ago", key_id)
    for made, shape in ((by_secret, "secret"), (by_certificate, "certificate"), (endless, "secret without end")):
        garden.guilty("A1", made, "150 days")
        garden.guilty("A3", made, shape)
    expired = garden.app("stale with expired secret", used=old)
    garden.secret(expired, "expired", 160, -3, used=150)
    garden.guilty("A1", expired, "150 days")
    garden.innocent("A3", expired, "its only secret has ended")
    bare = garden.app("stale without credential", used=old)
    garden.guilty("A1", bare, "150 days")
    garden.innocent(("A3", "A4"), bare, "no credential and no privilege")


def _stale_and_privileged(garden: Garden) -> None:
    old: dict[str, float] = {LATEST: 110, AS_CLIENT: 110}
    for number, role in enumerate((APPLICATION_WRITE, GROUP_MEMBER_WRITE)):
        made = garden.app(f"stale tier-0 {number}", used=old, owners=())
        garden.grant_role(made, GRAPH, role)
        garden.guilty("A1", made, "110 days")
        garden.guilty("A4", made, "tier-0 permission")
        garden.guilty("E1", made, "tier-0 permission, stale")
    for number, role in enumerate((GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR)):
        made = garden.app(f"stale administrator {number}", used=old, owners=())
        garden.give_directory_role((made.principal or {})["id"], role)
        garden.guilty("A1", made, "110 days")
        garden.guilty("A4", made, "directory role")
        garden.guilty("E3", made, "directory role, stale")
    harmless = garden.app("stale harmless", used=old)
    garden.grant_role(harmless, GRAPH, USER_READ_ALL)
    garden.guilty("A1", harmless, "110 days")
    garden.innocent(("A4", "E1"), harmless, "User.Read.All is not tier-0")


def _switched_off(garden: Garden) -> None:
    quiet: dict[str, float] = {LATEST: 60, AS_CLIENT: 60}
    off = {"isDisabled": True}
    garden.guilty("A5", garden.app("off everywhere", off, off, used=quiet), "isDisabled")
    garden.guilty("A5", garden.app("off here", None, {"accountEnabled": False}, used=quiet), "accountEnabled false")
    taken = {"disabledByMicrosoftStatus": "DisabledDueToViolationOfServicesAgreement"}
    garden.guilty("A5", garden.app("off for violation", taken, taken, used=quiet), "disabled by Microsoft")
    garden.guilty("A5", garden.stranger("off foreign", {"accountEnabled": False}, used=quiet), "foreign principal")
    kept = {"disabledByMicrosoftStatus": "NotDisabled"}
    garden.innocent("A5", garden.app("not disabled", kept, kept), "the status says NotDisabled")
    young = garden.app("off but young", off, off, created=10, used=None)
    garden.innocent("A5", young, "made 10 days ago: it cannot have been off for 30")
    on = {"isDisabled": False}
    garden.innocent("A5", garden.app("on again", on, on, created=60), "isDisabled false is not off")
    page = {"web": web("https://portal.contoso.example/signed-in")}
    garden.innocent((*UNUSED, "A5", "B1", "B2", "F3", "F4", "F5", "F6"), garden.app("healthy", page), "healthy")


def _agents(garden: Garden) -> None:
    blueprint = garden.blueprint("blueprint usage")
    garden.guilty("A7", garden.agent("agent asleep", blueprint, used=40), "last seen 40 days ago")
    garden.guilty("A7", garden.agent("agent long asleep", blueprint, used=120), "last seen 120 days ago")
    garden.guilty("A7", garden.agent("agent never seen", blueprint, used=None, created=60), "never seen, 60 days old")
    garden.innocent("A7", garden.agent("agent awake", blueprint, used=5), "seen 5 days ago")
    garden.innocent("A7", garden.agent("agent by event", blueprint, used=29), "seen 29 days ago, waits for events")
    logged = garden.agent("agent in the log alone", blueprint, used=None)
    garden.note_sign_in(logged, 5, agent=True)
    garden.innocent("A7", logged, "no activity is reported, and the log shows it 5 days ago")
    refused = garden.agent("agent refused", blueprint, used=None)
    garden.note_sign_in(refused, 5, agent=True, error_code=7000222)
    garden.guilty("A7", refused, "refused 5 days ago, and never seen at work")
    young = garden.agent("agent new", blueprint, used=None, created=10)
    garden.innocent(("A2", "A7", "B1", "F11"), young, "made 10 days ago")
