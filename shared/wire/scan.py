"""Checkpoints and claims of a scan as JSON, and its pages as compressed lines."""

import gzip
from collections.abc import Sequence
from dataclasses import replace

from pydantic import TypeAdapter

from shared.domain.posture.scan import Checkpoint, Row, ScanClaim

_CHECKPOINT, _CLAIM = TypeAdapter(Checkpoint), TypeAdapter(ScanClaim)
_FAST = 1


def checkpoint_document(checkpoint: Checkpoint) -> bytes:
    """The checkpoint without its version, which storage keeps."""
    return _CHECKPOINT.dump_json(replace(checkpoint, version=None))


def parse_checkpoint(document: bytes, version: str) -> Checkpoint:
    """The checkpoint as it was saved."""
    return replace(_CHECKPOINT.validate_json(document), version=version)


def claim_document(claim: ScanClaim) -> bytes:
    """The claim without its version, which storage keeps."""
    return _CLAIM.dump_json(replace(claim, version=None))


def parse_claim(document: bytes, version: str) -> ScanClaim:
    """The claim as it was saved."""
    return replace(_CLAIM.validate_json(document), version=version)


def pack_rows(rows: Sequence[Row]) -> bytes:
    """Rows as compressed lines; JSON text has neither tabs nor line ends of its own, and neither have ids."""
    text = "\n".join(f"{_plain(row.key)}\t{_plain(row.ident)}\t{row.body}" for row in rows)
    return gzip.compress(text.encode("utf-8", "surrogatepass"), _FAST, mtime=0)


def unpack_rows(document: bytes) -> tuple[Row, ...]:
    """The rows again."""
    text = gzip.decompress(document).decode("utf-8", "surrogatepass")
    return tuple(Row(*line.split("\t", 2)) for line in text.split("\n") if line)


def _plain(ident: str) -> str:
    return ident.replace("\t", " ").replace("\n", " ")
