"""Plants of the chapter on credentials by date and by use, C1 to C10; the rest of the chapter is planted by kind."""

from sandbox.graph.posture.garden import PROXY, SYNC, Garden
from sandbox.graph.posture.plants import credential_kinds
from sandbox.graph.posture.plants.permissions import GRAPH, ROLE_MANAGEMENT
from sandbox.graph.posture.plants.usage import ON_PREMISES
from sandbox.graph.posture.policies import Json, own_policy, restriction

MANY = 24  # more than Graph shows beside a policy
SAML = {"preferredSingleSignOnMode": "saml"}


def plant(garden: Garden) -> None:
    """Expired, expiring, long-lived, never rotated, too many, unused, superseded; and what only looks so."""
    _expired(garden)
    _expiring(garden)
    _long_lived(garden)
    _under_own_policies(garden)
    _not_rotated(garden)
    _too_many(garden)
    _secret_at_all(garden)
    _unused(garden)
    _superseded(garden)
    credential_kinds.plant(garden)


def _expired(garden: Garden) -> None:
    made = garden.app("expired secret")
    garden.guilty("C1", made, "secret", garden.secret(made, "old", 120, -30, used=31))
    made = garden.app("expired certificate")
    garden.guilty("C1", made, "certificate", garden.certificate(made, "old", 120, -8, used=None))
    made = garden.app("expired beside a live one")
    garden.guilty("C1", made, "secret beside a live one", garden.secret(made, "old", 200, -90, used=None))
    garden.secret(made, "new", 20, 100)
    made = garden.blueprint("blueprint with expired secret")
    garden.guilty("C1", made, "blueprint", garden.secret(made, "old", 120, -60, used=None))
    made = garden.app("expired in grace")
    garden.innocent("C1", made, "3 days ago is within the grace", garden.secret(made, "old", 90, -3, used=4))
    made = garden.app("proxied", {"tags": [ON_PREMISES]}, {"tags": [ON_PREMISES]})
    garden.innocent(
        "C1", made, "Application Proxy renews itself", garden.secret(made, "old", 200, -20, name=PROXY, used=None)
    )
    garden.innocent(
        ("C2", "C5"), made, "Application Proxy renews itself", garden.secret(made, "new", 170, 5, name=PROXY)
    )
    made = garden.app("synchronised", {"displayName": f"{SYNC}_{garden.prefix or 'a'}"})
    garden.innocent(
        "C1", made, "Connect Sync renews itself", garden.certificate(made, "old", 200, -20, name=SYNC, used=None)
    )
    garden.innocent("C2", made, "Connect Sync renews itself", garden.certificate(made, "new", 80, 10, name=SYNC))
    _only_called_so(garden)
    made = garden.app("endless")
    key_id = garden.secret(made, "endless", 20, None)
    garden.innocent(("C1", "C2"), made, "endDateTime is null", key_id)
    garden.guilty("C3", made, "without end", key_id)


def _only_called_so(garden: Garden) -> None:
    """Somebody names what they made as Microsoft names its own."""
    made = garden.app("secret called as the proxy's")
    garden.guilty("C7", made, "live secret called as the proxy's")
    garden.guilty("C1", made, "called as the proxy's", garden.secret(made, "old", 170, -20, name=PROXY, used=None))
    key_id = garden.secret(made, "new", 250, 5, name=PROXY)
    for check_id in ("C2", "C3", "C5"):
        garden.guilty(check_id, made, "called as the proxy's", key_id)
    made = garden.app("certificate called as Connect Sync's")
    key_id = garden.certificate(made, "ending", 400, 5, name=SYNC)
    for check_id in ("C2", "C4", "C5"):
        garden.guilty(check_id, made, "called as Connect Sync's", key_id)


def _expiring(garden: Garden) -> None:
    for days in (25, 12, 5, 0.5):
        made = garden.app(f"expiring in {days} days")
        garden.guilty("C2", made, f"secret, {days} days", garden.secret(made, "ending", 100, days))
    made = garden.app("expiring certificate")
    garden.guilty("C2", made, "certificate", garden.certificate(made, "ending", 100, 20))
    made = garden.app("expiring unused")
    key_id = garden.secret(made, "ending", 100, 20, used=None)
    garden.guilty("C2", made, "unused secret", key_id)
    garden.guilty("C8", made, "no row, 100 days old, expiring", key_id)
    made = garden.app("expiring later")
    garden.innocent(("C1", "C2"), made, "45 days are left", garden.secret(made, "later", 100, 45))


