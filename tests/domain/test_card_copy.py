"""Copies of a card: made once however often they are wanted, and known again when somebody is seen looking at them."""

from dataclasses import replace

import pytest

from shared.domain.card_copy import (
    Audience,
    CardCopy,
    CardUpdate,
    CopySpec,
    CopyState,
    Face,
    Place,
    PlaceKind,
)
from tests.domain.approval_samples import REVIEW
from tests.domain.samples import NOW

CHANNEL = Place(PlaceKind.CHANNEL, "19:aa@thread.tacv2")
SPEC = CopySpec(Audience.APPROVERS, CHANNEL)
POSTED = CardCopy(REVIEW, SPEC, CopyState.POSTED, CHANNEL.id, "17", shown="digest")


def test_copy_id_is_the_same_for_the_same_copy_and_differs_for_every_other() -> None:
    others = [
        CopySpec(Audience.REMINDER, CHANNEL),
        CopySpec(Audience.APPROVERS, Place(PlaceKind.PERSON, CHANNEL.id)),
        CopySpec(Audience.APPROVERS, Place(PlaceKind.CHANNEL, "19:bb@thread.tacv2")),
        CopySpec(Audience.APPROVERS, CHANNEL, 1),
    ]

    assert CardCopy(REVIEW, SPEC).copy_id == CopySpec(Audience.APPROVERS, CHANNEL).copy_id
    assert len({SPEC.copy_id, *(other.copy_id for other in others)}) == 5
    assert len(bytes.fromhex(SPEC.copy_id)) == 6


def test_post_whose_answer_was_lost_is_known_once_it_is_seen() -> None:
    doubted = CardCopy(REVIEW, SPEC, CopyState.POSTING)

    seen = doubted.seen(f"{CHANNEL.id};messageid=17", "17")

    assert (seen.state, seen.activity_id, seen.shown) == (CopyState.POSTED, "17", "")
    assert seen.conversation_id == f"{CHANNEL.id};messageid=17"


def test_second_message_of_a_copy_is_a_stray_and_is_shown_anew() -> None:
    seen = POSTED.seen(CHANNEL.id, "18")

    assert (seen.activity_id, seen.strays, seen.shown) == ("17", ("18",), "")


@pytest.mark.parametrize("activity_id", ["", "17"])
def test_message_that_is_known_is_no_news(activity_id: str) -> None:
    assert POSTED.seen(CHANNEL.id, activity_id) is POSTED


def test_stray_that_is_known_is_no_news_and_only_the_latest_are_kept() -> None:
    copy = POSTED
    for number in range(18, 30):
        copy = copy.seen(CHANNEL.id, str(number))

    assert copy.strays == ("25", "26", "27", "28", "29")
    assert copy.seen(CHANNEL.id, "27") is copy


def test_retried_update_is_the_same_with_its_attempt_counted() -> None:
    update = CardUpdate(REVIEW, SPEC, NOW, "c-1")

    assert update.retried() == replace(update, attempt=1)


def test_digest_tells_faces_apart() -> None:
    assert Face("a").digest == Face("a").digest != Face("b").digest
