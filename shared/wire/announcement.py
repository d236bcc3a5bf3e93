"""Announcement: what Teams is told of a report, kept beside it as JSON until that is done; never for readers."""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from shared.domain.card_copy import Face
from shared.domain.posture.attestation import Question
from shared.errors import RejectedError
from shared.wire.whole_json import dump_whole


@dataclass(frozen=True, slots=True)
class Announcement:
    """The digest as it is posted, with its tokens; whom to ask about what; and the attestations that have ended.

    `settled` are ids of attestations whose findings are gone.
    """

    digest: Face
    questions: tuple[Question, ...] = ()
    settled: tuple[str, ...] = ()


_ANNOUNCEMENT = TypeAdapter(Announcement)


def encode_announcement(announcement: Announcement) -> bytes:
    """The announcement as a file."""
    return dump_whole(_ANNOUNCEMENT, announcement)


def parse_announcement(content: bytes) -> Announcement:
    """The announcement in a file. Raises `RejectedError`: `malformed-announcement`."""
    try:
        return _ANNOUNCEMENT.validate_json(content)
    except ValidationError as error:
        raise RejectedError("malformed-announcement", f"{error.error_count()} fields are wrong") from error
