"""Teams, spoken to through the Bot Connector."""

from typing import Protocol

from shared.domain.card_copy import Conversation, Face, Posted


class Teams(Protocol):
    """The Bot Connector. Limits per thread are kept; a wait longer than a few seconds is a `RetryLaterError`."""

    async def open_chat(self, person_id: str, service_url: str) -> Conversation:
        """The chat with a person, by object id. Raises `RejectedError` (`conversation-gone`) when there can be none."""

    async def start_thread(self, channel: Conversation, face: Face) -> Posted:
        """A new thread in a channel.

        Raises:
            RejectedError: `conversation-gone`; `message-refused`, when Teams will never take it.
            UnknownOutcomeError: no answer came; the message may be there.
            RetryLaterError: Teams refused it for now, and the message is not there.
        """

    async def post(self, conversation: Conversation, face: Face) -> Posted:
        """A message in a chat or thread; errors as for `start_thread`."""

    async def update(self, posted: Posted, service_url: str, face: Face) -> None:
        """The message shows this face now; repeating it changes nothing more. Errors as for `start_thread`."""
