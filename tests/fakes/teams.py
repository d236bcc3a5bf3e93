"""Teams in memory: threads and chats, what each message shows, and answers that get lost."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from shared.domain.card_copy import Conversation, Face, Posted
from shared.domain.card_token import thread_of
from shared.errors import RejectedError, UnknownOutcomeError
from tests.fakes.faults import Faults

SERVICE_URL = "https://smba.trafficmanager.net/teams/"


@dataclass
class Message:
    """One message; `faces` are its versions, the last one is what it shows."""

    conversation_id: str
    activity_id: str
    faces: list[str]

    @property
    def shows(self) -> str:
        return self.faces[-1]


@dataclass
class FakeTeams:
    """Messages in order of arrival.

    `faults` plans failures before a call does anything; `unheard` writes arrive without an answer; `gone` are channels,
    chats and people that cannot be spoken to; `too_long` is what Teams takes at most; `before_answer` happens once,
    when a write has arrived and its answer has not.
    """

    messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    faults: Faults = field(default_factory=Faults)
    counts: Counter[str] = field(default_factory=Counter)
    unheard: int = 0
    latency: float = 0.0
    too_long: int = 40_000
    before_answer: Callable[[], Awaitable[object]] | None = None

    # --- what can be seen in Teams ----------------------------------------------------------------------------------

    def in_place(self, place: str) -> list[Message]:
        """Everything in a channel or chat, whatever its thread."""
        return [message for message in self.messages.values() if thread_of(message.conversation_id) == place]

    def chat_with(self, person_id: str) -> str:
        return f"a:{person_id}"

    # --- the port ---------------------------------------------------------------------------------------------------

    async def open_chat(self, person_id: str, service_url: str) -> Conversation:
        await self._think("open_chat")
        if person_id in self.gone:
            raise RejectedError("conversation-gone", person_id)
        self.counts["open_chat"] += 1
        return Conversation(self.chat_with(person_id), service_url)

    async def start_thread(self, channel: Conversation, face: Face) -> Posted:
        await self._think("start_thread")
        self._admit(channel.conversation_id, face)
        activity_id = self._next_id()
        conversation_id = f"{thread_of(channel.conversation_id)};messageid={activity_id}"
        return await self._arrived("start_thread", conversation_id, activity_id, face)

    async def post(self, conversation: Conversation, face: Face) -> Posted:
        await self._think("post")
        self._admit(conversation.conversation_id, face)
        return await self._arrived("post", conversation.conversation_id, self._next_id(), face)

    async def update(self, posted: Posted, service_url: str, face: Face) -> None:  # noqa: ARG002 - the port's
        await self._think("update")
        self._admit(posted.conversation_id, face)
        message = self.messages.get((thread_of(posted.conversation_id), posted.activity_id))
        if message is None:
            raise RejectedError("message-refused", "there is no such message")
        self.counts["update"] += 1
        message.faces.append(face.activity)

    async def _think(self, method: str) -> None:
        await self.faults.meet(method)
        if self.latency:
            await asyncio.sleep(self.latency)

    def _admit(self, conversation_id: str, face: Face) -> None:
        if thread_of(conversation_id) in self.gone:
            raise RejectedError("conversation-gone", conversation_id)
        if len(face.activity) > self.too_long:
            raise RejectedError("message-refused", "413 MessageSizeTooBig")

    async def _arrived(self, how: str, conversation_id: str, activity_id: str, face: Face) -> Posted:
        self.counts[how] += 1
        self.messages[thread_of(conversation_id), activity_id] = Message(conversation_id, activity_id, [face.activity])
        if (meanwhile := self.before_answer) is not None:
            self.before_answer = None
            await meanwhile()
        if self.unheard > 0:
            self.unheard -= 1
            raise UnknownOutcomeError("teams-unreachable")
        return Posted(conversation_id, activity_id)

    def _next_id(self) -> str:
        return str(1_700_000_000_000 + len(self.messages))
