"""The digest card says what changed, names the five worst with their owners, and stays within 20 KB."""

from dataclasses import replace

import pytest
from playwright.async_api import Page

from shared.domain.posture.report import Report
from shared.wire.cards.digest import MOST_BYTES, Offer, digest_card, digest_headline
from shared.wire.cards.elements import Card
from shared.wire.cards.fit import size
from tests.wire.cards.hostile import HOSTILE
from tests.wire.cards.rendering import draw
from tests.wire.cards.test_golden import packaged_schema, parts, without_extensions
from tests.wire.report.samples import first_report, poisoned, quiet_report, report

LINK = "https://tether.example/api/reports/latest/report.html"
REPORTS = {"changed": report(60), "large": report(5_000), "first": first_report(), "quiet": quiet_report()}


TOKEN = "AQ" + "x" * 158


def offers(told: Report, group: str = "dba") -> dict[str, Offer]:
    return {entry.finding.finding_id: Offer(TOKEN, (group,) * 5, 3) for entry in told.worst}


@pytest.mark.parametrize("name", REPORTS)
def test_digest_is_valid_and_small(name: str) -> None:
    card = digest_card(REPORTS[name], LINK, offers(REPORTS[name]))

    assert size(card) <= MOST_BYTES
    assert list(packaged_schema().iter_errors(without_extensions(card))) == []
    assert max((len(part["columns"]) for part in parts(card) if part.get("type") == "ColumnSet"), default=0) <= 2


LONGEST = (
    "\U0001f469" * 500,
    "\U0001f469\u200d" * 500,
    "\U0001f1e9\U0001f1ea" * 400,
    "a\u0301\u0302\u0303\u0304" * 300,
    "\u05e2" * 500,
    "\u202e" * 900 + "\u05e2\u0301" * 500,
    "\U0001f469 {{" * 300,
    "x" * 60_000,
    "{{" * 400,
    '"\\' * 400,
)


def opened(card: Card) -> list[str]:
    """Which findings can be opened from it, in order."""
    return [part["url"].partition("#f-")[2] for part in parts(card) if "#f-" in str(part.get("url", ""))]


@pytest.mark.parametrize("text", [*LONGEST, *(text * 100 for text in HOSTILE.values())])
def test_digest_of_the_longest_names_is_small_and_still_has_the_five_worst_and_its_numbers(text: str) -> None:
    told = poisoned(text)[0]

    card = digest_card(told, LINK, offers(told, text))

    assert size(card) <= MOST_BYTES
    assert opened(card) == [entry.finding.finding_id for entry in told.worst]
    assert len(told.worst) == 5
    assert "1 new" in card["speak"]


def test_texts_stay_as_long_as_they_can() -> None:
    told = poisoned("x" * 40)[0]

    card = digest_card(told, LINK, offers(told))

    assert "x" * 20 in str(card)
    assert len(opened(card)) == 5


def test_headline_says_numbers_only() -> None:
    assert digest_headline(REPORTS["changed"]) == (
        "Identity posture: 8 new, 1 worse, 5 fixed, 4 expiring, 2 exceptions that end"
    )


async def test_digest_names_the_five_worst_with_owner_and_buttons(page: Page) -> None:
    told = REPORTS["changed"]

    (drawn,) = await draw(page, [digest_card(told, LINK, offers(told))])

    words = drawn.words.replace("\u200b", "")
    assert [entry.finding.about.name in words for entry in told.worst] == [True] * 5
    assert [entry.finding.owners[0] in words for entry in told.worst] == [True] * 5
    assert drawn.buttons == [*["Open", "Keep", "Shrink", "Retire"] * 5, "Open"]
    assert drawn.events == []
    assert not drawn.wide
    first = told.worst[0].finding.finding_id
    assert drawn.executed[:2] == [
        ["Action.OpenUrl", f"{LINK}#f-{first}", None],
        ["Action.Execute", "keep", {"token": TOKEN}],
    ]


async def test_digest_says_what_an_answer_does_besides(page: Page) -> None:
    told = REPORTS["changed"]
    worst, second = (entry.finding.finding_id for entry in told.worst[:2])
    offered = {worst: Offer(TOKEN, ("dba", "dev", "ops", "sre", "web"), 3), second: Offer(TOKEN)}

    (drawn,) = await draw(page, [digest_card(told, LINK, offered)])

    assert "An answer is about all 3 findings of it. Shrink takes away: dba, dev, ops and 2 others" in drawn.words
    assert drawn.words.count("An answer is about") == drawn.words.count("Shrink takes away") == 1


async def test_digest_offers_to_shrink_only_what_can_be_shrunk(page: Page) -> None:
    told = REPORTS["changed"]
    kept = {finding_id: Offer(TOKEN) for finding_id in offers(told)}

    (drawn,) = await draw(page, [digest_card(told, LINK, kept)])

    assert drawn.buttons == [*["Open", "Keep", "Retire"] * 5, "Open"]


async def test_digest_without_offers_can_only_be_opened(page: Page) -> None:
    (drawn,) = await draw(page, [digest_card(REPORTS["changed"], LINK)])

    assert drawn.buttons == ["Open"] * 6


@pytest.mark.parametrize("link", [None, "http://tether.example/x", "javascript:alert(1)", f"{LINK}#there"])
async def test_digest_opens_nothing_but_https(page: Page, link: str | None) -> None:
    (drawn,) = await draw(page, [digest_card(REPORTS["changed"], link)])

    assert [url for _, url, _ in drawn.executed] == ([link] if link and link.startswith("https") else [])


async def test_digest_without_a_change_is_one_line(page: Page) -> None:
    (drawn,) = await draw(page, [digest_card(REPORTS["quiet"], LINK)])

    assert "No change since 2026-02-23 06:00 UTC." in drawn.words
    assert drawn.buttons == ["Open"]


async def test_digest_of_an_incomplete_report_says_so_even_without_a_change(page: Page) -> None:
    partial = replace(REPORTS["quiet"].coverage, sources=())

    (drawn,) = await draw(page, [digest_card(replace(REPORTS["quiet"], coverage=partial), LINK)])

    assert "Not complete. No source was read." in drawn.words


async def test_digest_of_the_first_report_counts_nothing_as_new(page: Page) -> None:
    (drawn,) = await draw(page, [digest_card(REPORTS["first"], LINK)])

    assert "new" not in drawn.words.split("·")[0]
