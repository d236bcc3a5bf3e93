"""What those who watch the sandbox see: the whole world, or a conversation through one person's eyes."""

from sandbox.teams.ids import BOT_ID
from sandbox.teams.messages import messages_in
from sandbox.teams.records import Json, Message, Person, card_of
from sandbox.teams.state import TeamsState
from sandbox.teams.world import BOT_NAME, TEAM_ID, TEAM_NAME
from sandbox.tenant import TENANT_ID


def snapshot(state: TeamsState) -> Json:
    """Everything: teams, people, conversations with every version and every person's view, and how deliveries go."""
    members = [person.id for person in state.people.values() if person.member]
    channels = [
        {"id": channel.id, "name": channel.name, "installed": channel.installed} for channel in state.channels.values()
    ]
    team = {"id": TEAM_ID, "name": TEAM_NAME, "installed": state.team_installed, "channels": channels}
    return {
        "tenant": TENANT_ID,
        "bot": {"id": BOT_ID, "name": BOT_NAME},
        "endpoint": state.endpoint,
        "service_url": state.service_url,
        "teams": [{**team, "members": members}],
        "channels": channels,
        "people": [person_json(person) for person in state.people.values()],
        "conversations": [_conversation_json(state, place) for place in state.messages if state.messages[place]],
        "deliveries": {"stopped": state.silent, "failures": state.failures},
        "last": state.events.last,
    }


def person_json(person: Person) -> Json:
    """A person, with the ids the bot sees."""
    about = {"id": person.id, "mri": person.mri, "name": person.name, "email": person.email, "chat": person.chat}
    return {**about, "member": person.member, "installed": person.installed}


def seen_by(state: TeamsState, conversation: str, person: Person) -> list[Json]:
    """The messages of a conversation as one person sees them, oldest first."""
    return [_seen(message, person) for message in messages_in(state, conversation) if not message.deleted]


def _seen(message: Message, person: Person) -> Json:
    return {
        **_about(message),
        "text": message.activity.get("text", ""),
        "summary": message.activity.get("summary", ""),
        "entities": message.activity.get("entities") or [],
        "card": message.card_for(person.id),
        "own_view": person.id in message.views,
        "edited": len(message.versions) > 1,
        "toasts": message.toasts.get(person.id, []),
    }


def _about(message: Message) -> Json:
    reply_to = message.root if message.root != message.id else None
    about = {"id": message.id, "conversation": message.conversation, "root": message.root, "reply_to": reply_to}
    return {**about, "from": message.author, "at": message.posted_at}


def _conversation_json(state: TeamsState, place: str) -> Json:
    channel = state.channels.get(place)
    kind = {"kind": "channel", "name": channel.name} if channel else {"kind": "personal", "name": _name(state, place)}
    return {"id": place, **kind, "messages": [_whole(message) for message in state.messages[place].values()]}


def _name(state: TeamsState, place: str) -> str:
    return next(person.name for person in state.roster(place))


def _whole(message: Message) -> Json:
    versions = [
        {"text": version.get("text", ""), "summary": version.get("summary", ""), "card": card_of(version)}
        for version in message.versions
    ]
    seen = {"views": message.views, "toasts": message.toasts, "deleted": message.deleted}
    return {**_about(message), "versions": versions, **seen}
