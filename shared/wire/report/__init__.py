"""Reports: posture as files that people and machines read: a page, tables, events, and a manifest over them."""

from shared.wire.report.blast_picture import BlastRadius, Reached
from shared.wire.report.files import report_files
from shared.wire.report.html_page import Pictured
from shared.wire.report.manifest import manifest, verify_manifest
from shared.wire.report.notice_page import notice_page
from shared.wire.report.pages import page_policy, policy_of
from shared.wire.report.reach_page import reach_page
from shared.wire.report.state import encode_snapshot, parse_snapshot

__all__ = [
    "BlastRadius",
    "Pictured",
    "Reached",
    "encode_snapshot",
    "manifest",
    "notice_page",
    "page_policy",
    "parse_snapshot",
    "policy_of",
    "reach_page",
    "report_files",
    "verify_manifest",
]