def _long_lived(garden: Garden) -> None:
    for days in (200, 400, 800):
        made = garden.app(f"secret for {days} days")
        garden.guilty("C3", made, f"{days} days", garden.secret(made, "long", 20, days - 20))
    made = garden.app("secret for two years, ending")
    key_id = garden.secret(made, "long", 720, 10)
    for check_id in ("C2", "C3", "C5"):
        garden.guilty(check_id, made, "two years, 10 days left", key_id)
    made = garden.app("secret for 180 days")
    garden.innocent("C3", made, "issued for exactly 180 days", garden.secret(made, "allowed", 20, 160))
    made = garden.app("secret for 90 days")
    garden.innocent(("C3", "C5"), made, "issued for 90 days", garden.secret(made, "short", 20, 70))
    for days in (400, 730, 1095):
        made = garden.app(f"certificate for {days} days")
        garden.guilty("C4", made, f"{days} days", garden.certificate(made, "long", 20, days - 20))
    made, mark = garden.app("certificate listed twice"), garden.thumbprint("listed twice")
    first = garden.certificate(made, "long", 20, 480, thumbprint=mark)
    garden.certificate(made, "twin", 20, 480, thumbprint=mark, used=None)
    garden.guilty("C4", made, "one certificate, listed twice: one finding", first, once=True)
    made = garden.app("certificate for 365 days")
    garden.innocent("C4", made, "issued for exactly 365 days", garden.certificate(made, "allowed", 20, 345))


def _under_own_policies(garden: Garden) -> None:
    """Entra compares with "less than": 61 days allow 60."""
    secrets, certificates = restriction("passwordLifetime", "P61D"), restriction("asymmetricKeyLifetime", "P91D")
    others = [*garden.applications.values()][-MANY:]
    made, within = garden.app("secret against its own policy"), garden.app("secret within its own policy")
    garden.guilty("C3", made, "90 days, its own policy allows 60", garden.secret(made, "long", 5, 85))
    garden.innocent("C3", within, "60 days, as its own policy allows", garden.secret(within, "short", 5, 55))
    garden.apply_policy(_own(garden, "secrets", [secrets], []), made.application, within.application)
    made, free = garden.app("certificate against its own policy"), garden.app("secret beside its own policy")
    garden.guilty("C4", made, "120 days, its own policy allows 90", garden.certificate(made, "long", 20, 100))
    garden.innocent("C3", free, "its own policy names certificates alone", garden.secret(free, "long", 5, 85))
    garden.apply_policy(_own(garden, "certificates", [], [certificates]), made.application, free.application)
    made = garden.app("under a policy that is off")
    garden.innocent("C3", made, "90 days, its own policy is off", garden.secret(made, "long", 5, 85))
    garden.apply_policy(_own(garden, "nothing", [secrets], [], enabled=False), made.application, *others)


def _own(
    garden: Garden, restricts: str, secrets: list[Json], certificates: list[Json], *, enabled: bool = True
) -> Json:
    policy_id = garden.id(f"policy/{restricts}")
    return own_policy(policy_id, f"{garden.prefix}Restricts {restricts}", secrets, certificates, enabled=enabled)


def _not_rotated(garden: Garden) -> None:
    made = garden.app("old secret")
    key_id = garden.secret(made, "old", 250, 100)
    garden.guilty("C5", made, "secret", key_id)
    garden.guilty("C3", made, "350 days", key_id)
    made = garden.app("old certificate")
    garden.guilty("C5", made, "certificate", garden.certificate(made, "old", 200, 100))
    made = garden.app("endless old secret")
    key_id = garden.secret(made, "endless", 900, None)
    for check_id in ("C3", "C5"):
        garden.guilty(check_id, made, "secret without end", key_id)
    made = garden.app("young certificate")
    garden.innocent("C5", made, "170 days old", garden.certificate(made, "young", 170, 150))


def _too_many(garden: Garden) -> None:
    for count in (3, 4):
        made = garden.app(f"{count} secrets")
        for number in range(count):
            garden.secret(made, f"one of {count}: {number}", 10 + number, 100, used=2 if number else None)
        garden.guilty("C6", made, f"{count} live secrets")
    made = garden.app("two secrets for long")
    old = garden.secret(made, "old", 100, 60, used=40)
    garden.secret(made, "new", 20, 120)
    garden.guilty("C6", made, "two live secrets, 20 days of overlap")
    for check_id in ("C8", "C9"):
        garden.guilty(check_id, made, "older of two, last used 40 days ago", old)
    made = garden.app("two secrets for a while")
    garden.secret(made, "old", 100, 60)
    garden.secret(made, "new", 10, 120)
    garden.innocent(("C6", "C9", "C10"), made, "10 days of overlap")
    made = garden.app("one secret of two")
    garden.secret(made, "ended", 170, -2, used=3)
    garden.secret(made, "new", 20, 120)
    garden.innocent(("C6", "C9", "C10"), made, "only one of two is live")
    made = garden.app("secrets of three regions")
    for region in ("north", "west", "east"):
        garden.secret(made, region, 20, 120, name=region)
    garden.innocent(("C6", "C9", "C10"), made, "one for each region, issued together, all in use")


