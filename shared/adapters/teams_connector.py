"""Teams through the Bot Connector, with plain HTTP: threads, messages, updates and chats with people.

A message has no key by which Teams could recognise a repetition: what may have arrived is never sent again here.
https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from shared.adapters.json_api import retry_after
from shared.adapters.thread_limits import ThreadLimits
from shared.adapters.unanswered import may_have_arrived
from shared.domain.activities import Bot
from shared.domain.card_copy import Conversation, Face, Posted
from shared.domain.card_token import thread_of
from shared.errors import RejectedError, RetryLaterError, UnknownOutcomeError

LONGEST_WAIT = 3.0
ALL_CALLS = ((50, 1),)
GONE = ("BotNotInConversationRoster", "MessageWritesBlocked", "ConversationNotFound")
# Teams may have done what a client error like these is about: it gave up on the answer, or on a server of its own.
UNCLEAR = (408, 412)
_EVERYWHERE = "*"
_JSON = {"Content-Type": "application/json"}


class TeamsConnector:
    """Speaks as one bot, to the hosts that the bot trusts, within the limits of Teams."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        headers: Callable[[], Awaitable[Mapping[str, str]]],
        bot: Bot,
        limits: ThreadLimits | None = None,
    ) -> None:
        self._client = client
        self._headers = headers
        self._bot = bot
        self._limits = limits or ThreadLimits()
        self._calls = ThreadLimits(ALL_CALLS)

    async def open_chat(self, person_id: str, service_url: str) -> Conversation:
        """See `Teams.open_chat`. The chat with a person is always the same: asking again makes no second one."""
        body = {
            "isGroup": False,
            "tenantId": self._bot.tenant_id,
            "channelData": {"tenant": {"id": self._bot.tenant_id}},
            "bot": {"id": self._bot.teams_id},
            "members": [{"id": person_id}],
        }
        response = await self._repeatable("POST", self._url(service_url), person_id, json.dumps(body))
        if response.status_code >= 400:
            raise RejectedError("conversation-gone", _words(response))
        found = _text(_document(response), "id")
        if not found:
            raise RetryLaterError("teams-answered-nonsense", "a chat without an id")
        return Conversation(found, service_url)

    async def start_thread(self, channel: Conversation, face: Face) -> Posted:
        """See `Teams.start_thread`."""
        channel_id = thread_of(channel.conversation_id)
        body = {
            "isGroup": True,
            "tenantId": self._bot.tenant_id,
            "channelData": {"channel": {"id": channel_id}, "tenant": {"id": self._bot.tenant_id}},
            "bot": {"id": self._bot.teams_id},
            "activity": json.loads(face.activity),
        }
        document = await self._once(self._url(channel.service_url), channel_id, json.dumps(body))
        conversation_id = _text(document, "id")
        activity_id = _text(document, "activityId")
        if not conversation_id or not activity_id:
            raise UnknownOutcomeError("teams-answered-nonsense", "a thread without an id")
        return Posted(conversation_id, activity_id)

    async def post(self, conversation: Conversation, face: Face) -> Posted:
        """See `Teams.post`."""
        conversation_id = conversation.conversation_id
        url = self._url(conversation.service_url, conversation_id, "activities")
        document = await self._once(url, thread_of(conversation_id), face.activity)
        activity_id = _text(document, "id")
        if not activity_id:
            raise UnknownOutcomeError("teams-answered-nonsense", "a message without an id")
        return Posted(conversation_id, activity_id)

    async def update(self, posted: Posted, service_url: str, face: Face) -> None:
        """See `Teams.update`."""
        url = self._url(service_url, posted.conversation_id, "activities", posted.activity_id)
        response = await self._repeatable("PUT", url, thread_of(posted.conversation_id), face.activity)
        if response.status_code == 403 and _code(response) not in GONE:
            # Teams says so now and then of messages that it updates a moment later.
            raise RetryLaterError("teams-403", _words(response))
        if response.status_code >= 400:
            raise _refused(response)

    def _url(self, service_url: str, *path: str) -> str:
        if not self._bot.trusts(service_url):
            raise RejectedError("service-url-not-allowed", "Tether's token is for the Bot Connector only")
        parts = ("v3", "conversations", *(quote(part, safe="") for part in path))
        return "/".join((service_url.rstrip("/"), *parts))

    async def _once(self, url: str, place: str, body: str) -> Mapping[str, Any]:
        """The answer to a message that is there; what nobody knows about is an `UnknownOutcomeError`."""
        await self._turn(self._limits, place)
        response = await self._send("POST", url, place, body, UnknownOutcomeError)
        if response.status_code >= 500 or response.status_code in UNCLEAR:
            raise UnknownOutcomeError(f"teams-{response.status_code}", _words(response))
        if response.status_code >= 400:
            raise _refused(response)
        return _document(response)

    async def _repeatable(self, method: str, url: str, place: str, body: str) -> httpx.Response:
        """The answer to what may be asked again: there is none above 499."""
        response = await self._send(method, url, place, body, RetryLaterError)
        if response.status_code >= 500 or response.status_code in UNCLEAR:
            raise RetryLaterError(f"teams-{response.status_code}", _words(response), retry_after=retry_after(response))
        return response

    async def _send(
        self, method: str, url: str, place: str, body: str, unclear: type[RetryLaterError]
    ) -> httpx.Response:
        await self._turn(self._calls, _EVERYWHERE)
        headers = {**await self._headers(), **_JSON}
        try:
            response = await self._client.request(method, url, content=body.encode(), headers=headers)
        except httpx.HTTPError as error:
            failure = unclear if may_have_arrived(error) else RetryLaterError
            raise failure("teams-unreachable", type(error).__name__) from error
        if response.status_code == 429:
            wait = retry_after(response)
            self._limits.shut(place, wait)
            raise RetryLaterError("teams-429", "too much is said at once", retry_after=wait)
        if response.status_code == 401 or 300 <= response.status_code < 400:
            raise RetryLaterError(f"teams-{response.status_code}", "check the bot's app registration and service URL")
        return response

    async def _turn(self, limits: ThreadLimits, place: str) -> None:
        taken, wait = limits.take(place, LONGEST_WAIT)
        if not taken:
            raise RetryLaterError("teams-busy", "the limit of messages is reached", retry_after=wait)
        if wait > 0:
            await asyncio.sleep(wait)


def _refused(response: httpx.Response) -> RejectedError:
    gone = _code(response) in GONE
    return RejectedError("conversation-gone" if gone else "message-refused", _words(response))


def _code(response: httpx.Response) -> str:
    error = _document(response).get("error")
    return _text(error, "code") if isinstance(error, dict) else ""


def _words(response: httpx.Response) -> str:
    return f"{response.status_code} {_code(response)}".rstrip()


def _document(response: httpx.Response) -> Mapping[str, Any]:
    """The answer as an object, empty when it is none."""
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""
