"""What people do and see in Teams, and what an agent asks for at the gateway, from outside the app."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.cast import Agent, Person
from sandbox.supervisor import Sandbox
from shared.domain.card_token import parse_card_token
from shared.errors import RejectedError

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that waits: its session, and the review that has to be answered."""

    session_id: str
    review_id: str


@dataclass(frozen=True, slots=True)
class Card:
    """A card as one person sees it in one conversation."""

    conversation: str
    activity_id: str
    content: Json

    @property
    def words(self) -> str:
        """Everything that the card says, for a look."""
        return " ".join(_texts(self.content))

    def is_about(self, review_id: str) -> bool:
        """Whether a button of the card, or its refresh, carries a token of this review."""
        return review_id in _reviews(self.content)

    def offers(self, verb: str) -> bool:
        """Whether the card has a button with this verb."""
        return any(action.get("verb") == verb for action in self.content.get("actions", ()))

    def data_of(self, verb: str) -> Json:
        """What the button carries."""
        return next((action["data"] for action in self.content.get("actions", ()) if action.get("verb") == verb), {})


class Teams:
    """The Teams of one running sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def ask(self, actor: Person | Agent, connection: str) -> Asked:
        """The actor's client asks for a session and waits."""
        body = {"subject": actor.subject, "connection": connection, "wait": True}
        answer = (await self._sandbox.gateway.post("/sandbox/connect", json=body)).raise_for_status()
        if answer.status_code != httpx.codes.ACCEPTED:
            raise ValueError(f"{actor.name} needs no approval for {connection}")
        return Asked(answer.json()["session_id"], answer.json()["review_id"])

    async def card(self, place: str, person: Person, review_id: str) -> Card | None:
        """The card about a review as this person sees it there; `None` while there is none."""
        return next((card for card in await self.cards(place, person) if card.is_about(review_id)), None)

    async def cards(self, place: str, person: Person) -> list[Card]:
        """Every card that this person sees in a channel or chat, oldest first."""
        path = f"/sandbox/conversations/{place}/messages"
        shown = (await self._sandbox.teams.get(path, params={"person": person.id})).raise_for_status().json()
        return [Card(one["conversation"], one["id"], one["card"]) for one in shown["messages"] if one.get("card")]

    async def click(self, card: Card, person: Person, verb: str, reason: str = "", until: str = "") -> Json:
        """The person presses a button of the card as it was when seen; what Teams shows them, and how long it took."""
        inputs = {name: text for name, text in (("reason", reason), ("until", until)) if text}
        body = {
            "conversation": card.conversation,
            "activity_id": card.activity_id,
            "person": person.id,
            "verb": verb,
            "data": card.data_of(verb) | inputs,
        }
        answer: Json = (await self._sandbox.teams.post("/sandbox/click", json=body)).raise_for_status().json()
        return answer

    async def status(self, asked: Asked) -> str:
        """Where the review stands at the gateway."""
        answer = await self._sandbox.gateway.get(f"/api/reviews/{asked.review_id}")
        return str(answer.raise_for_status().json()["status"])

    async def is_live(self, asked: Asked) -> bool:
        """Whether the session that waited is open."""
        shown = (await self._sandbox.gateway.get("/sandbox/streams")).raise_for_status().json()
        return any(stream["session_id"] == asked.session_id for stream in shown["streams"])


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        if isinstance(content.get("text"), str):
            yield content["text"]
        content = [value for name, value in content.items() if name in ("body", "items", "columns", "inlines")]
    if isinstance(content, list):
        for one in content:
            yield from _texts(one)


def _reviews(content: Json) -> set[str]:
    found = set()
    for action in (*content.get("actions", ()), (content.get("refresh") or {}).get("action") or {}):
        token = (action.get("data") or {}).get("token", "")
        try:
            found.add(parse_card_token(token).review_id)
        except RejectedError:
            continue
    return found
