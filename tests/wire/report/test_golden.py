"""A report is its golden files, byte for byte; WRITE_GOLDEN_REPORT=1 makes them again."""

import json
import os
from pathlib import Path

import pytest

from shared.domain.posture.report import Report
from shared.wire.cards.digest import Offer, digest_card
from shared.wire.report import report_files
from tests.wire.report.samples import PICTURED, first_report, quiet_report, report

GOLDEN = Path(__file__).parent / "golden"
LINK = "https://tether.example/api/reports/latest/report.html"
NAMES = ("report.html", "findings.csv", "changes.csv", "findings.ocsf.json", "manifest.sha256")


@pytest.mark.parametrize("name", NAMES)
def test_file_of_the_report_is_its_golden_file(name: str) -> None:
    assert report_files(report(16), PICTURED)[name] == golden(name, report_files(report(16), PICTURED)[name])


@pytest.mark.parametrize(
    ("name", "told"), [("changed", report(16)), ("first", first_report()), ("unchanged", quiet_report())]
)
def test_digest_is_its_golden_file(name: str, told: Report) -> None:
    offers = {entry.finding.finding_id: Offer("AQ" + "x" * 78, ("dba",), 2) for entry in told.worst[:1]}

    written = (json.dumps(digest_card(told, LINK, offers), indent=2, ensure_ascii=False) + "\n").encode()

    assert written == golden(f"digest__{name}.json", written)


def test_every_golden_file_is_made_by_a_test() -> None:
    digests = {f"digest__{name}.json" for name in ("changed", "first", "unchanged")}

    assert {file.name for file in GOLDEN.iterdir()} == {*NAMES, *digests}


def golden(name: str, written: bytes) -> bytes:
    file = GOLDEN / name
    if os.environ.get("WRITE_GOLDEN_REPORT"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_bytes(written)
    return file.read_bytes()
