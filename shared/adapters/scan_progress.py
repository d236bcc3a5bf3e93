"""Scan progress: a log line for the beginning of each source, now and then while it lasts, and for its end."""

import logging

from shared.domain.posture.scan import Checkpoint

EVERY = 25
_LOG = logging.getLogger("tether")


def log_progress(mark: Checkpoint) -> None:
    """How far a source is: pages, rows, and of how many; numbers and the reason, never a name."""
    if mark.is_settled or mark.pages % EVERY == 1:
        rows = f"{mark.rows:,}" if mark.counted is None else f"{mark.rows:,} of {mark.counted:,}"
        reason = f", {mark.reason}" if mark.reason else ""
        _LOG.info("scan %s: %s, pages %s, rows %s%s", mark.source, mark.state, mark.pages, rows, reason)
