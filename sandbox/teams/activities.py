"""Activities as Teams sends them to a bot."""

from uuid import uuid4

from sandbox.teams.events import timestamp
from sandbox.teams.ids import BOT_ID, split_conversation
from sandbox.teams.records import Json, Message, Person
from sandbox.teams.state import TeamsState
from sandbox.teams.world import BOT_NAME, TEAM_GROUP_ID, TEAM_ID, TEAM_NAME
from sandbox.tenant import TENANT_ID


def envelope(state: TeamsState, kind: str, person: Person, conversation: str) -> Json:
    """What every activity carries: who, where, to whom, and where to answer."""
    place, _ = split_conversation(conversation)
    now = timestamp()
    return {
        "type": kind,
        "id": f"f:{uuid4()}",
        "timestamp": now,
        "localTimestamp": now,
        "channelId": "msteams",
        "serviceUrl": state.service_url,
        "from": {"id": person.mri, "name": person.name, "aadObjectId": person.id},
        "conversation": _conversation(state, place, conversation),
        "recipient": {"id": BOT_ID, "name": BOT_NAME},
        "channelData": _channel_data(state, place),
        "entities": [{"type": "clientInfo", "locale": "en-US", "country": "US", "platform": "Web"}],
        "locale": "en-US",
    }


def card_action(state: TeamsState, person: Person, message: Message, action: Json, trigger: str) -> Json:
    """The invoke of an `Action.Execute` on a message's card."""
    value = {"action": action, "trigger": trigger}
    about = {"name": "adaptiveCard/action", "replyToId": message.id, "value": value}
    return {**envelope(state, "invoke", person, message.conversation), **about}


def said(state: TeamsState, person: Person, message: Message) -> Json:
    """A person's message to the bot."""
    about = {"id": message.id, "textFormat": "plain"}
    return {**envelope(state, "message", person, message.conversation), **about, **message.activity}


def installation(state: TeamsState, person: Person, conversation: str, action: str) -> Json:
    """The app was added, removed or upgraded."""
    return {**envelope(state, "installationUpdate", person, conversation), "action": action}


def bot_membership(state: TeamsState, person: Person, conversation: str, change: str) -> Json:
    """The bot joined (`membersAdded`) or left (`membersRemoved`)."""
    return {**envelope(state, "conversationUpdate", person, conversation), change: [{"id": BOT_ID}]}


def merged(base: Json, overrides: Json) -> Json:
    """The base with overrides laid over it at any depth; null takes a key away."""
    result = dict(base)
    for key, value in overrides.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def _conversation(state: TeamsState, place: str, conversation: str) -> Json:
    shared = {"tenantId": TENANT_ID, "id": conversation}
    if place in state.channels or place == TEAM_ID:
        return {"isGroup": True, "conversationType": "channel", **shared}
    return {"conversationType": "personal", **shared}


def _channel_data(state: TeamsState, place: str) -> Json:
    tenant = {"tenant": {"id": TENANT_ID}}
    if place not in state.channels and place != TEAM_ID:
        return tenant
    team = {"id": TEAM_ID, "name": TEAM_NAME, "aadGroupId": TEAM_GROUP_ID}
    return {"teamsChannelId": place, "teamsTeamId": TEAM_ID, "channel": {"id": place}, "team": team, **tenant}
