"""What Teams tells the bot: activities in our words, and the bot that they have to be meant for."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_LONGEST_URL = 2048
# No user info, query, fragment, backslash, blank or encoded character: two readers can never disagree about the host.
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~-]+)*/?")


class ActivityKind(StrEnum):
    """The activities that mean something to Tether; everything else is `OTHER`."""

    INVOKE = "invoke"
    MESSAGE = "message"
    CONVERSATION_UPDATE = "conversation-update"
    INSTALLATION_UPDATE = "installation-update"
    OTHER = "other"


class ConversationKind(StrEnum):
    """Where it was said."""

    CHANNEL = "channel"
    PERSONAL = "personal"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Bot:
    """Who we are to Teams, the tenant we serve, and the hosts on which the Bot Connector may live."""

    app_id: str
    tenant_id: str
    service_hosts: frozenset[str]

    @property
    def teams_id(self) -> str:
        """The bot's id in conversations."""
        return f"28:{self.app_id}"

    def trusts(self, service_url: str) -> bool:
        """Whether our token may be sent there: HTTPS on a listed host; plain HTTP and odd ports on listed loopback."""
        if len(service_url) > _LONGEST_URL or ".." in service_url or not _PLAIN_URL.fullmatch(service_url):
            return False
        try:
            parts = urlsplit(service_url)
            host, port = parts.hostname, parts.port
        except ValueError:
            return False
        local = host in LOOPBACK
        return host in self.service_hosts and (local or (parts.scheme == "https" and port in (None, 443)))


@dataclass(frozen=True, slots=True)
class Person:
    """Who sent it: `object_id` is Entra's, `teams_id` is known to this bot only, `name` is for people's eyes."""

    object_id: str | None
    teams_id: str
    name: str


@dataclass(frozen=True, slots=True)
class CardAction:
    """A click on a card (or the card's own refresh, `automatic`), with what the person typed as `reason`.

    `until` is the day that they chose, as the client wrote it; empty where they chose none.
    `sso_token` and `sign_in_state` come only after Tether has asked the person to sign in.
    """

    verb: str
    token: str = field(repr=False)
    reason: str
    automatic: bool
    sso_token: str | None = field(default=None, repr=False)
    sign_in_state: str | None = field(default=None, repr=False)
    until: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """One authentic activity of our tenant, meant for our bot.

    `person.object_id` is never `None` on an invoke. `action` is `None` on an invoke that is no sound card action.
    `installed` says that the app was added here (`True`) or removed (`False`). Texts that are missing are empty.
    """

    kind: ActivityKind
    name: str
    activity_id: str
    service_url: str
    conversation_id: str
    conversation_kind: ConversationKind | None
    channel_id: str | None
    team_id: str | None
    tenant_id: str
    person: Person
    reply_to: str | None
    action: CardAction | None = None
    installed: bool | None = None
