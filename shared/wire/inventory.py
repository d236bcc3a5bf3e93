"""Rows of a scan in the words of posture: applications, principals, credentials, owners and trusts."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from shared.domain.posture.inventory import (
    Application,
    Credential,
    CredentialKind,
    FederatedCredential,
    Owner,
    OwnerKind,
    Purpose,
    ServicePrincipal,
)

Json = Mapping[str, Any]
_OWNER_KINDS = {
    "group": OwnerKind.GROUP,
    "serviceprincipal": OwnerKind.SERVICE_PRINCIPAL,
    "agentidentity": OwnerKind.SERVICE_PRINCIPAL,
    "agentidentityblueprintprincipal": OwnerKind.SERVICE_PRINCIPAL,
}


def parse_application(
    app_id: str, object_id: str, raw: Json, *, owner_count: int | None = None, federated_count: int | None = None
) -> Application:
    """An app registration; the counts come from elsewhere."""
    return Application(
        object_id,
        app_id,
        str(raw.get("name", "")),
        parse_moment(raw.get("created")),
        str(raw.get("audience", "AzureADMyOrg")),
        disabled=bool(raw.get("off")),
        disabled_by_microsoft=bool(raw.get("microsoft")),
        is_blueprint=bool(raw.get("blueprint")),
        credentials=_credentials(raw),
        web_redirects=tuple(map(str, raw.get("web", ()))),
        spa_redirects=tuple(map(str, raw.get("spa", ()))),
        implicit_grant=bool(raw.get("implicit")),
        public_client=bool(raw.get("public")),
        locked=raw.get("locked"),
        exposes_api=bool(raw.get("api")),
        purpose=Purpose(raw.get("purpose", "")),
        owner_count=owner_count,
        federated_count=federated_count,
    )


def parse_principal(
    app_id: str, object_id: str, raw: Json, *, owner_count: int | None = None, blueprint_id: str = ""
) -> ServicePrincipal:
    """A service principal; the count, and of an agent identity its blueprint, come from elsewhere."""
    return ServicePrincipal(
        object_id,
        app_id,
        str(raw.get("name", "")),
        str(raw.get("kind", "Application")),
        parse_moment(raw.get("created")),
        str(raw.get("tenant", "")).lower(),
        enabled=not raw.get("off"),
        disabled_by_microsoft=bool(raw.get("microsoft")),
        blueprint_id=(blueprint_id or "not-read") if raw.get("agent") else "",
        is_blueprint=bool(raw.get("blueprint")),
        credentials=_credentials(raw),
        single_sign_on=str(raw.get("sso", "")),
        tags=frozenset(map(str, raw.get("tags", ()))),
        assignment_required=bool(raw.get("assigned")),
        verified_publisher=str(raw.get("publisher", "")),
        owner_count=owner_count,
    )


def _credentials(raw: Json) -> tuple[Credential, ...]:
    secrets = [_credential(one, CredentialKind.SECRET) for one in raw.get("secrets", ())]
    return (*secrets, *_each_once(_credential(one, CredentialKind.CERTIFICATE) for one in raw.get("keys", ())))


def _credential(raw: Json, kind: CredentialKind) -> Credential:
    usage = raw.get("usage")
    return Credential(
        str(raw["id"]),
        kind,
        str(raw.get("name", "")),
        parse_moment(raw.get("start")),
        parse_moment(raw.get("end")),
        str(raw.get("thumbprint", "")),
        frozenset({str(usage)} if usage else ()),
    )


def _each_once(certificates: Iterable[Credential]) -> Iterable[Credential]:
    """Entra lists a certificate once for each usage, under key ids of their own; the first by key id stands for all."""
    found: dict[str, Credential] = {}
    for one in sorted(certificates, key=lambda certificate: certificate.key_id):
        same = found.setdefault(one.thumbprint or one.key_id, one)
        if not one.usages <= same.usages:
            found[one.thumbprint or one.key_id] = replace(same, usages=same.usages | one.usages)
    return found.values()


def parse_owner(raw: Json, people: Mapping[str, Json]) -> Owner:
    """An owner or sponsor; `people` holds what was read of them one by one, by `users/` or `groups/` and the id."""
    kind = _OWNER_KINDS.get(str(raw["type"]), OwnerKind.USER)
    collection = "groups" if kind is OwnerKind.GROUP else "users"
    person = people.get(f"{collection}/{raw['id']}", {}) if kind is not OwnerKind.SERVICE_PRINCIPAL else {}
    return Owner(
        str(raw["id"]),
        kind,
        str(raw.get("name") or person.get("name") or ""),
        person.get("enabled"),
        bool(person.get("guest")),
        person.get("mfa"),
        str(raw.get("tenant") or "").lower(),
        person.get("members"),
    )


def parse_federated(rows: Iterable[Json]) -> tuple[FederatedCredential, ...]:
    """Federated credentials, by name."""
    found = [
        FederatedCredential(
            str(raw.get("name") or ""),
            str(raw.get("issuer") or ""),
            str(raw.get("subject") or ""),
            str((raw.get("claimsMatchingExpression") or {}).get("value") or ""),
            tuple(map(str, raw.get("audiences") or ())),
        )
        for raw in rows
    ]
    return tuple(sorted(found, key=lambda one: (one.name, one.issuer, one.subject, one.expression)))


@lru_cache(maxsize=8192)
def parse_moment(text: object) -> datetime | None:
    """An aware moment; nothing for what is no date, and for the smallest one of .NET, which means never."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.year <= 1:
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def newest(texts: Iterable[object]) -> datetime | None:
    """The latest of these moments."""
    return max((moment for moment in map(parse_moment, texts) if moment is not None), default=None)


def read_certificate(der: object) -> dict[str, Any]:
    """Key size and signature algorithm of a certificate as Graph sends it; nothing of what cannot be read."""
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(str(der), validate=True))
        algorithm, key = certificate.signature_hash_algorithm, certificate.public_key()
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return {}
    return {"bits": getattr(key, "key_size", None), "algorithm": algorithm.name if algorithm is not None else "none"}