def _secret_at_all(garden: Garden) -> None:
    for number in range(2):
        made = garden.app(f"with a secret {number}")
        garden.secret(made, "live", 20, 100)
    made = garden.app("tier-0 with a secret", owners=())
    garden.secret(made, "live", 20, 100)
    garden.grant_role(made, GRAPH, ROLE_MANAGEMENT)
    garden.guilty("E1", made, "tier-0 permission, secret")
    made = garden.app("with a certificate")
    garden.certificate(made, "live", 20, 100)
    garden.innocent(("C6", "C7", "C13"), made, "a certificate is no secret")
    garden.innocent("C7", garden.app("without credential"), "nothing to steal")


def _unused(garden: Garden) -> None:
    made = garden.app("unused for 40 days")
    garden.guilty("C8", made, "last used 40 days ago", garden.secret(made, "resting", 60, 100, used=40))
    made = garden.app("unused for 100 days")
    garden.guilty("C8", made, "last used 100 days ago", garden.certificate(made, "resting", 150, 100, used=100))
    made = garden.app("credential never used")
    garden.guilty("C8", made, "no row, 60 days old", garden.secret(made, "resting", 60, 100, used=None))
    made = garden.app("credential new and unused")
    garden.innocent("C8", made, "no row, 20 days old", garden.secret(made, "new", 20, 100, used=None))
    made = garden.app("credential in use")
    garden.innocent("C8", made, "used 5 days ago", garden.certificate(made, "busy", 100, 100, used=5))
    made = garden.app("credential ended unused")
    garden.innocent("C8", made, "it has ended", garden.secret(made, "ended", 60, -2, used=None))
    made, mark = garden.app("saml certificate", None, SAML), garden.thumbprint("saml certificate")
    signing = garden.certificate(made, "sign", 100, 1095, use="Sign", used=None, on_principal=True, thumbprint=mark)
    verify = garden.certificate(made, "verify", 100, 1095, used=None, on_principal=True, thumbprint=mark)
    for key_id in (signing, verify):
        garden.innocent(("C4", "C8", "C11", "C15"), made, "a SAML signing certificate, listed twice", key_id, held=True)


def _superseded(garden: Garden) -> None:
    made = garden.app("superseded secret")
    old = garden.secret(made, "old", 120, 50, used=60)
    garden.secret(made, "new", 40, 130)
    for check_id in ("C8", "C9"):
        garden.guilty(check_id, made, "secret, last used 60 days ago", old)
    garden.guilty("C6", made, "two live secrets, one not in use")
    made = garden.app("superseded certificate")
    old = garden.certificate(made, "old", 120, 50, used=50)
    garden.certificate(made, "new", 40, 130)
    for check_id in ("C8", "C9"):
        garden.guilty(check_id, made, "certificate, last used 50 days ago", old)
    made = garden.blueprint("blueprint with superseded secret")
    old = garden.secret(made, "old", 150, 28, used=None)
    garden.secret(made, "new", 60, 110)
    for check_id in ("C2", "C8", "C9"):
        garden.guilty(check_id, made, "blueprint, old one never used", old)
    garden.guilty("C6", made, "two live secrets, one not in use")
    made = garden.app("still used secret")
    old = garden.secret(made, "old", 120, 50, used=1)
    garden.secret(made, "new", 40, 130, used=5)
    garden.guilty("C10", made, "secret", old)
    made = garden.app("still used certificate")
    old = garden.certificate(made, "old", 120, 50, used=3)
    garden.certificate(made, "new", 40, 130)
    garden.guilty("C10", made, "certificate", old)
    made = garden.app("still used of three")
    old = garden.secret(made, "old", 170, 10, used=2)
    middle = garden.secret(made, "middle", 100, 70, used=2)
    garden.secret(made, "new", 40, 130)
    for check_id in ("C2", "C10"):
        garden.guilty(check_id, made, "oldest of three", old)
    garden.guilty("C10", made, "middle of three", middle)
    made = garden.app("successor not used yet")
    old = garden.secret(made, "old", 120, 50)
    garden.secret(made, "new", 28, 130, used=None)
    garden.innocent(("C9", "C10"), made, "the new one is not used yet", old)
    garden.guilty("C6", made, "two live secrets, one not in use")
    made = garden.app("canary")
    old = garden.certificate(made, "old", 120, 50, used=12)
    garden.certificate(made, "new", 10, 130)
    garden.innocent(("C9", "C10"), made, "a canary rollout: 10 days of overlap", old)
    made = garden.app("slow consumer")
    old = garden.certificate(made, "old", 120, -1, used=36)
    garden.certificate(made, "new", 40, 130)
    garden.innocent(("C9", "C10"), made, "used 4 days after its successor came, and over", old)
