"""Manifest: the SHA-256 of every file of a report, as `sha256sum --check` reads it."""

import hashlib
import re
from collections.abc import Mapping

from shared.domain.posture.report import Report
from shared.wire.cards.words import moment

MANIFEST = "manifest.sha256"
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._-]+)")


def manifest(report: Report, files: Mapping[str, bytes]) -> bytes:
    """One line per file in the order of names, after a comment with the time of the report."""
    lines = [f"# Tether posture report of {moment(report.at)}"]
    lines += [f"{hashlib.sha256(files[name]).hexdigest()}  {name}" for name in sorted(files)]
    return ("\n".join(lines) + "\n").encode()


def verify_manifest(content: bytes, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Names of files that are changed, missing or not in the manifest, or of lines that are none; empty when whole."""
    lines = [line for line in content.decode(errors="replace").splitlines() if not line.startswith("#")]
    matches = [(line, _LINE.fullmatch(line)) for line in lines]
    sums = {match[2]: match[1] for _, match in matches if match}
    wrong = [line for line, match in matches if not match]
    wrong += [name for name in sums if name not in files]
    wrong += [name for name, data in files.items() if hashlib.sha256(data).hexdigest() != sums.get(name)]
    return tuple(sorted(wrong))
