"""What the connector takes for an activity: its size, its kind and what is attached."""

import json

from sandbox.teams.errors import ConnectorError, bad_syntax
from sandbox.teams.records import ADAPTIVE_CARD, Json

LARGEST_BYTES = 100 * 1024
CARDS = frozenset(
    {
        ADAPTIVE_CARD,
        "application/vnd.microsoft.card.hero",
        "application/vnd.microsoft.card.thumbnail",
        "application/vnd.microsoft.card.signin",
        "application/vnd.microsoft.card.oauth",
        "application/vnd.microsoft.card.list",
        "application/vnd.microsoft.teams.card.o365connector",
    }
)


def accept_message(activity: object) -> Json:
    """The activity when Teams would post it; refused with the connector's code otherwise."""
    if not isinstance(activity, dict):
        raise bad_syntax("The activity is not an object.")
    if utf16_bytes(activity) > LARGEST_BYTES:
        raise ConnectorError(413, "MessageSizeTooBig", "Message size too large.")
    if activity.get("type") != "message":
        raise bad_syntax(f"Activities of type '{activity.get('type')}' cannot be posted.")
    attachments = activity.get("attachments") or []
    if not isinstance(attachments, list):
        raise bad_syntax("The attachments are not a list.")
    for attachment in attachments:
        _accept_attachment(attachment)
    if not attachments and not activity.get("text"):
        raise bad_syntax("The message has neither text nor attachments.")
    return activity


def utf16_bytes(activity: Json) -> int:
    """The size that Teams compares with its limit."""
    return len(json.dumps(activity, ensure_ascii=False, separators=(",", ":")).encode("utf-16-le", "surrogatepass"))


def _accept_attachment(attachment: object) -> None:
    content_type = attachment.get("contentType") if isinstance(attachment, dict) else None
    if not isinstance(attachment, dict) or not isinstance(content_type, str):
        raise bad_syntax("An attachment has no contentType.")
    if content_type not in CARDS and not content_type.startswith("image/"):
        raise ConnectorError(400, "BadArgument", f"Unknown attachment type '{content_type}'.")
    content = attachment.get("content")
    if content_type == ADAPTIVE_CARD and not (isinstance(content, dict) and content.get("type") == "AdaptiveCard"):
        raise ConnectorError(400, "BadArgument", "The content of an Adaptive Card is not one.")
