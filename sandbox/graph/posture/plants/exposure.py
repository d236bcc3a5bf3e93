"""Plants of the chapter on exposure, F1 to F11: who may sign in, where answers go, and who it claims to be."""

from sandbox.graph.posture.garden import Garden, Json
from sandbox.graph.posture.plants.permissions import GRAPH, USER_READ_ALL
from sandbox.graph.posture.plants.usage import MICROSOFT_TENANTS
from sandbox.graph.posture.samples import HEALTHY_HOST, NO_PUBLISHER, PARTNER_TENANT, VERIFIED, web
from sandbox.tenant import TENANT_ID

HOME = f"https://{HEALTHY_HOST}/signed-in"
LOCKED = {
    "isEnabled": True,
    "allProperties": True,
    "credentialsWithUsageSign": True,
    "credentialsWithUsageVerify": True,
    "tokenEncryptionKeyId": True,
}


def plant(garden: Garden) -> None:
    """Open to other tenants, unlocked, redirects that leak, impersonators, orphans."""
    _tenants_and_locks(garden)
    _implicit(garden)
    _redirects(garden)
    _dangling(garden)
    _public_clients(garden)
    _unverified(garden)
    _impersonating(garden)
    _orphaned(garden)


def _tenants_and_locks(garden: Garden) -> None:
    audiences = ("AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount")
    off = LOCKED | {"isEnabled": False, "allProperties": False}
    for audience, lock in zip(audiences, (None, off, None), strict=True):
        made = garden.app(
            f"open to {audience}",
            {
                "signInAudience": audience,
                "servicePrincipalLockConfiguration": lock,
                "displayName": f"open {garden.prefix}{audience[-12:]}",
            },
        )
        garden.guilty("F1", made, audience)
        garden.guilty("F2", made, f"{audience}, lock {'off' if lock else 'missing'}")
    locked = garden.app(
        "open and locked", {"signInAudience": audiences[0], "servicePrincipalLockConfiguration": LOCKED}
    )
    garden.guilty("F1", locked, "locked")
    garden.innocent("F2", locked, "the lock is on")
    own = garden.app("one tenant, no lock")
    garden.innocent(("F1", "F2"), own, "only this tenant signs in")
    product = {
        "signInAudience": audiences[0],
        "servicePrincipalLockConfiguration": LOCKED,
        "verifiedPublisher": VERIFIED,
    }
    made = garden.app("product", product, {"verifiedPublisher": VERIFIED})
    garden.innocent(("F1", "F2"), made, "a product of a verified publisher")


def _implicit(garden: Garden) -> None:
    for number, id_token in enumerate((False, True, False)):
        made = garden.app(f"implicit {number}", {"web": web(HOME, access_token=True, id_token=id_token)})
        garden.guilty("F3", made, "access tokens" + (" and id tokens" if id_token else ""))
    hybrid = garden.app("hybrid flow", {"web": web(HOME, id_token=True)})
    garden.innocent("F3", hybrid, "the hybrid flow uses id tokens only")


def _redirects(garden: Garden) -> None:
    host = HEALTHY_HOST
    plain: dict[str, Json] = {
        "web": {"web": web(f"http://{host}/signed-in")},
        "spa": {"spa": {"redirectUris": [f"http://{host}/page"]}},
        "upper case": {"web": web(HOME, f"HTTP://{host}/old")},
    }
    for shape, own in plain.items():
        garden.guilty("F4", garden.app(f"http redirect {shape}", own), shape)
    native = {"publicClient": {"redirectUris": ["http://localhost", "http://127.0.0.1:8400", "http://[::1]:8400"]}}
    garden.innocent(("F4", "F6"), garden.app("native client", native), "loopback is normal for public clients")
    loopback = garden.app("in development", {"web": web("http://localhost:3000/signed-in", "http://127.0.0.1:3000/")})
    garden.innocent(("F4", "F6"), loopback, "nothing but loopback: under development")
    wild: dict[str, Json] = {
        "host": {"web": web("https://*.contoso.example/signed-in")},
        "path": {"web": web(HOME, f"https://{host}/*")},
        "spa": {"spa": {"redirectUris": [f"https://{host}/page/*"]}},
    }
    for shape, own in wild.items():
        garden.guilty("F5", garden.app(f"wildcard redirect {shape}", own), shape)
    garden.innocent(("F4", "F5", "F6"), garden.app("plain redirect", {"web": web(HOME)}), "https, exact")
    for number, local in enumerate(("http://localhost:8080/", "https://localhost/signed-in", "http://127.0.0.1:5000/")):
        made = garden.app(f"loopback in production {number}", {"web": web(HOME, local)})
        garden.guilty("F6", made, local)
        garden.innocent("F4", made, "native loopback is allowed")


