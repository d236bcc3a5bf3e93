"""Vault: what is handed out, and is not what Entra would accept, or for as long."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from shared.domain.posture.check import Case, Check, about_app, unknown
from shared.domain.posture.checks.saying import READ_APPLICATIONS, day, fails, listed
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity
from shared.domain.posture.inventory import Credential, Unknown
from shared.domain.posture.vault import VaultedApp, VaultVersion

SAME_END = timedelta(days=1)
"""How far two ends may be apart: vaults count in seconds, and people in days."""


def _mismatch(case: Case[VaultedApp]) -> Iterator[Finding]:
    about, versions = _about(case.subject), case.subject.versions
    if isinstance(versions, Unknown):
        yield unknown("C17", about, versions)
        return
    enabled = sorted(
        (one for one in versions.value if one.enabled), key=lambda one: (one.vault, one.secret, one.version)
    )
    if any(not one.key_id for one in enabled):
        yield unknown("C17", about, Unknown("no-credential-tag"))
    app = case.subject.app
    listed_keys = {one.key_id.lower(): one for one in app.credentials} if app is not None else {}
    for key_id in sorted({one.key_id.lower() for one in enabled if one.key_id}):
        mine = [one for one in enabled if one.key_id.lower() == key_id]
        says = _wrong(case, listed_keys.get(key_id), mine)
        if says:
            ends = listed(day(one.expires_at) for one in mine)
            facts = (("versions", listed(_name(one) for one in mine)), ("end in the vault", ends))
            entra = ("end in Entra", day(listed_keys[key_id].ends_at) if key_id in listed_keys else "not listed")
            yield fails("C17", replace(about, key_id=key_id), Severity.MEDIUM, says, *facts, entra)


def _wrong(case: Case[VaultedApp], credential: Credential | None, versions: list[VaultVersion]) -> str:
    if case.subject.app is None and case.subject.object_id:
        return "The vault hands out a credential of an application that is gone."
    if credential is None:
        return "The vault hands out a credential that Entra does not list."
    if not credential.is_live(case.at):
        return "The vault hands out a credential that has expired."
    return "The vault and Entra disagree on when it ends." if any(_differs(credential, one) for one in versions) else ""


def _differs(credential: Credential, version: VaultVersion) -> bool:
    if credential.ends_at is None or version.expires_at is None:
        return credential.ends_at != version.expires_at
    return abs(credential.ends_at - version.expires_at) > SAME_END


def _name(version: VaultVersion) -> str:
    return f"{version.vault}/{version.secret}/{version.version}"


def _about(subject: VaultedApp) -> About:
    if subject.app is not None:
        return about_app(subject.app)
    if not subject.object_id:
        return About(ObjectKind.TENANT, "vault", "Key Vault")
    return About(ObjectKind.APPLICATION, subject.object_id, subject.object_id)


CHECKS: tuple[Check[VaultedApp], ...] = (
    Check(
        "C17",
        "The vault hands out something else than Entra accepts",
        Severity.MEDIUM,
        "An enabled version is tagged with a key that Entra does not list or that has expired, or ends on another day.",
        "GET {vault}/secrets/{name}/versions (attributes and tags only); keyId and endDateTime of both objects",
        f"Key Vault Reader, {READ_APPLICATIONS}",
        "Disabled versions are history. Without a tag nobody can tell what a version holds: unknown. A secret that was "
        "copied elsewhere is not seen",
        'PATCH {vault}/secrets/{name}/{version} {"attributes": {"enabled": false}} for what works no more, true takes '
        'it back; or {"attributes": {"exp": …}} for the end that Entra says',
        _mismatch,
    ),
)
