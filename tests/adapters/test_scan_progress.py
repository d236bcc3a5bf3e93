"""A long scan says how far it is, and not once for every page."""

import logging

import pytest

from shared.adapters.scan_progress import EVERY, log_progress
from shared.domain.posture.coverage import SourceState
from shared.domain.posture.scan import Checkpoint, Source


def test_scan_tells_of_its_beginning_of_every_so_many_pages_and_of_its_end(caplog: pytest.LogCaptureFixture) -> None:
    marks = [Checkpoint(Source.APPLICATIONS, page, page * 999, counted=100_000) for page in range(1, 2 * EVERY + 1)]
    end = marks[-1].settled(SourceState.PARTIAL, "count-mismatch")

    with caplog.at_level(logging.INFO, "tether"):
        for mark in (*marks, end):
            log_progress(mark)

    assert caplog.messages == [
        "scan applications: reading, pages 1, rows 999 of 100,000",
        "scan applications: reading, pages 26, rows 25,974 of 100,000",
        "scan applications: partial, pages 50, rows 49,950 of 100,000, count-mismatch",
    ]
