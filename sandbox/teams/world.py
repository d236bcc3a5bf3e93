"""The team that exists when the sandbox starts, under ids that never change."""

from sandbox import cast
from sandbox.teams.records import Channel, Person

BOT_NAME = "Tether"
TEAM_NAME = "Platform"


# The same ids as in sandbox/approval-routes.yaml, where an operator has to write them down.
TEAM_ID = "19:a11a000000000000000000000000000f@thread.tacv2"
TEAM_GROUP_ID = cast.object_id(0x401)
APPROVALS_CHANNEL = "19:a11a0000000000000000000000000001@thread.tacv2"
SECURITY_CHANNEL = "19:a11a0000000000000000000000000002@thread.tacv2"
ON_CALL_CHANNEL = "19:a11a0000000000000000000000000003@thread.tacv2"
CHANNELS = {APPROVALS_CHANNEL: "approvals", SECURITY_CHANNEL: "security", ON_CALL_CHANNEL: "on-call"}


def channels() -> dict[str, Channel]:
    """The team's channels, with the app in each."""
    return {channel_id: Channel(channel_id, name) for channel_id, name in CHANNELS.items()}


def people() -> dict[str, Person]:
    """Everybody of the cast, as a member of the team with the app installed."""
    return {person.id: Person(person.id, person.name, person.email) for person in cast.PEOPLE}
