"""Activities: what is posted to Teams: a card with its summary, or a text with its mentions, never both."""

from collections.abc import Sequence

from shared.domain.approval import Approval, Person
from shared.domain.card_copy import Face
from shared.wire.cards.elements import Card
from shared.wire.cards.fit import encode
from shared.wire.cards.text import for_message
from shared.wire.cards.words import ended, moment, wanted

MOST_MENTIONS = 5
_LONGEST_SUMMARY = 200
_LONGEST_TEXT = 1_000
_NAME = 64


def activity(card: Card, summary: str) -> Face:
    """A message that is the card; `summary` is what a notification says of it."""
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return _face({"type": "message", "summary": for_message(summary, _LONGEST_SUMMARY), "attachments": [attachment]})


def text_face(text: str, mentions: Sequence[Person] = ()) -> Face:
    """A message that is a text, followed by at most five mentions. Nothing in the text can be markup or a mention."""
    names = [(person, f"<at>{for_message(person.name, _NAME)}</at>") for person in mentions[:MOST_MENTIONS]]
    entities = [
        {"type": "mention", "text": name, "mentioned": {"id": person.principal_id, "name": name[4:-5]}}
        for person, name in names
    ]
    words = " ".join((for_message(text, _LONGEST_TEXT), *(name for _, name in names)))
    return _face({"type": "message", "text": words} | ({"entities": entities} if entities else {}))


def headline(approval: Approval) -> str:
    """What a notification says of a request."""
    requester, connection = (for_message(text, _NAME) for text in (approval.requester.name, approval.connection))
    if approval.is_open:
        return f"Access request: {requester} asks for {connection}, {wanted(approval.type, approval.duration)}"
    return f"Access request {ended(approval.state)}: {requester}, {connection}"


def reminder(approval: Approval, mentions: Sequence[Person], number: int) -> Face:
    """The reply in a card's thread that asks again; after the end, the same reply without mentions."""
    connection = for_message(approval.connection, _NAME)
    if not approval.is_open:
        return text_face(f"No longer waiting: the request for {connection} is {ended(approval.state)}.")
    text = f"Reminder {number}: the request for {connection} above waits until {moment(approval.expires_at)}."
    return text_face(text, mentions)


def _face(content: dict[str, object]) -> Face:
    return Face(encode(content))
