"""What is posted: a card with its summary, or a text with its mentions."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.approval import Person
from shared.domain.card_copy import Face
from shared.wire.cards import activity, headline, reminder, request_card, text_face
from tests.wire.cards.samples import ADA, APPROVED, GRACE, LINK, TOKEN, WAITING


def content(face: Face) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(face.activity)
    return read


def test_card_is_posted_with_its_summary_and_without_a_text() -> None:
    card = request_card(WAITING, TOKEN, LINK)

    posted = content(activity(card, headline(WAITING)))

    assert posted == {
        "type": "message",
        "summary": "Access request: Ada Lovelace asks for pg-prod, access for 30 minutes",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def test_same_card_is_the_same_face_and_another_one_is_not() -> None:
    faces = [activity(request_card(each, TOKEN, LINK), "x") for each in (WAITING, WAITING, replace(WAITING, needed=1))]

    assert faces[0].digest == faces[1].digest != faces[2].digest


def test_headline_after_the_end_says_how_it_ended() -> None:
    assert headline(APPROVED) == "Access request approved: Ada Lovelace, pg-prod"


def test_reminder_mentions_people_by_object_id() -> None:
    posted = content(reminder(WAITING, [GRACE], 2))

    assert posted["text"] == (
        "Reminder 2: the request for pg-prod above waits until 2026-03-01 16:00 UTC. <at>Grace Hopper</at>"
    )
    assert posted["entities"] == [
        {
            "type": "mention",
            "text": "<at>Grace Hopper</at>",
            "mentioned": {"id": GRACE.principal_id, "name": GRACE.name},
        }
    ]


def test_reminder_mentions_five_people_at_most() -> None:
    crowd = [Person(f"id-{number}", f"Person {number}") for number in range(9)]

    posted = content(reminder(WAITING, crowd, 1))

    assert len(posted["entities"]) == posted["text"].count("<at>") == 5


def test_reminder_after_the_end_mentions_nobody() -> None:
    posted = content(reminder(APPROVED, [ADA, GRACE], 2))

    assert posted == {"type": "message", "text": "No longer waiting: the request for pg-prod is approved."}


@pytest.mark.parametrize("text", ["Tether is here.", "Say approve to approve."])
def test_text_of_our_own_is_posted_as_it_is(text: str) -> None:
    assert content(text_face(text)) == {"type": "message", "text": text}
