"""The Teams clients of people: they press a card's buttons, refresh cards by themselves, and show what is answered."""

import asyncio
import math
import time
from uuid import uuid4

from sandbox.teams import messages
from sandbox.teams.activities import card_action, merged
from sandbox.teams.answers import LOGIN_REQUEST, PRECONDITION_FAILED, is_well_formed, shown, toast
from sandbox.teams.cards import pressed, refreshes_itself
from sandbox.teams.delivery import Answer, Delivery
from sandbox.teams.events import timestamp
from sandbox.teams.ids import split_conversation
from sandbox.teams.records import Json, Message, Person, card_of
from sandbox.teams.sign_in import SignIn
from sandbox.teams.state import TeamsState

SIGN_INS_PER_CLICK = 2


class TeamsClients:
    """One client per person."""

    def __init__(self, state: TeamsState, delivery: Delivery, sign_in: SignIn) -> None:
        self.state, self.delivery, self.sign_in = state, delivery, sign_in

    async def click(self, person: Person, message: Message, invoke: Json) -> Answer:
        """The answer to a click, shown to this person only."""
        self.state.events.record(
            "clicked", message.conversation, message.id, person=person.id, verb=invoke["value"]["action"]["verb"]
        )
        version = len(message.versions)
        answer = await self._ask(person, invoke)
        self._show(person, message, shown(answer.body), version)
        return answer

    async def view(self, person: Person, conversation: str) -> int:
        """A person opens a conversation and keeps looking at it; answers how many cards refreshed themselves."""
        self.state.viewing[person.id] = conversation
        seen = messages.messages_in(self.state, conversation)
        waiting = [(message, card_of(message.activity)) for message in seen if not message.deleted]
        due = [
            self._refresh(person, message, card) for message, card in waiting if card and self._is_due(person, message)
        ]
        await asyncio.gather(*due)
        return len(due)

    def notice(self, message: Message, before: Json | None) -> None:
        """Let everybody who looks at a new or updated card refresh it, with the action of the card they had before."""
        for person_id, conversation in self.state.viewing.items():
            place, root = split_conversation(conversation)
            person = self.state.people[person_id]
            if place == message.place and root in {None, message.root} and self._is_due(person, message):
                had_action = before is not None and isinstance(before.get("refresh"), dict)
                card = before if had_action else card_of(message.activity)
                self.state.spawn(self._refresh(person, message, card or {}))

    def _is_due(self, person: Person, message: Message) -> bool:
        last = message.refreshed.get(person.id, -math.inf)
        rested = time.monotonic() - last >= self.state.switches.values["refreshMs"] / 1000
        members = self.state.roster(message.place)
        return rested and refreshes_itself(card_of(message.activity), person, members)

    async def _refresh(self, person: Person, message: Message, card: Json) -> None:
        message.refreshed[person.id] = time.monotonic()
        action = card["refresh"]["action"]
        invoke = pressed(action, action.get("verb", ""), action.get("data") or {}, {})
        version = len(message.versions)
        answer = await self.delivery.invoke(card_action(self.state, person, message, invoke, "automatic"))
        seen = shown(answer.body)
        if "error" in seen:
            # A client whose refresh failed does not try this card again until it changes.
            message.refreshed[person.id] = math.inf
        elif "card" in seen:
            self._show(person, message, seen, version)

    async def _ask(self, person: Person, invoke: Json) -> Answer:
        answer = await self.delivery.invoke(invoke)
        for _ in range(SIGN_INS_PER_CLICK):
            request = _sign_in_request(answer.body)
            token = await self.sign_in.token(person.id) if request is not None else None
            if request is None or token is None:
                break
            self.state.events.record("signed-in", invoke["conversation"]["id"], invoke["replyToId"], person=person.id)
            proof = {"id": request.get("id", ""), "connectionName": request.get("connection", ""), "token": token}
            again = {"id": f"f:{uuid4()}", "value": {"authentication": proof}}
            answer = await self.delivery.invoke(merged(invoke, again))
        return answer

    def _show(self, person: Person, message: Message, seen: Json, version: int) -> None:
        banner = toast(seen)
        if banner:
            kind, text = banner
            message.toasts.setdefault(person.id, []).append({"kind": kind, "text": text, "at": timestamp()})
        elif version == len(message.versions) and not message.deleted:
            message.views[person.id] = seen["card"]
        self.state.events.record(
            "shown", message.conversation, message.id, person=person.id, what=banner[0] if banner else "card"
        )


def _sign_in_request(body: object) -> Json | None:
    """What a client can answer with a token by itself: an offer to exchange one, or consent that was missing."""
    if not isinstance(body, dict) or not is_well_formed(body):
        return None
    if body["type"] == PRECONDITION_FAILED:
        return {}
    if body["type"] != LOGIN_REQUEST:
        return None
    exchange = body["value"].get("tokenExchangeResource")
    if not isinstance(exchange, dict):
        return None
    return {"id": exchange.get("id", ""), "connection": body["value"].get("connectionName", "")}
