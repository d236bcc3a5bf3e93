"""Posting, updating and deleting messages, as everybody sees them."""

from sandbox.teams.errors import ConnectorError
from sandbox.teams.events import timestamp
from sandbox.teams.ids import BOT_ID, split_conversation
from sandbox.teams.records import Json, Message
from sandbox.teams.state import TeamsState
from sandbox.teams.world import BOT_NAME

BOT: Json = {"id": BOT_ID, "name": BOT_NAME}


def post(state: TeamsState, conversation: str, activity: Json, author: Json = BOT) -> Message:
    """A new message; in a channel without a thread it starts one."""
    place, root = split_conversation(conversation)
    message_id = state.next_activity_id()
    if root is None and place in state.channels:
        root = message_id
    message = Message(message_id, place, root, author, timestamp(), [activity])
    state.messages[place][message_id] = message
    state.counters["posts"][place] += 1
    state.events.record("posted", message.conversation, message_id, author=author["name"])
    return message


def update(state: TeamsState, message: Message, activity: Json) -> None:
    """A new version for everybody; nobody keeps a view of their own."""
    message.versions.append(activity)
    message.views.clear()
    message.refreshed.clear()
    state.counters["updates"][message.place] += 1
    state.events.record("updated", message.conversation, message.id)


def delete(state: TeamsState, message: Message) -> None:
    """The message is gone for everybody."""
    message.deleted = True
    message.views.clear()
    state.counters["deletes"][message.place] += 1
    state.events.record("deleted", message.conversation, message.id)


def find(state: TeamsState, conversation: str, activity_id: str) -> Message:
    """A message that is still there, in the conversation named; refused otherwise."""
    place, root = split_conversation(conversation)
    message = state.messages[place].get(activity_id)
    if message is None or message.deleted or root not in {None, message.root}:
        raise ConnectorError(404, "ActivityNotFoundInConversation", "The activity was not found in the conversation.")
    return message


def messages_in(state: TeamsState, conversation: str) -> list[Message]:
    """The messages of a channel, of one thread of it, or of a chat, oldest first."""
    place, root = split_conversation(conversation)
    held = state.messages[place].values()
    return [message for message in held if root in {None, message.root}]


def parts(activity: Json) -> list[Json]:
    """What Teams makes of one activity: text and a card become two messages."""
    if activity.get("text") and activity.get("attachments"):
        text = {key: value for key, value in activity.items() if key != "attachments"}
        card = {key: value for key, value in activity.items() if key not in {"text", "entities"}}
        return [text, card]
    return [activity]
