"""Credentials by their use: too many, unused, and superseded ones that still work or are still used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.posture.check import Case, Check, about_app, unknown
from shared.domain.posture.checks.credentials import live_doors
from shared.domain.posture.checks.saying import (
    READ_APPLICATIONS,
    READ_AUDIT_LOG,
    REMOVE_CREDENTIAL,
    day,
    fails,
    removal,
)
from shared.domain.posture.checks.traits import Held
from shared.domain.posture.finding import Finding, Severity
from shared.domain.posture.inventory import App, Credential, CredentialKind, Unknown

USES = "GET /beta/reports/appCredentialSignInActivities, signInActivity of each keyId"


def _too_many_secrets(case: Case[App]) -> Iterator[Finding]:
    secrets = [one for one in live_doors(case) if one.credential.kind is CredentialKind.SECRET]
    uses, about = case.subject.credential_uses, about_app(case.subject)
    too_many = len(secrets) > case.limits.live_credentials
    if not too_many and not _overlap_too_long(case, [one.credential for one in secrets]):
        return
    if isinstance(uses, Unknown):
        yield unknown("C6", about, uses)
        return
    if all(is_used(case, one.credential, uses.value) for one in secrets):
        return
    says = "More secrets work than one rotation needs."
    yield fails("C6", about, Severity.MEDIUM, says, ("live secrets", str(len(secrets))))


def _overlap_too_long(case: Case[App], secrets: list[Credential]) -> bool:
    starts = [one.starts_at for one in secrets if one.starts_at is not None]
    return len(starts) > 1 and case.days_since(max(starts)) > case.limits.overlap


def is_used(case: Case[App], credential: Credential, uses: Mapping[str, datetime]) -> bool:
    """Whether somebody signed in with it lately."""
    last_use = uses.get(credential.key_id)
    return last_use is not None and case.days_since(last_use) <= case.limits.unused_credential


def _unused(case: Case[App]) -> Iterator[Finding]:
    uses, limits = case.subject.credential_uses, case.limits
    for one in live_doors(case):
        starts_at = one.credential.starts_at
        if starts_at is not None and case.days_since(starts_at) <= limits.unused_credential:
            continue
        if isinstance(uses, Unknown):
            yield unknown("C8", one.about, uses)
            continue
        last_use = uses.value.get(one.credential.key_id)
        since = last_use or starts_at
        days = case.days_since(since) if since is not None else limits.unused_credential_high + 1
        if days > limits.unused_credential:
            severity = Severity.HIGH if days > limits.unused_credential_high else Severity.LOW
            says = "It works, and nobody signs in with it."
            fix = removal(one.about, one.credential)
            yield fails("C8", one.about, severity, says, ("last used", day(last_use)), fix=fix)


@dataclass(frozen=True, slots=True)
class Succession:
    """A live credential, and the newest one that came after it, long enough ago for everybody to have changed."""

    old: Held
    new: Held
    since: datetime


def successions(case: Case[App]) -> Iterator[Succession]:
    """Each rotation that should be over. Credentials issued together are siblings, one for each region."""
    doors, overlap = list(live_doors(case)), timedelta(days=case.limits.overlap)
    for old in doors:
        newer = [
            (new.credential.starts_at, new.credential.key_id, new)
            for new in doors
            if new.credential.kind is old.credential.kind
            and new.credential.starts_at is not None
            and old.credential.starts_at is not None
            and new.credential.starts_at - old.credential.starts_at > overlap
            and case.days_since(new.credential.starts_at) > case.limits.overlap
        ]
        if newer:
            since, _, new = max(newer, key=lambda one: one[:2])
            yield Succession(old, new, since)


def _superseded_but_live(case: Case[App]) -> Iterator[Finding]:
    uses = case.subject.credential_uses
    for one in successions(case):
        if isinstance(uses, Unknown):
            yield unknown("C9", one.old.about, uses)
        elif one.new.credential.key_id in uses.value and not _still_used(case, one, uses.value):
            facts = (("successor", one.new.credential.key_id), ("successor since", day(one.since)))
            says = "Its successor is in use, and it still opens the door."
            fix = removal(one.old.about, one.old.credential)
            yield fails("C9", one.old.about, Severity.HIGH, says, *facts, fix=fix)


def _used_after_rotation(case: Case[App]) -> Iterator[Finding]:
    uses = case.subject.credential_uses
    for one in successions(case):
        if isinstance(uses, Unknown):
            yield unknown("C10", one.old.about, uses)
        elif one.new.credential.key_id in uses.value and _still_used(case, one, uses.value):
            last_use = uses.value[one.old.credential.key_id]
            facts = (("successor", one.new.credential.key_id), ("last used", day(last_use)))
            yield fails("C10", one.old.about, Severity.HIGH, "Somebody still signs in with the old credential.", *facts)


def _still_used(case: Case[App], one: Succession, uses: Mapping[str, datetime]) -> bool:
    """Whether the old one is used now, later than caches and slow consumers would explain."""
    last_use = uses.get(one.old.credential.key_id)
    slow = one.since + timedelta(days=case.limits.overlap)
    return last_use is not None and last_use > slow and is_used(case, one.old.credential, uses)


CHECKS: tuple[Check[App], ...] = (
    Check(
        "C6",
        "More secrets work than one rotation needs",
        Severity.MEDIUM,
        "More live secrets than the limit, or two for longer than an overlap.",
        f"passwordCredentials of both objects; {USES}",
        f"{READ_APPLICATIONS}, {READ_AUDIT_LOG}",
        "Deployments in several regions have one each: secrets that are all in use are left out",
        REMOVE_CREDENTIAL,
        _too_many_secrets,
        ("live_credentials", "overlap", "unused_credential"),
    ),
    Check(
        "C8",
        "Works, and nobody signs in with it",
        Severity.HIGH,
        "No sign-in with this key for longer than the limit; high beyond the second limit.",
        USES,
        READ_AUDIT_LOG,
        "A stand-by credential for disasters rests by design: accept it. No row says nothing of one younger than the "
        "limit",
        REMOVE_CREDENTIAL,
        _unused,
        ("unused_credential", "unused_credential_high"),
    ),
    Check(
        "C9",
        "Rotated, and the old one still works",
        Severity.HIGH,
        "A successor of the same kind is in use, and the older credential is live after the overlap.",
        f"{USES}; startDateTime, endDateTime",
        f"{READ_APPLICATIONS}, {READ_AUDIT_LOG}",
        "A canary rollout needs both for a while: the overlap. Credentials issued together are no rotation",
        REMOVE_CREDENTIAL,
        _superseded_but_live,
        ("overlap",),
    ),
    Check(
        "C10",
        "Rotated, and the old one is still used",
        Severity.HIGH,
        "A sign-in with the old key, later than an overlap after its successor was issued.",
        f"{USES}; GET /beta/auditLogs/signIns, servicePrincipalCredentialKeyId",
        f"{READ_APPLICATIONS}, {READ_AUDIT_LOG}",
        "Caches and slow consumers have the overlap to change",
        "Find the consumer by the sign-ins of {key_id}, move it to the successor, then "
        'POST /applications/{object_id}/removePassword {"keyId": "{key_id}"}',
        _used_after_rotation,
        ("overlap", "unused_credential"),
        ("OWASP NHI2",),
    ),
)
