"""Rotation cards: they fit, show every number in the safe order, and nothing that somebody wrote is more than text."""

import pytest
from playwright.async_api import Page

from shared.domain.approval import Person
from shared.domain.posture.limits import Limits
from shared.domain.posture.rotation_news import AppNews, RotationNews, words_of
from shared.domain.posture.rotation_troubles import FIRST
from shared.wire.cards.elements import Card
from shared.wire.cards.fit import size
from shared.wire.cards.rotation import owner_card, owner_headline, security_card, security_headline
from tests.wire.cards.hostile import HOSTILE
from tests.wire.cards.rendering import draw
from tests.wire.cards.samples import texts_of
from tests.wire.cards.test_golden import packaged_schema, without_extensions
from tests.wire.report.rotations import AT, figures

MOST = 20 * 1024
LIMITS = Limits()


def news(count: int = 1, name: str = "") -> RotationNews:
    told = figures(count, name)
    apps = tuple(
        AppNews(one.about.object_id, one.about.name, words, one, Person("ada", name or "Ada"))
        for one in told.rotations
        if (words := words_of(one, LIMITS.expiring))
    )
    events = {"overdue": count, "ends-7": 1, "superseded-but-live": count, "vault": 2}
    return RotationNews(AT, apps, 0, events, told.states, (FIRST, name or "The policy was not read."))


def cards(name: str = "") -> list[Card]:
    told = news(name=name)
    return [security_card(told), *(owner_card(one, told) for one in told.apps)]


def plain(card: Card) -> str:
    return " ".join(texts_of(card)).replace("\u200b", "")


@pytest.mark.parametrize("name", ["", "<&>" * 500, "\u05d0" * 2_000])
def test_cards_fit_and_what_has_no_room_is_counted(name: str) -> None:
    told = news(500, name)

    card = security_card(told)

    assert size(card) <= MOST
    assert "more applications: see rotation.csv" in plain(card)
    assert max(size(owner_card(one, told)) for one in told.apps[:30]) <= MOST


def test_owner_reads_the_numbers_the_last_use_and_the_calls_in_order() -> None:
    told = news()
    overdue = next(one for one in told.apps if "overdue" in one.words[0])

    text = plain(owner_card(overdue, told))

    for said in (
        "400 days old, issued for 730 days, ends in 330 days; last used 2026-02-27",
        "Microsoft does not renew it",
    ):
        assert said in text
    places = [text.index(call) for call in ("/addPassword", "appCredentialSignInActivities", "/removePassword")]
    assert places == sorted(places)
    calls = [text for text in texts_of(owner_card(overdue, told)) if text.startswith(("POST", "GET"))]
    assert len(calls) == 3
    assert all(call.isascii() for call in calls)


def test_superseded_credential_shows_how_long_two_were_valid() -> None:
    told = news()
    superseded = next(one for one in told.apps if "superseded" in one.words[0])

    assert "two were valid for 60 days" in plain(owner_card(superseded, told))


def test_federation_is_shown_where_the_host_allows_it() -> None:
    told = news()

    texts = {one.object_id[-1]: plain(owner_card(one, told)) for one in told.apps}

    assert {last: "federatedIdentityCredentials" in text for last, text in texts.items()} == {
        "0": True,
        "1": False,
        "2": False,
        "3": True,
    }


def test_cards_are_valid_against_the_packaged_schema() -> None:
    schema = packaged_schema()

    assert [error.message for card in cards() for error in schema.iter_errors(without_extensions(card))] == []


def test_headlines_say_what_happened() -> None:
    told = news()

    assert security_headline(told) == (
        "Secret rotation: 1 to be changed within 7 days, 1 overdue, 1 replaced, and still valid, 2 wrong in the vault"
    )
    assert security_headline(RotationNews(AT)) == "Secret rotation: something could not be seen"
    assert owner_headline(told.apps[0]).startswith("Credentials of invoice-agent-0: replaced, and still used")


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_text_stays_text(page: Page, requested: list[str], name: str) -> None:
    drawn = await draw(page, cards(HOSTILE[name]))

    assert [(each.links, each.images, each.formatted, each.scripts) for each in drawn] == [(0, 0, 0, 0)] * len(drawn)
    assert [each.events for each in drawn] == [[]] * len(drawn)
    assert not any(each.wide for each in drawn)
    assert [text for card in cards(HOSTILE[name]) for text in texts_of(card) if "{{" in text or "${" in text] == []
    assert requested == []
