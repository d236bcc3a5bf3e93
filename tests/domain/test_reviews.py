"""What the gateway's reviews say of themselves, and how its counting gets stuck."""

from dataclasses import replace

import pytest

from shared.domain.reviews import GatewaySession, ReviewEvent, ReviewEventKind, ReviewStatus
from tests.domain.approval_samples import review
from tests.domain.samples import NOW


@pytest.mark.parametrize(("min_approvals", "needed"), [(None, 2), (1, 1), (2, 2), (5, 2)])
def test_review_needs_so_many_groups(min_approvals: int | None, needed: int) -> None:
    assert review(needed=min_approvals).needed == needed


def test_review_knows_who_has_answered_and_who_has_not() -> None:
    asked = review("security")

    assert (asked.approved, asked.open_groups, asked.missing) == (frozenset({"security"}), ("dba",), 1)


@pytest.mark.parametrize(
    ("approved", "needed", "status", "stuck"),
    [
        ((), 1, ReviewStatus.PENDING, False),
        (("dba",), 2, ReviewStatus.PENDING, False),
        (("dba", "security"), 1, ReviewStatus.PENDING, True),
        (("dba",), 1, ReviewStatus.PENDING, True),
        (("dba",), 1, ReviewStatus.APPROVED, False),
    ],
)
def test_review_is_stuck_when_its_count_is_past_what_it_waits_for(
    approved: tuple[str, ...],
    needed: int,
    status: ReviewStatus,
    stuck: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    assert review(*approved, needed=needed, status=status).is_stuck is stuck


def test_only_yes_and_what_comes_of_it_is_granted() -> None:
    granted = {status for status in ReviewStatus if status.is_granted}

    assert granted == {ReviewStatus.APPROVED, ReviewStatus.PROCESSING, ReviewStatus.EXECUTED}


def test_digest_tells_commands_apart_even_when_they_are_no_sound_text() -> None:
    session = GatewaySession("s", "sub", "", "", "pg1", input="drop")
    other = replace(session, input="drop\ud800")

    assert session.input_digest != other.input_digest
    assert len(session.input_digest) == 64


def test_retried_look_is_the_same_look_with_its_attempt_counted() -> None:
    event = ReviewEvent("ref", "poll", NOW, "c-1", ReviewEventKind.LEAVER, 2)

    assert event.retried() == replace(event, attempt=3)
