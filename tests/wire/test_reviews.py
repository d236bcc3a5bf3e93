"""The gateway's reviews as they are read: nanoseconds, `null` for empty, and nothing guessed from nonsense."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.gateway import ReviewType
from shared.domain.reviews import Question, ReviewGroup, ReviewStatus
from shared.errors import RetryLaterError
from shared.wire.gateway import parse_one
from shared.wire.reviews import ReviewBody, SessionBody, UserInfoBody, question

REVIEW = {
    "id": "6D1C0000-0000-4000-8000-000000000001",
    "session": "6d1c0000-0000-4000-8000-000000000002",
    "type": "onetime",
    "access_duration": 1_800_000_000_000,
    "status": "PENDING",
    "revoke_at": None,
    "created_at": "2027-01-04T09:00:00Z",
    "time_window": None,
    "access_request_rule_name": None,
    "min_approvals": None,
    "review_groups_data": [
        {"id": "g-1", "group": "sre", "status": "PENDING", "reviewed_by": None},
        {"id": "g-2", "group": "sec", "status": "APPROVED", "reviewed_by": {"name": "Ada", "email": "ada@x"}},
    ],
}
SESSION = {
    "id": "6d1c0000-0000-4000-8000-000000000002",
    "connection": "pg1",
    "user_id": "sub-1",
    "user": "ada@tether.example",
    "user_name": "Ada",
    "type": "database",
    "verb": "exec",
    "script": {"data": "select 1"},
}


def read(review: dict[str, Any] | None = None, session: dict[str, Any] | None = None) -> Question:
    bodies = parse_one(ReviewBody, REVIEW | (review or {})), parse_one(SessionBody, SESSION | (session or {}))
    return question(*bodies, None)


def test_review_is_read_with_its_session() -> None:
    found = read()

    review, session = found.review, found.session
    assert (review.review_id, review.type) == ("6d1c0000-0000-4000-8000-000000000001", ReviewType.ONETIME)
    assert (review.duration, review.created_at) == (timedelta(minutes=30), datetime(2027, 1, 4, 9, tzinfo=UTC))
    assert review.groups == (ReviewGroup("sre"), ReviewGroup("sec", ReviewStatus.APPROVED, "Ada", "ada@x"))
    assert (session.subject, session.name, session.email) == ("sub-1", "Ada", "ada@tether.example")
    assert (session.connection_type, session.verb, session.input) == ("database", "exec", "select 1")


def test_nulls_are_empty() -> None:
    nothing = {"user": None, "user_name": None, "type": None, "verb": None, "script": None}

    found = read({"review_groups_data": None, "rejection_reason": None}, nothing)

    assert found.review.groups == ()
    assert (found.session.name, found.session.email, found.session.input) == ("sub-1", "", "")


def test_name_of_a_key_is_no_address() -> None:
    assert read(session={"user": "deploy-key"}).session.email == ""


def test_status_that_nobody_knows_is_unknown_and_open_to_no_vote() -> None:
    groups = [{"group": "sre", "status": "SNOOZED"}, {"group": "sec", "status": None}]

    review = read({"status": "EXPIRED", "review_groups_data": groups}).review

    assert review.status is ReviewStatus.UNKNOWN
    assert review.open_groups == ()


@pytest.mark.parametrize(
    "nonsense",
    [
        {"id": "r-1"},
        {"id": "../users"},
        {"session": None},
        {"created_at": "2027-01-04T09:00:00"},
        {"created_at": None},
        {"access_duration": -1},
        {"access_duration": 10**30},
        {"status": None},
        {"review_groups_data": [{"status": "PENDING"}]},
    ],
    ids=str,
)
def test_nonsense_is_a_reason_to_ask_again(nonsense: dict[str, Any]) -> None:
    with pytest.raises(RetryLaterError, match="gateway-answered-nonsense"):
        read(nonsense)


@pytest.mark.parametrize(
    ("info", "exactly", "once"),
    [
        ({"groups": ["sre"]}, True, True),
        ({"groups": ["sre", "sre"]}, True, True),
        ({"groups": ["sre", "cooks"]}, False, True),
        ({"groups": ["sre", "sec"]}, False, False),
        ({"groups": None}, False, False),
        ({"groups": ["sre"], "is_admin": True}, False, True),
        ({"groups": ["sre"], "role": "admin"}, False, True),
        ({"groups": ["sre"], "status": "inactive"}, True, False),
    ],
    ids=str,
)
def test_vote_is_one_groups_only_where_the_gateway_would_count_it_once(
    info: dict[str, Any],
    exactly: bool,  # noqa: FBT001 - a parameter of the test
    once: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    body = parse_one(UserInfoBody, info)

    assert body.holds_exactly("sre") is exactly
    assert body.votes_once("sre", {"sre", "sec"}) is once
