"""Nothing that somebody wrote is more than text in a report: no markup, no formula, no link, no template."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.async_api import Browser, Page

from shared.wire.cards.digest import Offer, digest_card, digest_headline
from shared.wire.cards.fit import size
from shared.wire.report import report_files
from shared.wire.report.csv_tables import harmless
from tests.wire.cards.hostile import HOSTILE as TEXTS
from tests.wire.cards.rendering import draw
from tests.wire.report.samples import poisoned

FORMULAS = {
    "formula": '=HYPERLINK("https://evil.example","readable")',
    "plus": "+readable",
    "minus": "-2+3+cmd|' /C calc'!A0 readable",
    "at": "@SUM(1+1) readable",
    "tab": "\t=1+1 readable",
    "carriage": "\r=1+1 readable",
    "line": "x\n=1+1 readable",
    "spaces": "   =1+1 readable",
    "no_break_space": "\u00a0=1+1 readable",
    "full_width": "\uff1d1+1 readable",
    "quote_breakout": '","=1+1","readable',
    "semicolon": "x;=1+1 readable",
    "apostrophe": "'=1+1 readable",
    "hidden_before": "\u200b=1+1 readable",
    "csp_breakout": "</style><script>alert(1)</script> readable",
    "svg_breakout": "</text></svg><script>alert(1)</script> readable",
    "attribute_breakout": '" onload="alert(1)" x=\' readable',
    "jinja": "{{ 7 * 7 }}{% raw %} readable",
    "comment": "<!-- readable --> ]]> readable",
}
HOSTILE = {**TEXTS, **FORMULAS}
LINK = "https://tether.example/api/reports/latest/report.html"
_COUNT = """() => ({
  elements: document.querySelectorAll("*").length,
  links: [...document.querySelectorAll("a, area, [href], [src]")].map((each) => each.getAttribute("href")),
  scripts: document.querySelectorAll("script, iframe, object, embed, img, link, base").length,
  handlers: [...document.querySelectorAll("*")].filter((each) =>
    [...each.attributes].some((attribute) => attribute.name.startsWith("on"))).length,
  text: document.body.innerText,
  wide: document.documentElement.scrollWidth > innerWidth,
})"""


@dataclass(frozen=True, slots=True)
class Reader:
    """Opens pages on a phone, and notes what they ask for and complain about."""

    page: Page
    asked: list[str]
    problems: list[str]

    async def open(self, file: Path) -> dict[str, object]:
        self.asked.clear()
        self.problems.clear()
        await self.page.goto(file.as_uri())
        seen: dict[str, object] = await self.page.evaluate(_COUNT)
        return seen | {"asked": [url for url in self.asked if url != file.as_uri()], "problems": [*self.problems]}


@pytest.fixture(scope="module")
async def reader(browser: Browser) -> AsyncIterator[Reader]:
    context = await browser.new_context(viewport={"width": 375, "height": 800})
    reader = Reader(await context.new_page(), [], [])
    reader.page.on("request", lambda request: reader.asked.append(request.url))
    reader.page.on("pageerror", lambda error: reader.problems.append(str(error)))
    reader.page.on("console", lambda said: reader.problems.append(said.text))
    reader.page.on("dialog", lambda dialog: reader.problems.append(dialog.message))
    yield reader
    await context.close()


@pytest.fixture(scope="module")
async def calm(reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return await reader.open(written(tmp_path_factory.mktemp("calm"), "readable"))


def written(folder: Path, text: str) -> Path:
    file = folder / "report.html"
    file.write_bytes(report_files(*poisoned(text))["report.html"])
    return file


def test_there_are_enough_hostile_texts() -> None:
    assert len(HOSTILE) >= 30


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_text_is_text_on_the_page(
    reader: Reader, tmp_path: Path, calm: dict[str, object], name: str
) -> None:
    seen = await reader.open(written(tmp_path, HOSTILE[name]))

    same = ("elements", "links", "scripts", "handlers", "asked", "problems", "wide")
    assert {key: seen[key] for key in same} == {key: calm[key] for key in same}
    assert seen["asked"] == []
    assert seen["problems"] == []
    assert "readable" in str(seen["text"])


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_never_becomes_a_formula(name: str) -> None:
    files = report_files(*poisoned(HOSTILE[name]))

    for table in ("findings.csv", "changes.csv"):
        text = files[table].decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        cells = [cell for row in rows for cell in row]
        assert [cell for cell in cells if re.match(r"[\s\u00a0]*[=+\-@\uff1d\uff0b\uff0d\uff20]", cell)] == []
        assert [part for part in re.split(r'[;,"\t\r\n]', text) if re.match(r"\s*[=+\-@]", part)] == []
        assert {len(row) for row in rows} == {len(rows[0])}
        assert any("readable" in cell for cell in cells)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_stays_a_string_in_events(name: str) -> None:
    events = json.loads(report_files(*poisoned(HOSTILE[name]))["findings.ocsf.json"])

    assert {tuple(sorted(event)) for event in events} == {tuple(sorted(events[0]))}
    assert all("readable" in event["message"] for event in events)


@pytest.mark.parametrize("name", HOSTILE)
def test_pictures_with_hostile_text_are_well_formed_and_hold_nothing_hidden(name: str) -> None:
    page = report_files(*poisoned(HOSTILE[name]))["report.html"].decode()

    pictures = re.findall(r'<svg class="chart.*?</figure>', page, re.DOTALL)
    drawn = [ET.fromstring(picture.split("<p class")[0].removesuffix("</figure>")) for picture in pictures]  # noqa: S314
    assert len(drawn) == 5
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\x00-\x08]", page)


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_text_is_text_on_the_digest_card(page: Page, requested: list[str], name: str) -> None:
    worst = [entry.finding.finding_id for entry in poisoned("readable")[0].worst]
    cards = [
        digest_card(poisoned(text)[0], LINK, {one: Offer("AQ" + "x" * 78, (text,), 2) for one in worst})
        for text in (HOSTILE[name], "readable")
    ]

    drawn, calm = await draw(page, cards)

    assert size(cards[0]) <= 20 * 1024
    assert (drawn.links, drawn.images, drawn.formatted, drawn.scripts) == (0, 0, 0, 0)
    assert (drawn.events, drawn.buttons, drawn.executed) == (calm.events, calm.buttons, calm.executed)
    assert not drawn.wide
    assert "readable" in drawn.text.replace("\u200b", "")
    assert requested == []
    assert "readable" not in digest_headline(poisoned(HOSTILE[name])[0])


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        (" =1", " '=1"),
        ("a;=1", "a;'=1"),
        ('a"=1', "a\"'=1"),
        ("a-b", "a-b"),
        ("invoice=4", "invoice=4"),
        ("", ""),
    ],
)
def test_cell_gets_an_apostrophe_where_a_formula_would_begin(cell: str, expected: str) -> None:
    assert harmless(cell) == expected
