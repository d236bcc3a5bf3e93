"""Queue messages: JSON bodies of looks at principals and reviews, of directory events, of cards and of posture jobs."""

from datetime import datetime
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from shared.domain.card_copy import CardUpdate
from shared.domain.posture.jobs import PostureJob
from shared.domain.principals import PrincipalChange
from shared.domain.reviews import ReviewEvent
from shared.domain.subscriptions import DirectoryEvent
from shared.errors import RejectedError

_CHANGE = TypeAdapter(PrincipalChange)
_EVENT = TypeAdapter(DirectoryEvent)
_REVIEW_EVENT = TypeAdapter(ReviewEvent)
_CARD_UPDATE = TypeAdapter(CardUpdate)
_POSTURE_JOB = TypeAdapter(PostureJob)
_Message = TypeVar("_Message")


def encode_change(change: PrincipalChange) -> bytes:
    """The message body of a look at a principal."""
    return _CHANGE.dump_json(change)


def parse_change(body: bytes) -> PrincipalChange:
    """The look that a message asks for.

    Raises:
        RejectedError: `malformed-message`.
    """
    change = _parse(_CHANGE, body)
    _require_offset(change.received_at)
    return change


def encode_event(event: DirectoryEvent) -> bytes:
    """The message body of a directory event."""
    return _EVENT.dump_json(event)


def parse_event(body: bytes) -> DirectoryEvent:
    """The directory event that a message holds.

    Raises:
        RejectedError: `malformed-message`.
    """
    return _parse(_EVENT, body)


def encode_review_event(event: ReviewEvent) -> bytes:
    """The message body of a look at a review."""
    return _REVIEW_EVENT.dump_json(event)


def parse_review_event(body: bytes) -> ReviewEvent:
    """The look at a review that a message asks for.

    Raises:
        RejectedError: `malformed-message`.
    """
    event = _parse(_REVIEW_EVENT, body)
    _require_offset(event.received_at)
    return event


def encode_card_update(update: CardUpdate) -> bytes:
    """The message body of a copy that has to be shown anew."""
    return _CARD_UPDATE.dump_json(update)


def parse_card_update(body: bytes) -> CardUpdate:
    """The copy that a message wants shown anew.

    Raises:
        RejectedError: `malformed-message`.
    """
    update = _parse(_CARD_UPDATE, body)
    _require_offset(update.received_at)
    return update


def encode_posture_job(job: PostureJob) -> bytes:
    """The message body of a posture job."""
    return _POSTURE_JOB.dump_json(job)


def parse_posture_job(body: bytes) -> PostureJob:
    """The job that a message asks for.

    Raises:
        RejectedError: `malformed-message`.
    """
    job = _parse(_POSTURE_JOB, body)
    _require_offset(job.asked_at)
    return job


def _parse(message: TypeAdapter[_Message], body: bytes) -> _Message:
    try:
        return message.validate_json(body)
    except ValidationError as error:
        raise RejectedError("malformed-message", f"{error.error_count()} fields are wrong") from error


def _require_offset(moment: datetime) -> None:
    if moment.tzinfo is None:
        raise RejectedError("malformed-message", "a moment has no offset")