def _dangling(garden: Garden) -> None:
    gone = [
        f"gone-{garden.prefix}{name}" for name in ("shop.azurewebsites.net", "api.cloudapp.net", "old.contoso.example")
    ]
    for number, host in enumerate(gone):
        made = garden.app(f"dangling redirect {number}", {"web": web(HOME, f"https://{host}/signed-in")})
        garden.guilty("F7", made, host)
    inside = f"app{garden.prefix.rstrip('-')}.corp.internal"
    made = garden.app("internal redirect", {"web": web(HOME, f"https://{inside}/signed-in")})
    garden.innocent("F7", made, "a private zone: unknown, never dangling")
    garden.innocent("F7", garden.app("resolving redirect", {"web": web(HOME)}), "the host resolves")
    garden.hosts["doNotResolve"] += [*gone, inside]
    garden.hosts["private"].append("corp.internal")


def _public_clients(garden: Garden) -> None:
    public = {"isFallbackPublicClient": True}
    garden.guilty("F8", garden.app("public client", public), "no credential")
    with_secret = garden.app("public client with secret", public)
    garden.secret(with_secret, "live", 20, 100)
    garden.guilty("F8", with_secret, "live secret")
    with_certificate = garden.app("public client with certificate", public)
    garden.certificate(with_certificate, "live", 20, 100)
    garden.guilty("F8", with_certificate, "live certificate")
    unsaid = garden.app("public client unsaid", {"isFallbackPublicClient": None})
    garden.innocent("F8", unsaid, "null means no")


def _unverified(garden: Garden) -> None:
    empty = {"verifiedPublisher": NO_PUBLISHER}
    made = garden.stranger("unverified with permission", empty)
    garden.grant_role(made, GRAPH, USER_READ_ALL)
    garden.guilty("F9", made, "application permission")
    made = garden.stranger("unverified with delegation", empty)
    garden.grant_scopes(made, "openid User.Read", consent="AllPrincipals", resource_app_id=GRAPH)
    garden.guilty("F9", made, "delegated permission")
    made = garden.stranger("unverified without publisher", {"verifiedPublisher": None})
    garden.grant_role(made, GRAPH, USER_READ_ALL)
    garden.guilty("F9", made, "verifiedPublisher is null")
    made = garden.stranger("verified with permission")
    garden.grant_role(made, GRAPH, USER_READ_ALL)
    garden.innocent(("F9", "F10", "F11"), made, "the publisher is verified")
    garden.innocent("F9", garden.stranger("unverified without permission", empty), "it has no permission")
    own = garden.app("own with permission")
    garden.grant_role(own, GRAPH, USER_READ_ALL)
    garden.innocent("F9", own, "ours")


def _impersonating(garden: Garden) -> None:
    for number, name in enumerate(("Microsoft Teams Sync", "Office 365 Exchange Online", "Microsoft Graph Connector")):
        made = garden.stranger(f"impersonator {number}", {"displayName": name, "appDisplayName": name})
        garden.guilty("F10", made, name)
    for number, tenant in enumerate(MICROSOFT_TENANTS):
        name = f"Microsoft Service {garden.prefix}{number}"
        made = garden.microsofts(f"real {number}", {"displayName": name, "appDisplayName": name}, tenant)
        garden.innocent(("F10", "F9"), made, "Microsoft's, by its tenant")
    garden.innocent("F10", garden.stranger("small softwares"), "nothing like Microsoft in the name")


def _orphaned(garden: Garden) -> None:
    own: Json = {"appOwnerOrganizationId": TENANT_ID, "verifiedPublisher": NO_PUBLISHER}
    garden.guilty("F11", garden.stranger("orphan", own), "enabled")
    garden.guilty("F11", garden.stranger("orphan switched off", own | {"accountEnabled": False}), "switched off")
    garden.guilty("F11", garden.stranger("orphan single sign-on", own | {"preferredSingleSignOnMode": "saml"}), "SAML")
    garden.innocent("F11", garden.managed_identity("identity without registration"), "a managed identity")
    blueprint = garden.blueprint("blueprint exposure")
    garden.innocent("F11", garden.agent("agent without registration", blueprint), "an agent identity")
    garden.innocent(("F11", "F10"), blueprint, "the blueprint's registration is there")
    legacy = own | {"servicePrincipalType": "Legacy"}
    garden.innocent("F11", garden.stranger("legacy principal", legacy), "the legacy type never had one")
    garden.innocent("F11", garden.stranger("partner principal", {"appOwnerOrganizationId": PARTNER_TENANT}), "theirs")
