"""Rotation in words: what cards and reports say of a credential, never what it is made of."""

from shared.domain.posture.inventory import CredentialKind, Unknown
from shared.domain.posture.rotation import CredentialRotation, Host, Rotation, RotationState
from shared.domain.posture.rotation_news import ENDS, VAULT
from shared.wire.cards.words import counted, day

STATES = {
    RotationState.STILL_USED: "replaced, and still used",
    RotationState.SUPERSEDED: "replaced, and still valid",
    RotationState.OVERDUE: "overdue",
    RotationState.DUE: "due",
    RotationState.UNKNOWN: "not known",
    RotationState.ROTATING: "being changed",
    RotationState.ROTATED: "rotated",
    RotationState.CURRENT: "current",
    RotationState.RENEWED: "renewed by Microsoft",
}
SHORT = STATES | {
    RotationState.STILL_USED: "still used",
    RotationState.SUPERSEDED: "superseded",
    RotationState.UNKNOWN: "unknown",
}
MEANS = {
    RotationState.STILL_USED: "Its successor is in use, and somebody still signs in with the old one.",
    RotationState.SUPERSEDED: "Its successor is in use, and the old one still opens the door: it is not rotated yet.",
    RotationState.OVERDUE: "It is older than this tenant allows.",
    RotationState.DUE: "It has to be changed soon.",
    RotationState.UNKNOWN: "How far its rotation is cannot be told: its dates or its use are not known.",
    RotationState.ROTATING: "A new one is there beside the old one: prove that it is used, then remove the old one.",
    RotationState.ROTATED: "The new one is used and the old one is gone. Nothing is left to do.",
    RotationState.CURRENT: "Nothing has to be done.",
    RotationState.RENEWED: "Microsoft renews it itself. Nothing has to be done.",
}
KINDS = {CredentialKind.SECRET: "Secret", CredentialKind.CERTIFICATE: "Certificate"}
HOSTS = {
    Host.ON_AZURE: "It runs on Azure, which can give it an identity instead of a secret.",
    Host.ISSUER_KNOWN: "It already trusts an issuer of tokens, and could do without a secret.",
}


def what_happened(kind: str) -> str:
    """What is new about a credential."""
    if kind == VAULT:
        return "wrong in the vault"
    if kind.startswith(ENDS):
        return f"to be changed within {counted(int(kind.removeprefix(ENDS)), 'day')}"
    return STATES[RotationState(kind)]


def numbers(row: CredentialRotation) -> str:
    """Age, lifetime, and how long the older of a pair stayed valid beside the newer; then when it ends."""
    age = f"{counted(row.age_days, 'day')} old" if row.age_days is not None else "age not known"
    lifetime = f"issued for {counted(row.lifetime_days, 'day')}" if row.lifetime_days is not None else "without an end"
    superseded = [f"two were valid for {counted(row.superseded_days, 'day')}"] if row.superseded_days else []
    return ", ".join((age, lifetime, *superseded, *_end(row)))


def used(row: CredentialRotation, rotation: Rotation) -> str:
    """When somebody signed in with it last."""
    if isinstance(rotation.last_use, Unknown):
        return f"use not known ({rotation.last_use.reason})"
    return f"last used {day(row.last_used)}" if row.last_used is not None else "no use reported"


def used_last(rotation: Rotation) -> str:
    """Which credential of the application was used last."""
    if isinstance(rotation.last_use, Unknown):
        return f"not known ({rotation.last_use.reason})"
    last = rotation.last_use.value
    if last is None:
        return "none, as far as Entra reports"
    gone = "" if last.is_listed else ", which is not listed any more"
    return f"{last.key_id} on {day(last.at)}{gone}"


def _end(row: CredentialRotation) -> list[str]:
    left = row.ends_in_days
    if left is None:
        return []
    return [f"ends in {counted(left, 'day')}"] if left > 0 else ["ends today"]
