"""Ids in the shapes that Teams gives them."""

import hashlib
from base64 import urlsafe_b64encode

from sandbox.tenant import BOT_APP_ID

BOT_ID = f"28:{BOT_APP_ID}"


def mri(object_id: str) -> str:
    """The id under which this bot, and no other, knows a person."""
    return f"29:1{_digest('person', object_id)}"


def chat_id(object_id: str) -> str:
    """The personal chat of a person with this bot."""
    return f"a:1{_digest('chat', object_id)}"


def thread_id(channel: str, root: str) -> str:
    """The conversation that a message started in a channel."""
    return f"{channel};messageid={root}"


def split_conversation(conversation: str) -> tuple[str, str | None]:
    """The channel or chat of a conversation id, and the message that started the thread when it names one."""
    place, _, root = conversation.partition(";messageid=")
    return place, root or None


def _digest(kind: str, object_id: str) -> str:
    return urlsafe_b64encode(hashlib.sha512(f"{BOT_APP_ID}/{kind}/{object_id}".encode()).digest()).decode().rstrip("=")
