"""Nothing that somebody wrote is ever more than text, in any field of any face."""

import json

import pytest
from playwright.async_api import Page

from shared.domain.approval import Person
from shared.domain.card_copy import Face as Activity
from shared.wire.cards import activity, headline, reminder, text_face
from shared.wire.cards.text import clean
from tests.wire.cards.hostile import HOSTILE
from tests.wire.cards.rendering import Drawn, draw, draw_messages
from tests.wire.cards.samples import ADA, FACES, NAMES, poisoned, poisoned_cards, texts_of

FORBIDDEN = (*range(0x20), *range(0x7F, 0xA0), 0x61C, *range(0x200C, 0x2010), *range(0x202A, 0x202F), 0x2066, 0x2067)


@pytest.fixture(scope="module")
async def calm(page: Page) -> list[Drawn]:
    """Every face with a harmless word in the same fields."""
    return await draw(page, poisoned_cards("readable"))


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_text_in_every_field_of_every_face_stays_text(
    page: Page, requested: list[str], calm: list[Drawn], name: str
) -> None:
    cards = poisoned_cards(HOSTILE[name])

    drawn = await draw(page, cards)

    assert [(each.links, each.images, each.formatted, each.scripts) for each in drawn] == [(0, 0, 0, 0)] * len(NAMES)
    assert [each.events for each in drawn] == [[]] * len(NAMES)
    assert [each.buttons for each in drawn] == [each.buttons for each in calm]
    assert [each.executed for each in drawn] == [each.executed for each in calm]
    assert all("readable" in each.text for each in drawn)
    assert not any(each.wide for each in drawn)
    assert requested == []


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_text_is_read_as_it_was_written(page: Page, name: str) -> None:
    build, approval = FACES["decided__denied"]

    (drawn,) = await draw(page, [build(poisoned(approval, HOSTILE[name]))])

    expected = clean(HOSTILE[name], 64).text
    assert _unspaced(expected) in _unspaced(drawn.text)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_field_carries_what_cannot_be_seen(name: str) -> None:
    joiners = {"emoji_family": {0x200D}, "persian_name": {0x200C}, "very_long_emoji": {0x200D}}.get(name, set())
    forbidden = set(map(chr, set(FORBIDDEN) - joiners))

    texts = [text for card in poisoned_cards(HOSTILE[name]) for text in texts_of(card)]

    assert [text for text in texts if forbidden & set(text)] == []
    assert [text for text in texts if "{{" in text or "${" in text] == []
    assert [text for text in texts if text.count("\u2068") != text.count("\u2069")] == []
    json.dumps(texts, ensure_ascii=False).encode()


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_text_in_a_message_stays_text_and_mentions_nobody(page: Page, name: str) -> None:
    text = HOSTILE[name]
    approval = poisoned(FACES["request"][1], text)
    ended = poisoned(FACES["decided__denied"][1], text)
    messages = [text_face(text), reminder(approval, (), 1), reminder(ended, (), 1), activity({}, headline(approval))]

    drawn = await draw_messages(page, [_words_of(message) for message in messages])

    assert [(each["markup"], each["mentions"]) for each in drawn] == [(0, 0)] * len(messages)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name_is_mentioned_once_and_as_itself(name: str) -> None:
    face = reminder(FACES["request"][1], [Person(ADA.principal_id, HOSTILE[name])], 1)

    content = json.loads(face.activity)

    (entity,) = content["entities"]
    assert content["text"].count("<at>") == content["text"].count("</at>") == 1
    assert content["text"].count(entity["text"]) == 1
    assert entity["mentioned"]["id"] == ADA.principal_id
    assert "<" not in entity["mentioned"]["name"]


def test_there_are_enough_hostile_texts() -> None:
    assert len(HOSTILE) >= 40
    assert len(set(HOSTILE.values())) == len(HOSTILE)


def _unspaced(text: str) -> str:
    """What is compared: templates and long words are broken, right-to-left letters are isolated."""
    return "".join("".join(sign for sign in text if sign not in "\u2068\u2069\u200b").split())


def _words_of(message: Activity) -> str:
    content = json.loads(message.activity)
    return str(content.get("text", content.get("summary")))
