"""Credentials by what and where they are: the wrong kind, hidden, foreign, mixed, weak."""

from collections.abc import Iterator

from shared.domain.posture.check import Case, Check, about_app, unknown
from shared.domain.posture.checks.credentials import live_doors
from shared.domain.posture.checks.saying import (
    READ_APPLICATIONS,
    REMOVE_CREDENTIAL,
    ROTATE_CREDENTIAL,
    day,
    fails,
    listed,
    removal,
)
from shared.domain.posture.checks.traits import (
    held,
    held_by_application,
    held_by_principal,
    is_device_trust,
    is_managed_identity,
    is_microsofts,
    privileges,
    renews_itself,
    signs_on_without_tokens,
    signs_tokens,
)
from shared.domain.posture.finding import Finding, Severity
from shared.domain.posture.inventory import App, Credential, CredentialKind, Known, Unknown

ELLIPTIC_KEY_BITS = frozenset({224, 256, 384, 521})
"""Sizes of elliptic curve keys, which no RSA key has."""


def _secret_in_use(case: Case[App]) -> Iterator[Finding]:
    secrets = [
        one
        for one in held_by_application(case.subject)
        if one.credential.kind is CredentialKind.SECRET
        and one.credential.is_live(case.at)
        and not renews_itself(case.subject, one.credential)
    ]
    if not secrets:
        return
    power = privileges(case.subject)
    severity = Severity.CRITICAL if isinstance(power, Known) and power.value else Severity.LOW
    holds = "not known" if isinstance(power, Unknown) else listed(power.value) or "nothing of tier-0"
    facts = (("live secrets", str(len(secrets))), ("holds", holds))
    yield fails("C7", about_app(case.subject), severity, "It signs in with a secret that can be copied.", *facts)


def _hidden(case: Case[App]) -> Iterator[Finding]:
    app = case.subject
    if is_microsofts(app) or is_managed_identity(app):
        return
    for one in held_by_principal(app):
        is_secret = one.credential.kind is CredentialKind.SECRET
        if one.credential.is_live(case.at) and not signs_tokens(one.credential):
            if not is_secret and _belongs_there(app, one.credential):
                continue
            facts = (("kind", one.credential.kind), ("since", day(one.credential.starts_at)))
            says = "It hangs on the service principal, where portals do not show it."
            yield fails("C11", one.about, Severity.HIGH, says, *facts, fix=removal(one.about, one.credential))


def _belongs_there(app: App, certificate: Credential) -> bool:
    """Whether Entra itself keeps certificates on this principal."""
    return signs_on_without_tokens(app) or (is_device_trust(app) and renews_itself(app, certificate))


def _on_microsofts(case: Case[App]) -> Iterator[Finding]:
    if not is_microsofts(case.subject):
        return
    for one in held_by_principal(case.subject):
        severity = Severity.CRITICAL if one.credential.is_live(case.at) else Severity.HIGH
        says = "Somebody gave a Microsoft application a credential of their own."
        facts = (("kind", one.credential.kind), ("since", day(one.credential.starts_at)))
        yield fails("C12", one.about, severity, says, *facts, fix=removal(one.about, one.credential))


def _secret_beside_certificate(case: Case[App]) -> Iterator[Finding]:
    doors = [one.credential for one in live_doors(case)]
    if {one.kind for one in doors} != set(CredentialKind):
        return
    starts = {
        kind: [one.starts_at for one in doors if one.kind is kind and one.starts_at is not None]
        for kind in CredentialKind
    }
    if all(starts.values()):
        both_since = max(min(each) for each in starts.values())
        if case.days_since(both_since) <= case.limits.overlap:
            return
    says = "A secret and a certificate both open the door."
    yield fails("C13", about_app(case.subject), Severity.LOW, says, ("live credentials", str(len(doors))))


def _weak(case: Case[App]) -> Iterator[Finding]:
    for one in held(case.subject):
        key = one.credential
        if key.kind is not CredentialKind.CERTIFICATE or not key.is_live(case.at):
            continue
        is_short = key.key_bits is not None and key.key_bits < case.limits.smallest_rsa
        algorithm = key.signature_algorithm.lower().replace("-", "")
        if (is_short and key.key_bits not in ELLIPTIC_KEY_BITS) or "sha1" in algorithm or "md5" in algorithm:
            facts = (("bits", str(key.key_bits or "not known")), ("signature", key.signature_algorithm or "not known"))
            yield fails("C14", one.about, Severity.MEDIUM, "The certificate is weak.", *facts)
        elif key.key_bits is None or not algorithm:
            yield unknown("C14", one.about, Unknown("certificate-not-read"))


CHECKS: tuple[Check[App], ...] = (
    Check(
        "C7",
        "Signs in with a secret that can be copied",
        Severity.LOW,
        "A live secret on the registration; critical with a tier-0 permission or directory role.",
        "passwordCredentials; appRoleAssignedTo",
        READ_APPLICATIONS,
        "Clients of other vendors may take nothing but secrets: accept them",
        'POST /applications/{object_id}/federatedIdentityCredentials {"name": "…", "issuer": "…", "subject": "…", '
        '"audiences": ["api://AzureADTokenExchange"]}, prove a token exchange, then removePassword',
        _secret_in_use,
        baselines=("SCuBA MS.AAD.5.5", "CIS M365 5.1.5.3", "OWASP NHI4"),
    ),
    Check(
        "C11",
        "Hidden credential on the service principal",
        Severity.HIGH,
        "The principal itself has a live secret or certificate.",
        "passwordCredentials, keyCredentials of servicePrincipals",
        READ_APPLICATIONS,
        "SAML signing certificates, the password that guards them and what P2P Server holds belong there; managed "
        "identities have their own",
        REMOVE_CREDENTIAL,
        _hidden,
    ),
    Check(
        "C12",
        "Credential on a Microsoft application",
        Severity.CRITICAL,
        "A principal that a Microsoft tenant owns has a credential of this tenant.",
        "appOwnerOrganizationId; passwordCredentials, keyCredentials of servicePrincipals",
        READ_APPLICATIONS,
        "Decided by the owner's tenant, never by name",
        REMOVE_CREDENTIAL + ". Treat it as an incident",
        _on_microsofts,
        baselines=("OWASP NHI2", "MITRE T1098.001"),
    ),
    Check(
        "C13",
        "A secret and a certificate at once",
        Severity.LOW,
        "Both are live for longer than an overlap.",
        "passwordCredentials, keyCredentials",
        READ_APPLICATIONS,
        "A migration needs both for a while: the overlap",
        'Finish the migration: POST /applications/{object_id}/removePassword {"keyId": "…"}',
        _secret_beside_certificate,
        ("overlap",),
        ("OWASP NHI4",),
    ),
    Check(
        "C14",
        "Weak certificate",
        Severity.MEDIUM,
        "RSA below the limit, or signed with SHA-1 or MD5.",
        "GET /applications/{object_id}?$select=keyCredentials, one by one",
        READ_APPLICATIONS,
        "Self-signed is normal for clients; elliptic curve keys are short by nature",
        ROTATE_CREDENTIAL,
        _weak,
        ("smallest_rsa",),
        ("OWASP NHI4",),
    ),
)
