"""The manifest covers every file, and the state of a report is read whole or not at all."""

import csv
import hashlib
import io
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.posture.inventory import Known, Unknown
from shared.wire.report import encode_snapshot, parse_snapshot, report_files, verify_manifest
from shared.wire.report.csv_tables import findings_csv
from shared.wire.report.text import plain, shown
from tests.wire.report.samples import PICTURED, poisoned, report

FILES = report_files(report(16), PICTURED)
MANIFEST = FILES["manifest.sha256"]
COVERED = {name: data for name, data in FILES.items() if name != "manifest.sha256"}
SNAPSHOT = report(16).snapshot()


def test_manifest_covers_every_file() -> None:
    assert set(COVERED) == {"report.html", "findings.csv", "changes.csv", "findings.ocsf.json"}
    assert verify_manifest(MANIFEST, COVERED) == ()


def test_manifest_is_verified_by_the_common_tool(tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    command = ["sha256sum", "--check", "--strict", "manifest.sha256"]

    whole = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    (tmp_path / "findings.csv").write_bytes(b"changed")
    changed = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)

    assert (whole.returncode, whole.stdout.count(b": OK")) == (0, 4)
    assert changed.returncode == 1


@pytest.mark.parametrize("name", COVERED)
def test_changed_missing_and_foreign_files_are_named(name: str) -> None:
    without = {each: data for each, data in COVERED.items() if each != name}

    assert verify_manifest(MANIFEST, COVERED | {name: COVERED[name] + b" "}) == (name,)
    assert verify_manifest(MANIFEST, without) == (name,)
    assert verify_manifest(MANIFEST, COVERED | {"extra.csv": b""}) == ("extra.csv",)


def test_line_that_is_no_sum_is_named() -> None:
    assert verify_manifest(MANIFEST + b"nonsense\n", COVERED) == ("nonsense",)


def test_table_has_a_row_for_each_finding_and_each_gap() -> None:
    told = report(60)

    rows = list(csv.DictReader(io.StringIO(findings_csv(told).decode("utf-8-sig"), newline="")))

    assert [row["finding_id"] for row in rows[:-1]] == [entry.finding.finding_id for entry in told.entries]
    assert (rows[-1]["standing"], rows[-1]["check"], rows[-1]["says"]) == (
        "unknown",
        "C9",
        "could not be judged for 41 objects: no-licence",
    )


def test_changes_name_what_came_what_went_and_what_ends() -> None:
    rows = csv.DictReader(io.StringIO(FILES["changes.csv"].decode("utf-8-sig"), newline=""))

    counts: dict[str, int] = {}
    for row in rows:
        counts[row["change"]] = counts.get(row["change"], 0) + 1
    expected = {"new": 8, "worse": 1, "fixed": 5, "unconfirmed": 1, "exception-lapsing": 1, "exception-lapsed": 1}
    assert counts == expected


def test_state_is_read_as_it_was_written() -> None:
    assert parse_snapshot(encode_snapshot(SNAPSHOT)) == Known(SNAPSHOT)


def test_state_with_hostile_names_is_read_as_it_was_written() -> None:
    snapshot = poisoned("\ud800<script>\u202e\x00")[0].snapshot()

    assert parse_snapshot(encode_snapshot(snapshot)) == Known(snapshot)


@given(st.integers(0, len(encode_snapshot(SNAPSHOT)) - 1))
def test_half_a_state_is_damaged(length: int) -> None:
    assert parse_snapshot(encode_snapshot(SNAPSHOT)[:length]) == Unknown("previous-report-damaged")


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"null", b"{}", b"\xff", b'{"content": {}, "sha256": ""}', b"[" * 100_000]
)
def test_what_is_no_state_is_damaged(data: bytes) -> None:
    assert parse_snapshot(data) == Unknown("previous-report-damaged")


def test_changed_state_is_damaged() -> None:
    changed = encode_snapshot(SNAPSHOT).replace(b'"critical"', b'"low"', 1)

    assert parse_snapshot(changed) == Unknown("previous-report-damaged")


def test_state_of_another_format_is_not_read() -> None:
    content = {"format": 2}
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    data = json.dumps({"sha256": hashlib.sha256(text.encode()).hexdigest(), "content": content}).encode()

    assert parse_snapshot(data) == Unknown("previous-report-of-another-format")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("crm", "crm"),
        ("a \t b", "a b"),
        ("", "(empty)"),
        ("a\u200bb", "ab (1 hidden character removed)"),
        ("a\u200b\u200b", "a (2 hidden characters removed)"),
        ("abcdefghij", "abcdefgh…"),
    ],
)
def test_text_is_shown_on_one_line(text: str, expected: str) -> None:
    assert shown(text, 8) == expected


def test_identifier_is_shown_without_additions() -> None:
    assert [plain(""), plain("a\u200bb"), plain("x" * 200)] == ["", "ab", "x" * 120]
