"""The Teams stand-in: what happened in it, which cards are about which review, and where people find them."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from sandbox.door.entra import RestartedError
from sandbox.door.events import Json, TeamsEvent, parse_teams_event
from sandbox.door.servers import Server
from sandbox.tenant import url
from shared.domain.card_token import parse_card_token
from shared.errors import RejectedError


@dataclass(frozen=True, slots=True)
class Card:
    """A message about a review, in a channel or in the chat with one person."""

    review_id: str
    place: str
    name: str
    is_channel: bool


@dataclass(frozen=True, slots=True)
class TeamsWorld:
    """The cards by activity id, the people by object id, and what Teams told somebody about an activity, in order."""

    cards: Mapping[str, Card] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[tuple[str, str], list[str]] = field(default_factory=dict)


class Teams:
    """Teams through its control API."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.seen = 0
        self.world = TeamsWorld()

    async def new_events(self) -> list[TeamsEvent]:
        """Events since the last call, with the world as it is after them; see `Gateway.new_events` for what it raises.

        A look that fails half-way is repeated whole by the next call.
        """
        log = await self._server.read(f"/sandbox/events?after={self.seen}")
        if log["last"] < self.seen:
            self.seen = 0
            raise RestartedError("Teams was started anew.")
        if log["events"]:
            self.world = world_of(await self._server.read("/sandbox/snapshot"))
        self.seen = log["last"]
        return [parse_teams_event(row) for row in log["events"]]

    def link(self, place: str = "", person_id: str = "") -> str:
        """The page's address: a conversation, through somebody's eyes."""
        asked = {name: value for name, value in (("as", person_id), ("in", place)) if value}
        return f"{self._server.base_url}/#{urlencode(asked)}" if asked else f"{self._server.base_url}/"

    async def close(self) -> None:
        """Let go of the connections."""
        await self._server.close()


def watched_teams() -> Teams | None:
    """The stand-in, or None where the app speaks to a real Teams or to none."""
    is_stand_in = os.environ.get("TEAMS_SERVICE_URL", "").startswith(f"{url('teams')}/")
    return Teams(Server("Teams", url("teams"))) if is_stand_in else None


def world_of(snapshot: Json) -> TeamsWorld:
    """What the stand-in's snapshot says about cards and people."""
    cards: dict[str, Card] = {}
    told: dict[tuple[str, str], list[str]] = {}
    for conversation in snapshot["conversations"]:
        is_channel = conversation["kind"] == "channel"
        for message in conversation["messages"]:
            review_id = next((found for version in message["versions"] for found in _reviews(version["card"])), None)
            if review_id:
                cards[message["id"]] = Card(review_id, conversation["id"], conversation["name"], is_channel)
            told |= {
                (message["id"], person): [toast["text"] for toast in toasts]
                for person, toasts in message["toasts"].items()
            }
    return TeamsWorld(cards, {person["id"]: person["name"] for person in snapshot["people"]}, told)


def _reviews(card: object) -> Iterator[str]:
    for token in _tokens(card):
        try:
            yield parse_card_token(token).review_id
        except RejectedError:
            continue


def _tokens(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for part in node:
            yield from _tokens(part)
    elif isinstance(node, dict):
        data = node.get("data")
        if isinstance(data, dict) and isinstance(data.get("token"), str):
            yield data["token"]
        for part in node.values():
            yield from _tokens(part)
