"""Saying: findings and their facts in the form that every check uses."""

import re
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from shared.domain.posture.finding import About, Finding, ObjectKind, Severity
from shared.domain.posture.inventory import Credential, CredentialKind

READ_APPLICATIONS = "Application.Read.All"
READ_AUDIT_LOG = "AuditLog.Read.All"
READ_DIRECTORY = "Directory.Read.All"
READ_ROLES = "RoleManagement.Read.Directory"
READ_POLICIES = "Policy.Read.All"
READ_SPONSORS = "AgentIdentity.Read.All"

REMOVE_CREDENTIAL = (
    'POST /applications/{object_id}/removePassword {"keyId": "{key_id}"}, or for a certificate '
    'POST /applications/{object_id}/removeKey {"keyId": "{key_id}", "proof": "…"}; '
    "what is removed cannot be brought back: note what would replace it first"
)
ROTATE_CREDENTIAL = (
    'POST /applications/{object_id}/addPassword {"passwordCredential": {"endDateTime": "…"}}, store it, wait until '
    'it is used, then POST /applications/{object_id}/removePassword {"keyId": "{key_id}"}; '
    "better: a federated credential, which holds no secret"
)

_ID = re.compile(r"\{(object_id|key_id|principal_id)\}")


def fails(
    check_id: str, about: About, severity: Severity, says: str, *facts: tuple[str, str], fix: str = ""
) -> Finding:
    """A failed check. Without a fix of its own it gets the check's."""
    return Finding(check_id, about, severity, says, facts=facts, fix=fix)


def day(moment: datetime | None) -> str:
    """A date as reports write it."""
    return moment.date().isoformat() if moment is not None else "none"


def listed(values: Iterable[str]) -> str:
    """Values in an order that does not depend on the reading."""
    return ", ".join(sorted(set(values)))


def removal(about: About, credential: Credential) -> str:
    """The call that removes this credential, from the object that holds it."""
    if credential.kind is CredentialKind.SECRET:
        return for_object('POST /applications/{object_id}/removePassword {"keyId": "{key_id}"}', about)
    return for_object(
        'POST /applications/{object_id}/removeKey {"keyId": "{key_id}", "proof": "…"}, '
        "or PATCH /applications/{object_id} with keyCredentials without it",
        about,
    )


def for_object(template: str, about: About, principal_id: str = "") -> str:
    """A fix with its ids; a principal without a registration has another address and is switched off otherwise."""
    if about.kind not in (ObjectKind.APPLICATION, ObjectKind.TENANT):
        template = template.replace("/applications/", "/servicePrincipals/")
        template = template.replace('"isDisabled": true', '"accountEnabled": false')
    ids = {"object_id": about.object_id, "key_id": about.key_id, "principal_id": principal_id or about.object_id}
    return _ID.sub(lambda found: quote(ids[found[1]], safe=""), template)
