"""The rotation ledger as compressed lines of JSON: a head, a line for each application in order, and their number."""

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError

from shared.domain.posture.rotation_ledger import LedgerHead, NotedApp
from shared.errors import RejectedError

FORMAT = 1
_FAST = 1
_HEAD, _APP = TypeAdapter(LedgerHead), TypeAdapter(NotedApp)


class LedgerWriter:
    """Writes a ledger into a file, one line at a time; it is whole once it was ended."""

    def __init__(self, into: BinaryIO, head: LedgerHead) -> None:
        self._packed = gzip.GzipFile(fileobj=into, mode="wb", compresslevel=_FAST, mtime=0)
        self._packed.write(b'{"format":%d,"head":%s}\n' % (FORMAT, _HEAD.dump_json(head)))
        self._count = 0

    def write(self, line: NotedApp) -> None:
        """The next line; what there is nothing to remember of has none."""
        if line.is_worth_keeping:
            self._packed.write(_APP.dump_json(line) + b"\n")
            self._count += 1

    def end(self) -> None:
        """Nothing comes any more."""
        self._packed.write(b'{"lines":%d}\n' % self._count)
        self._packed.close()


def check_ledger(ledger: BinaryIO) -> LedgerHead:
    """The head of a ledger that is whole and in order, read once from its beginning to its end.

    Raises:
        RejectedError: `ledger-damaged`, or `ledger-of-another-format`.
    """
    try:
        head = _head(ledger)
        last, count, end = "", 0, b""
        for line in _lines(ledger):
            if end:
                raise RejectedError("ledger-damaged", "there is more after the end")
            if line.startswith(b'{"lines":'):
                end = line
                continue
            app = _APP.validate_json(line, strict=False)
            if app.object_id <= last or not _has_offsets(app):
                raise RejectedError("ledger-damaged", "a line is out of order or without an offset")
            last, count = app.object_id, count + 1
        if json.loads(end or b"{}") != {"lines": count}:
            raise RejectedError("ledger-damaged", "it is cut short")
    except (OSError, EOFError, zlib.error, ValueError, ValidationError, LookupError, TypeError) as error:
        raise RejectedError("ledger-damaged", type(error).__name__) from error
    return head


def ledger_lines(ledger: BinaryIO) -> Iterator[NotedApp]:
    """The lines of a ledger that was checked, from its beginning, one at a time."""
    return (_APP.validate_json(line) for line in _lines(ledger) if not line.startswith(b'{"lines":'))


def _head(ledger: BinaryIO) -> LedgerHead:
    ledger.seek(0)
    with gzip.GzipFile(fileobj=ledger, mode="rb") as packed:
        document = json.loads(packed.readline())
    if document["format"] != FORMAT:
        raise RejectedError("ledger-of-another-format", str(document["format"]))
    head = _HEAD.validate_python(document["head"])
    if head.at.tzinfo is None:
        raise RejectedError("ledger-damaged", "its time has no offset")
    return head


def _lines(ledger: BinaryIO) -> Iterator[bytes]:
    """Every line after the head."""
    ledger.seek(0)
    with gzip.GzipFile(fileobj=ledger, mode="rb") as packed:
        packed.readline()
        yield from packed


def _has_offsets(app: NotedApp) -> bool:
    dates = (date for one in app.credentials for date in (one.starts_at, one.ends_at, one.seen_at, one.gone_at))
    return all(date.tzinfo is not None for date in dates if isinstance(date, datetime))
