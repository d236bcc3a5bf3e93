"""Evidence: an append-only, hash-chained record of what Tether saw, decided and did."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.errors import RejectedError

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Where a chain ends: the hash of its last entry, how many there are, and its length in bytes."""

    digest: str = GENESIS
    entries: int = 0
    size: int = 0


START = ChainHead()
"""Where every chain begins."""


@dataclass(frozen=True, slots=True)
class EvidenceEntry:
    """One thing that happened: `what` is a past participle in product words, `details` hold before, after and why."""

    at: datetime
    what: str
    principal_id: str
    correlation_id: str
    details: Mapping[str, Any]


def append(head: ChainHead, entries: Iterable[EvidenceEntry]) -> tuple[ChainHead, bytes]:
    """The new head and the lines to append, one JSON object each, every line holding the hash of the one before."""
    lines = b""
    for entry in entries:
        body = _body(entry, previous=head.digest, number=head.entries + 1)
        digest = _digest(body)
        line = _line(body, digest)
        lines += line
        head = ChainHead(digest, head.entries + 1, head.size + len(line))
    return head, lines


def verify(lines: bytes) -> ChainHead:
    """The head of an unbroken chain.

    Raises:
        RejectedError: `broken-chain`, naming the first line that was changed, removed, inserted or cut short.
    """
    head = START
    for number, line in enumerate(lines.splitlines(keepends=True), start=1):
        head = _follow(head, line, number)
    return head


def tail(lines: bytes) -> ChainHead:
    """Where a stored chain ends, sound or not: writing goes on behind a break, which `verify` will name."""
    last = lines.splitlines()[-1:] or [b""]
    try:
        body = json.loads(last[0])
        return ChainHead(str(body["hash"]), int(body["number"]), len(lines))
    except (ValueError, KeyError, TypeError):
        return ChainHead(GENESIS, 0, len(lines))


def anchor(day: str, previous: str, heads: Mapping[str, ChainHead]) -> dict[str, Any]:
    """A day's anchor over the heads of all chains, itself chained to the anchor before."""
    body = {
        "day": day,
        "previous": previous,
        "heads": {name: {"hash": head.digest, "entries": head.entries} for name, head in sorted(heads.items())},
    }
    return {**body, "hash": _digest(body)}


def verify_anchor(document: Mapping[str, Any], chains: Mapping[str, bytes], previous: str) -> None:
    """Check an anchor against the chains as they are now: each must be unbroken up to the entry that the anchor names.

    Raises:
        RejectedError: `broken-anchor` when the anchor was changed or does not follow `previous`; `broken-chain` when a
            chain was changed before the anchored entry, or no longer contains it.
    """
    body = {key: value for key, value in document.items() if key != "hash"}
    if document.get("hash") != _digest(body) or document.get("previous") != previous:
        raise RejectedError("broken-anchor", f"anchor of {document.get('day')} was changed or is out of order")
    for name, head in document["heads"].items():
        lines = chains.get(name, b"").splitlines(keepends=True)[: head["entries"]]
        anchored = verify(b"".join(lines))
        if (anchored.entries, anchored.digest) != (head["entries"], head["hash"]):
            raise RejectedError("broken-chain", f"{name}: entry {head['entries']} is not the one anchored")


def _follow(head: ChainHead, line: bytes, number: int) -> ChainHead:
    try:
        body = dict(json.loads(line))
        digest = body.pop("hash")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RejectedError("broken-chain", f"line {number} is not an evidence entry") from error
    if body.get("previous") != head.digest or body.get("number") != number:
        raise RejectedError("broken-chain", f"line {number} does not follow the line before")
    # Byte for byte: the same JSON in other words, such as a key written twice, can read differently to a person.
    if _digest(body) != digest or _line(body, digest) != line:
        raise RejectedError("broken-chain", f"line {number} was changed")
    return ChainHead(digest, number, head.size + len(line))


def _body(entry: EvidenceEntry, *, previous: str, number: int) -> dict[str, Any]:
    return {
        "number": number,
        "at": entry.at.isoformat(timespec="milliseconds"),
        "what": entry.what,
        "principal": entry.principal_id,
        "correlation": entry.correlation_id,
        "details": dict(entry.details),
        "previous": previous,
    }


def _line(body: Mapping[str, Any], digest: str) -> bytes:
    return _canonical({**body, "hash": digest}) + b"\n"


def _canonical(body: Mapping[str, Any]) -> bytes:
    # A vendor's JSON may hold half a character; what happened is written down all the same.
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass")


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(body)).hexdigest()
