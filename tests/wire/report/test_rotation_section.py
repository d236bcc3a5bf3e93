"""Rotation in reports: what waits for somebody is on the page, everything is in the table, names are only text."""

import csv
import io
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser

from shared.domain.posture.limits import Limits
from shared.domain.posture.rotation_figures import RotationFigures, RotationTally
from shared.wire.report import report_files, verify_manifest
from shared.wire.report.html_page import html_page
from shared.wire.report.rotation_section import MOST_ROWS, rotation_csv, rotation_section
from tests.wire.report.rotations import AT, app, figures, key, secret
from tests.wire.report.samples import PICTURED, report
from tests.wire.report.test_hostile import HOSTILE

MOST = 3 * 1000 * 1000
PICTURED_TOO = replace(PICTURED, rotations=figures())


def rows_of(some: RotationFigures) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(rotation_csv(some, AT).decode("utf-8-sig"), newline="")))


def test_page_without_rotations_has_no_section_and_no_table() -> None:
    files = report_files(report(16), PICTURED)

    assert rotation_section(None, AT) == ""
    assert b'id="rotation"' not in files["report.html"]
    assert "rotation.csv" not in files


def test_table_is_named_on_the_page_and_covered_by_the_manifest() -> None:
    files = dict(report_files(report(16), PICTURED_TOO))

    manifest = files.pop("manifest.sha256")
    assert b"rotation.csv" in files["report.html"]
    assert verify_manifest(manifest, files) == ()


def test_what_waits_for_somebody_is_on_the_page_the_worst_first() -> None:
    page = rotation_section(figures(), AT)

    states = re.findall(r"<summary><b>([a-z ]+)</b>", page)
    assert states == ["still used", "superseded", "overdue", "due", "unknown"]
    counts = re.findall(r"<b>(\d+)</b><span>([^<]+)</span>", page)
    assert [count for count, _ in counts] == ["1", "1", "1", "1", "1"]
    assert "3 applications could do without any secret" in page
    assert "11 live credentials: 4 being changed, 1 current, 1 renewed by Microsoft." in page


def test_steps_add_prove_and_remove_in_this_order() -> None:
    page = rotation_section(figures(), AT)

    overdue = page[page.index("<b>overdue</b>") :]
    calls = [overdue.index(call) for call in ("/addPassword", "appCredentialSignInActivities", "/removePassword")]
    assert calls == sorted(calls)
    assert overdue[: overdue.index("</pre>")].count("\n") == 6


def test_everything_that_is_not_at_rest_is_in_the_table() -> None:
    rows = rows_of(figures(20))

    states = Counter(row["state"] for row in rows)
    assert states["still-used-after-rotation"] == states["superseded-but-live"] == states["overdue"] == 20
    assert states.keys().isdisjoint({"current", "renewed-by-microsoft"})
    overdue = next(row for row in rows if row["state"] == "overdue")
    assert (overdue["age_days"], overdue["lifetime_days"], overdue["last_used"]) == ("400", "730", "2026-02-27")


def test_use_that_nobody_knows_is_said() -> None:
    tally = RotationTally(AT)
    tally.add(app(1, secret(1, 300, 100)), Limits())

    assert "Which credential was used is not known (no-licence)" in rotation_section(tally.figures(), AT)
    assert rows_of(tally.figures())[0]["last_used"] == "unknown"


def test_tenant_without_credentials_is_said() -> None:
    assert "There is no live credential that anybody has to change." in rotation_section(RotationFigures(), AT)


def test_page_with_5000_findings_and_many_rotations_stays_within_three_megabytes() -> None:
    page = html_page(report(5_000), replace(PICTURED, rotations=figures(700, "<&>" * 500)))

    assert len(page) <= MOST
    assert page.count(b'<details class="f ') == 5_000 + MOST_ROWS
    assert b"3,460 more in rotation.csv" in page


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_in_the_section_and_no_formula_in_the_table(name: str) -> None:
    calm, hurt = (rotation_section(figures(1, text), AT) for text in ("readable", HOSTILE[name]))

    rows = list(csv.reader(io.StringIO(rotation_csv(figures(1, HOSTILE[name]), AT).decode("utf-8-sig"), newline="")))
    cells = [cell for row in rows for cell in row]
    assert hurt.count("<") == calm.count("<")
    assert [cell for cell in cells if re.match(r"[\s\u00a0]*[=+\-@\uff1d\uff0b\uff0d\uff20]", cell)] == []
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\x00-\x08]", hurt)


def test_no_name_of_a_credential_is_shown() -> None:
    told = RotationTally(AT)
    told.add(app(1, secret(1, 300, 100, "Zq8~hint"), used={key(1): 1}), Limits())

    assert "Zq8" not in rotation_section(told.figures(), AT)
    assert b"Zq8" not in rotation_csv(told.figures(), AT)


async def test_section_fits_a_phone_and_a_desk(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_bytes(html_page(report(30), PICTURED_TOO))
    page = await browser.new_page()

    wide = []
    for width in (375, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.goto(file.as_uri())
        for each in await page.locator("#rotation details").all():
            await each.evaluate("one => one.open = true")
        wide.append(await page.evaluate("document.documentElement.scrollWidth > innerWidth"))

    assert await page.locator("#rotation details").count() == 5
    assert wide == [False, False]
    await page.close()
