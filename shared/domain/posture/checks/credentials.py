"""Credentials by their dates: expired, expiring, too long-lived, too old."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from shared.domain.posture.check import Case, Check, unknown
from shared.domain.posture.checks.saying import (
    READ_APPLICATIONS,
    READ_AUDIT_LOG,
    REMOVE_CREDENTIAL,
    ROTATE_CREDENTIAL,
    day,
    fails,
    removal,
)
from shared.domain.posture.checks.traits import Held, held, renews_itself, signs_tokens
from shared.domain.posture.finding import Finding, Severity
from shared.domain.posture.inventory import App, Credential, CredentialKind, Unknown

SOON = 7
"""Days before its end from which a credential in use is urgent."""

SCUBA_CERTIFICATE_DAYS = 365
DATES = "startDateTime, endDateTime of passwordCredentials and keyCredentials, of applications and servicePrincipals"
RENEWED = (
    "What Microsoft renews itself is left out: CWAP_AuthSecret of application proxy, certificates of "
    "ConnectSyncProvisioning_ applications, MS-Organization-P2P-Access of P2P Server, but never by a credential's name "
    "alone; so are managed identities and Microsoft's own"
)


def kept_by_people(case: Case[App]) -> Iterator[Held]:
    """The credentials that somebody here has to renew."""
    return (one for one in held(case.subject) if not renews_itself(case.subject, one.credential))


def live_doors(case: Case[App]) -> Iterator[Held]:
    """Those of them that open the door now; a SAML signing certificate opens none."""
    return (one for one in kept_by_people(case) if one.credential.is_live(case.at) and not signs_tokens(one.credential))


def _expired(case: Case[App]) -> Iterator[Finding]:
    for one in kept_by_people(case):
        ends_at = one.credential.ends_at
        if ends_at is not None and case.days_since(ends_at) > case.limits.expired_grace:
            facts = (("ended", day(ends_at)), ("kind", one.credential.kind))
            says = "It expired and is still listed."
            yield fails("C1", one.about, Severity.LOW, says, *facts, fix=removal(one.about, one.credential))


def _expiring(case: Case[App]) -> Iterator[Finding]:
    for one in kept_by_people(case):
        ends_at = one.credential.ends_at
        if ends_at is None or not one.credential.is_live(case.at):
            continue
        days_left = -case.days_since(ends_at)
        stages = [stage for stage in case.limits.expiring if days_left <= stage]
        if stages:
            facts = (("ends", day(ends_at)), ("days left", str(days_left)), ("stage", str(min(stages))))
            last_use = ("last used", _last_use(case, one.credential))
            yield fails("C2", one.about, _urgency(case, one, days_left), "It expires soon.", *facts, last_use)


def _last_use(case: Case[App], credential: Credential) -> str:
    uses = case.subject.credential_uses
    return "not known" if isinstance(uses, Unknown) else day(uses.value.get(credential.key_id))


def _urgency(case: Case[App], one: Held, days_left: int) -> Severity:
    """High when it is in use and nearly over, a step lower when a newer one is there already."""
    uses = case.subject.credential_uses
    severity = Severity.MEDIUM
    if not isinstance(uses, Unknown) and not signs_tokens(one.credential):
        since = uses.value.get(one.credential.key_id, one.credential.starts_at)
        if since is None or case.days_since(since) > case.limits.unused_credential:
            return Severity.INFO
        if one.credential.key_id in uses.value and days_left <= SOON:
            severity = Severity.HIGH
    return Severity(severity - 1) if _has_successor(case, one) else severity


def _has_successor(case: Case[App], old: Held) -> bool:
    """Whether a credential of the same kind is live and lives on when this one ends."""
    return any(
        new.credential.kind is old.credential.kind
        and new.credential.is_live(case.at)
        and _outlives(new.credential.ends_at, old.credential.ends_at)
        for new in held(case.subject)
    )


def _outlives(new: datetime | None, old: datetime | None) -> bool:
    return old is not None and (new is None or new > old)


def lifetime(credential: Credential, at: datetime) -> timedelta:
    """How long it was issued for; at least what is left when nobody says since when. `timedelta.max` without an end."""
    if credential.ends_at is None:
        return timedelta.max
    return credential.ends_at - (credential.starts_at or at)


def _long_lived_secrets(case: Case[App]) -> Iterator[Finding]:
    limits = case.limits
    for one in live_doors(case):
        if one.credential.kind is not CredentialKind.SECRET:
            continue
        days = lifetime(one.credential, case.at) // timedelta(days=1)
        if days > limits.max_secret_days:
            severity = Severity.HIGH if days >= limits.long_secret_days else Severity.MEDIUM
            severity = Severity.CRITICAL if days >= limits.very_long_secret_days else severity
            yield fails("C3", one.about, severity, "The secret was issued for too long.", *_span(one.credential))
        elif one.credential.starts_at is None:
            yield unknown("C3", one.about, Unknown("no-start-date"))


def _long_lived_certificates(case: Case[App]) -> Iterator[Finding]:
    for one in live_doors(case):
        if one.credential.kind is not CredentialKind.CERTIFICATE:
            continue
        days = lifetime(one.credential, case.at) // timedelta(days=1)
        if days > case.limits.max_certificate_days:
            passes = "SCuBA MS.AAD.5.7, not CIS 5.1.5.6" if days <= SCUBA_CERTIFICATE_DAYS else "none"
            says = "The certificate was issued for too long."
            yield fails("C4", one.about, Severity.MEDIUM, says, *_span(one.credential), ("baselines passed", passes))
        elif one.credential.starts_at is None:
            yield unknown("C4", one.about, Unknown("no-start-date"))


def _span(credential: Credential) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("starts", day(credential.starts_at)), ("ends", day(credential.ends_at))


def _not_rotated(case: Case[App]) -> Iterator[Finding]:
    for one in live_doors(case):
        starts_at = one.credential.starts_at
        if starts_at is None:
            yield unknown("C5", one.about, Unknown("no-start-date"))
        elif case.days_since(starts_at) > case.limits.rotate_after:
            says = "It has been in place for too long."
            yield fails("C5", one.about, Severity.MEDIUM, says, *_span(one.credential))


CHECKS: tuple[Check[App], ...] = (
    Check(
        "C1",
        "Expired and still listed",
        Severity.LOW,
        "The end date has passed by more than the grace.",
        DATES,
        READ_APPLICATIONS,
        f"{RENEWED}: old ones stay listed. No end date is not expired",
        REMOVE_CREDENTIAL,
        _expired,
        ("expired_grace",),
    ),
    Check(
        "C2",
        "Expires soon",
        Severity.HIGH,
        f"The end date is near. High from {SOON} days when it is in use, info when nobody uses it.",
        f"{DATES}; GET /beta/reports/appCredentialSignInActivities",
        f"{READ_APPLICATIONS}, {READ_AUDIT_LOG}",
        f"{RENEWED}. A newer credential that lives on makes it one step less severe",
        ROTATE_CREDENTIAL,
        _expiring,
        ("expiring", "unused_credential"),
    ),
    Check(
        "C3",
        "The secret was issued for too long",
        Severity.CRITICAL,
        "From start to end it is longer than the limit; high and critical at two more limits, critical without an end.",
        DATES,
        READ_APPLICATIONS,
        f"The issued lifetime counts, not what is left; addPassword without an end date means two years. {RENEWED}",
        ROTATE_CREDENTIAL,
        _long_lived_secrets,
        ("max_secret_days", "long_secret_days", "very_long_secret_days"),
        ("SCuBA MS.AAD.5.6", "CIS M365 5.1.5.4", "OWASP NHI7"),
    ),
    Check(
        "C4",
        "The certificate was issued for too long",
        Severity.MEDIUM,
        "From start to end it is longer than the limit.",
        DATES,
        READ_APPLICATIONS,
        "One certificate listed for signing and verifying counts once; SAML signing certificates live three years",
        ROTATE_CREDENTIAL,
        _long_lived_certificates,
        ("max_certificate_days",),
        ("SCuBA MS.AAD.5.7", "CIS M365 5.1.5.6", "OWASP NHI7"),
    ),
    Check(
        "C5",
        "Not rotated",
        Severity.MEDIUM,
        "A live credential was issued longer ago than the limit.",
        DATES,
        READ_APPLICATIONS,
        f"{RENEWED}. SAML signing certificates are left out",
        ROTATE_CREDENTIAL,
        _not_rotated,
        ("rotate_after",),
        ("OWASP NHI7", "NIST IA-5"),
    ),
)
