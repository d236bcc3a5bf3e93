"""Links between pages lead somewhere: to a file that is there, and to a heading that it has."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.page import ROOT, anchors, links

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_the_page_leads_somewhere(page: Path) -> None:
    assert list(_dead(page)) == []


def test_every_guide_can_be_found_from_the_front_page() -> None:
    reached, waiting = {ROOT / "README.md"}, [ROOT / "README.md"]

    while waiting:
        for found in set(_files(waiting.pop())) - reached:
            reached.add(found)
            waiting += [found] if found.suffix == ".md" else []

    assert [page.name for page in PAGES if page not in reached and page.parent != ROOT] == []


def _dead(page: Path) -> Iterator[str]:
    for link in links(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / unquote(name)).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            yield link


def _files(page: Path) -> Iterator[Path]:
    for link in links(page.read_text(encoding="utf-8")):
        name = link.partition("#")[0]
        if name and "://" not in link:
            yield (page.parent / unquote(name)).resolve()
