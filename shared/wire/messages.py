"""Queue messages: JSON bodies of looks at principals and of directory events."""

from pydantic import TypeAdapter, ValidationError

from shared.domain.principals import PrincipalChange
from shared.domain.subscriptions import DirectoryEvent
from shared.errors import RejectedError

_CHANGE = TypeAdapter(PrincipalChange)
_EVENT = TypeAdapter(DirectoryEvent)


def encode_change(change: PrincipalChange) -> bytes:
    """The message body of a look at a principal."""
    return _CHANGE.dump_json(change)


def parse_change(body: bytes) -> PrincipalChange:
    """The look that a message asks for.

    Raises:
        RejectedError: `malformed-message`.
    """
    try:
        change = _CHANGE.validate_json(body)
    except ValidationError as error:
        raise RejectedError("malformed-message", f"{error.error_count()} fields are wrong") from error
    if change.received_at.tzinfo is None:
        raise RejectedError("malformed-message", "received_at has no offset")
    return change


def encode_event(event: DirectoryEvent) -> bytes:
    """The message body of a directory event."""
    return _EVENT.dump_json(event)


def parse_event(body: bytes) -> DirectoryEvent:
    """The directory event that a message holds.

    Raises:
        RejectedError: `malformed-message`.
    """
    try:
        return _EVENT.validate_json(body)
    except ValidationError as error:
        raise RejectedError("malformed-message", f"{error.error_count()} fields are wrong") from error
