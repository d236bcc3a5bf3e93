"""Receive an activity: what Teams says to the bot, once it is known to be Teams."""

import asyncio
from typing import Any

from shared.domain.activities import Activity, ActivityKind, ConversationKind
from shared.domain.card_copy import Conversation
from shared.domain.card_token import thread_of
from shared.errors import AlreadyDecidedError, RetryLaterError
from shared.handlers.answer_card import answer_card
from shared.handlers.review_turn import needed
from shared.handlers.show_card import ANY_PLACE
from shared.ports import ApprovalRules, Ports

CARD_ACTION = "adaptiveCard/action"
LEARN_SECONDS = 0.5


async def receive_activity(activity: Activity, ports: Ports, asking: ApprovalRules) -> dict[str, Any] | None:
    """The answer to a card action; `None` for everything else, which Teams only wants to hear was received."""
    await _learn(activity, ports)
    if activity.kind is ActivityKind.INVOKE and activity.name == CARD_ACTION:
        return await answer_card(activity, ports, asking)
    return None


async def _learn(activity: Activity, ports: Ports) -> None:
    """Where Teams can be spoken to from now on; what cannot be stored now is learnt from the next activity.

    Whoever has clicked does not wait for it.
    """
    try:
        async with asyncio.timeout(LEARN_SECONDS):
            await _keep_place(activity, ports)
    except TimeoutError:
        ports.alerts.raise_alert("conversation-not-learnt", because="storage-slow")
    except (RetryLaterError, AlreadyDecidedError) as error:
        ports.alerts.raise_alert("conversation-not-learnt", because=error.reason)


async def _keep_place(activity: Activity, ports: Ports) -> None:
    conversations, place = needed(ports).conversations, _place(activity)
    conversation = Conversation(thread_of(activity.conversation_id), activity.service_url)
    if activity.installed is False and place is not None:
        await conversations.forget(place)
        ports.alerts.raise_alert("app-removed", place=place)
        return
    for known in filter(None, (place, ANY_PLACE)):
        if await conversations.read(known) != conversation:
            await conversations.save(known, conversation)


def _place(activity: Activity) -> str | None:
    """The channel, or the person whose own chat it is."""
    if activity.conversation_kind is ConversationKind.PERSONAL:
        return activity.person.object_id
    return activity.channel_id if activity.conversation_kind is ConversationKind.CHANNEL else None
