"""Table rows of attestations and exemptions.

What a row holds is compressed JSON, in parts because a property holds 64 KiB; the plain columns are for people who look
into the table, and for finding what is open. A whole row holds a mebibyte: evidence that does not fit is left out and
counted, the least bad first.
"""

import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from shared.domain.posture.attestation import Attestation
from shared.domain.posture.exceptions import Acceptance, Classification, Exemption, Tier
from shared.wire.whole_json import dump_whole

ATTESTATION, EXEMPTION = "attestation", "exemption"
ACCEPTANCE, CLASSIFICATION = "acceptance", "classification"
PART, MOST_PARTS = 60_000, 12
_ATTESTATION = TypeAdapter(Attestation)
_ACCEPTANCE, _CLASSIFICATION = TypeAdapter(Acceptance), TypeAdapter(Classification)


def fitted(attestation: Attestation) -> Attestation:
    """The attestation as a row can hold it: in whole characters, and with less evidence where there is too much."""
    attestation = replace(_ATTESTATION.validate_json(_body(attestation)), version=attestation.version)
    while len(_packed(attestation)) > PART * MOST_PARTS and len(attestation.question.evidence) > 1:
        question = attestation.question
        kept = question.evidence[: len(question.evidence) // 2]
        left_out = question.left_out + len(question.evidence) - len(kept)
        attestation = replace(attestation, question=replace(question, evidence=kept, left_out=left_out))
    return attestation


def attestation_row(attestation: Attestation) -> dict[str, Any]:
    """The row of an attestation."""
    packed = _packed(attestation)
    return {
        "PartitionKey": ATTESTATION,
        "RowKey": attestation.attestation_id,
        "Stage": attestation.stage.value,
        "IsOpen": attestation.stage.is_open,
        "ObjectId": attestation.question.about.object_id,
        "AskedAt": attestation.asked_at,
        **{f"Body{start // PART}": packed[start : start + PART] for start in range(0, len(packed), PART)},
    }


def parse_attestation(row: Mapping[str, Any], version: str | None) -> Attestation:
    """The attestation that a row holds."""
    names = (f"Body{number}" for number in range(len(row)))
    body = zlib.decompress(b"".join(row[name] for name in names if name in row))
    return replace(_ATTESTATION.validate_json(body), version=version)


def exemption_row(exemption: Exemption) -> dict[str, Any]:
    """The row of an exemption: one for each finding."""
    if isinstance(exemption, Acceptance):
        kind, body = ACCEPTANCE, dump_whole(_ACCEPTANCE, exemption)
    else:
        kind, body = CLASSIFICATION, dump_whole(_CLASSIFICATION, exemption)
    return {
        "PartitionKey": EXEMPTION,
        "RowKey": exemption.finding_id,
        "Kind": kind,
        "By": exemption.by.principal_id,
        "EndsAt": last_end(exemption),
        "Body": body,
    }


def parse_exemption(row: Mapping[str, Any]) -> Exemption:
    """The exemption that a row holds."""
    if row["Kind"] == ACCEPTANCE:
        return _ACCEPTANCE.validate_json(row["Body"])
    return _CLASSIFICATION.validate_json(row["Body"])


def last_end(exemption: Exemption) -> datetime:
    """When it ends at the latest."""
    return exemption.ends_at(Tier.OTHER)


def _packed(attestation: Attestation) -> bytes:
    return zlib.compress(_body(attestation))


def _body(attestation: Attestation) -> bytes:
    return dump_whole(_ATTESTATION, replace(attestation, version=None))
