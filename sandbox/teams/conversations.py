"""Which channel or chat a request to create a conversation means."""

from sandbox.teams.errors import ConnectorError, bad_syntax, no_conversation
from sandbox.teams.ids import BOT_ID
from sandbox.teams.records import Json
from sandbox.teams.state import TeamsState
from sandbox.tenant import TENANT_ID


def place_for(state: TeamsState, body: Json, first: Json | None) -> str:
    """The channel to start a thread in, or the chat with the person named; refused as the connector would."""
    channel_data = _mapping(body, "channelData")
    if _mapping(body, "bot").get("id", BOT_ID) != BOT_ID:
        raise bad_syntax("The bot is somebody else.")
    if body.get("tenantId") not in {None, TENANT_ID} or _tenant(channel_data) not in {None, TENANT_ID}:
        raise bad_syntax("Incorrect tenant.")
    channel = _mapping(channel_data, "channel").get("id")
    place = _channel(state, channel, first) if channel is not None else _chat(state, body, channel_data)
    state.admit(place)
    return place


def _channel(state: TeamsState, channel: object, first: Json | None) -> str:
    if channel not in state.channels:
        raise no_conversation()
    if first is None:
        raise bad_syntax("A thread of a channel starts with an activity.")
    return str(channel)


def _chat(state: TeamsState, body: Json, channel_data: Json) -> str:
    members = body.get("members")
    if body.get("isGroup") or not isinstance(members, list) or len(members) != 1 or not isinstance(members[0], dict):
        raise bad_syntax("Incorrect conversation creation parameters.")
    if body.get("tenantId") is None and _tenant(channel_data) is None:
        raise bad_syntax("The tenant is missing.")
    identifier = str(members[0].get("id", ""))
    person = state.person(identifier)
    if person is not None:
        return person.chat
    if identifier.startswith("29:"):
        raise ConnectorError(400, "BadArgument", "Failed to decrypt pairwise id.")
    if "@" in identifier:
        raise ConnectorError(400, "BadArgument", "A person is named by id, not by address.")
    raise no_conversation()


def _tenant(channel_data: Json) -> object:
    return _mapping(channel_data, "tenant").get("id")


def _mapping(body: Json, key: str) -> Json:
    value = body.get(key)
    if value is not None and not isinstance(value, dict):
        raise bad_syntax(f"'{key}' is not an object.")
    return value or {}
