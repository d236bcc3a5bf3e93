"""The team that exists when the sandbox starts, under ids that never change."""

import hashlib

from sandbox import cast
from sandbox.teams.records import Channel, Person

BOT_NAME = "Tether"
TEAM_NAME = "Platform"


def _channel_id(name: str) -> str:
    return f"19:{hashlib.sha256(name.encode()).hexdigest()[:32]}@thread.tacv2"


TEAM_ID = _channel_id("Platform")
TEAM_GROUP_ID = cast.object_id(0x401)
APPROVALS_CHANNEL = _channel_id("approvals")
SECURITY_CHANNEL = _channel_id("security")
ON_CALL_CHANNEL = _channel_id("on-call")
CHANNELS = {APPROVALS_CHANNEL: "approvals", SECURITY_CHANNEL: "security", ON_CALL_CHANNEL: "on-call"}


def channels() -> dict[str, Channel]:
    """The team's channels, with the app in each."""
    return {channel_id: Channel(channel_id, name) for channel_id, name in CHANNELS.items()}


def people() -> dict[str, Person]:
    """Everybody of the cast, as a member of the team with the app installed."""
    return {person.id: Person(person.id, person.name, person.email) for person in cast.PEOPLE}
