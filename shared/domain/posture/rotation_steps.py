"""Rotation steps: the exact calls that change a credential, in the order in which nobody is locked out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.posture.checks.saying import for_object
from shared.domain.posture.finding import ObjectKind
from shared.domain.posture.inventory import CredentialKind
from shared.domain.posture.rotation import CredentialRotation, Host, RotationState

_NEEDS_NO_STEPS = frozenset({RotationState.ROTATED, RotationState.CURRENT, RotationState.RENEWED})
_ADD = {
    CredentialKind.SECRET: 'POST /applications/{object_id}/addPassword {"passwordCredential": {"endDateTime": "%s"}}',
    CredentialKind.CERTIFICATE: "POST /applications/{object_id}/addKey with the new certificate, until %s at most, and "
    '"proof": a token signed with one that is still valid',
}
_REMOVE = {
    CredentialKind.SECRET: 'POST /applications/{object_id}/removePassword {"keyId": "{key_id}"}',
    CredentialKind.CERTIFICATE: 'POST /applications/{object_id}/removeKey {"keyId": "{key_id}", "proof": "…"}',
}
_PROOF = "GET /beta/reports/appCredentialSignInActivities?$filter=keyId eq '%s'"
_SIGN_INS = "GET /beta/auditLogs/signIns?$filter=servicePrincipalCredentialKeyId eq '{key_id}'"
_FEDERATE = (
    'POST /applications/{object_id}/federatedIdentityCredentials {"name": "…", "issuer": "%s", "subject": "%s", '
    '"audiences": ["api://AzureADTokenExchange"]}'
)
_TRUSTS = {
    Host.ON_AZURE: ("https://login.microsoftonline.com/{tenant}/v2.0", "{managed identity's object id}"),
    Host.ISSUER_KNOWN: ("{the issuer it trusts already}", "…"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """What to do, and the call that does it, if one does."""

    does: str
    call: str = ""


def steps_of(row: CredentialRotation, at: datetime) -> tuple[Step, ...]:
    """Add, prove, remove: as many of them as are left. None where nothing has to be done."""
    return () if row.state in _NEEDS_NO_STEPS else tuple(_steps(row, at))


def federation_step(row: CredentialRotation, hosts: tuple[Host, ...]) -> Step | None:
    """What would do without any secret, where the host allows it: the application trusts the host's own tokens."""
    if not hosts or row.about.kind is not ObjectKind.APPLICATION or row.state is RotationState.RENEWED:
        return None
    call = for_object(_FEDERATE, row.about) % _TRUSTS[hosts[0]]
    return Step("Better: trust the tokens of its host, try a token exchange, and remove the credential for good.", call)


def _steps(row: CredentialRotation, at: datetime) -> Iterator[Step]:
    remove = for_object(_REMOVE[row.kind], row.about)
    if row.state is RotationState.STILL_USED:
        yield Step("Find out who still signs in with the old one, and give them the new one.", _call(_SIGN_INS, row))
    elif not row.successor:
        ends = f"{at + timedelta(days=row.successor_days):%Y-%m-%dT00:00:00Z}"
        yield Step("Add the new one beside the old one, with an end.", for_object(_ADD[row.kind], row.about) % ends)
        yield Step("Store it where it is used, the vault first, and let everybody take it from there.")
    yield Step("Wait until the new one is used, and the old one is not.", _PROOF % (row.successor or "{new key id}"))
    yield Step("Only then remove the old one: it cannot be brought back.", remove)


def _call(template: str, row: CredentialRotation) -> str:
    return for_object(template, row.about)
