"""Files: everything that a report consists of, by name."""

from collections.abc import Mapping

from shared.domain.posture.report import Report
from shared.wire.report.csv_tables import changes_csv, findings_csv
from shared.wire.report.html_page import Pictured, html_page
from shared.wire.report.manifest import MANIFEST, manifest
from shared.wire.report.ocsf import findings_ocsf
from shared.wire.report.rotation_section import rotation_csv


def report_files(report: Report, pictured: Pictured) -> Mapping[str, bytes]:
    """The page, the tables, the events, and the manifest over them: the same bytes for the same report."""
    files = {
        "report.html": html_page(report, pictured),
        "findings.csv": findings_csv(report),
        "changes.csv": changes_csv(report),
        "findings.ocsf.json": findings_ocsf(report),
    }
    if pictured.rotations is not None:
        files["rotation.csv"] = rotation_csv(pictured.rotations, report.at)
    return files | {MANIFEST: manifest(report, files)}
