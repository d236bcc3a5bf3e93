"""What people do in Teams: look, click, write, install the app, join."""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.teams import messages
from sandbox.teams.activities import bot_membership, card_action, envelope, installation, merged, said
from sandbox.teams.answers import shown
from sandbox.teams.cards import action_with, pressed
from sandbox.teams.clients import TeamsClients
from sandbox.teams.delivery import Delivery
from sandbox.teams.errors import ConnectorError, bad_syntax, json_object, no_conversation
from sandbox.teams.ids import BOT_ID
from sandbox.teams.picture import person_json, seen_by
from sandbox.teams.records import Json, Message, Person
from sandbox.teams.state import TeamsState
from sandbox.teams.world import BOT_NAME, TEAM_ID


class People:
    """The control routes that speak for a person."""

    def __init__(self, state: TeamsState, delivery: Delivery, clients: TeamsClients) -> None:
        self.state, self.delivery, self.clients = state, delivery, clients

    def routes(self) -> list[Route]:
        """The route table."""
        return [
            Route("/sandbox/conversations/{conversation}/messages", self.get_messages),
            Route("/sandbox/click", self.post_click, methods=["POST"]),
            Route("/sandbox/compose", self.post_compose, methods=["POST"]),
            Route("/sandbox/view", self.post_view, methods=["POST"]),
            Route("/sandbox/send", self.post_send, methods=["POST"]),
            Route("/sandbox/event", self.post_event, methods=["POST"]),
            Route("/sandbox/install", self.post_install, methods=["POST"]),
            Route("/sandbox/people", self.post_people, methods=["POST"]),
        ]

    async def get_messages(self, request: Request) -> Response:
        """A conversation as one person sees it."""
        conversation = request.path_params["conversation"]
        person = self._reader(request.query_params.get("person"), conversation)
        return JSONResponse({"messages": seen_by(self.state, conversation, person)})

    async def post_click(self, request: Request) -> Response:
        """A person presses a button, `times` over if the client stutters; answers what came back and what they see."""
        body = await json_object(request)
        person, message, invoke = self._invoke(body)
        started = time.perf_counter()
        times = int(body.get("times", 1))
        answers = await asyncio.gather(*(self.clients.click(person, message, invoke) for _ in range(times)))
        last = max(answers, key=lambda answer: answer.ms)
        ms = round((time.perf_counter() - started) * 1000, 1)
        more = {"ms": ms, "shown": shown(last.body), "answers": [answer.json() for answer in answers]}
        return JSONResponse({**last.json(), **more})

    async def post_compose(self, request: Request) -> Response:
        """The invoke that a click would send, unsent."""
        _, _, invoke = self._invoke(await json_object(request))
        return JSONResponse({"activity": invoke})

    async def post_view(self, request: Request) -> Response:
        """A person opens a conversation; answers once its cards are fresh."""
        body = await json_object(request)
        conversation = str(body.get("conversation"))
        person = self._reader(body.get("person"), conversation)
        refreshed = await self.clients.view(person, conversation)
        return JSONResponse({"refreshed": refreshed, "messages": seen_by(self.state, conversation, person)})

    async def post_send(self, request: Request) -> Response:
        """A person writes to the bot, by mention where others read along."""
        body = await json_object(request)
        person = self._person(body.get("person"))
        conversation = str(body.get("conversation") or person.chat)
        self._reader(person.id, conversation)
        author = {"id": person.mri, "name": person.name, "aadObjectId": person.id}
        activity = _written(str(body.get("text", "")), mention=self.state.place(conversation) in self.state.channels)
        message = messages.post(self.state, conversation, activity, author)
        answer = await self.delivery.announce(said(self.state, person, message))
        return JSONResponse({**answer.json(), "activity_id": message.id, "conversation": message.conversation})

    async def post_event(self, request: Request) -> Response:
        """An activity of any type, laid over what every activity carries; known to Tether or not."""
        body = await json_object(request)
        person = self._person(body.get("person") or next(iter(self.state.people)))
        conversation = str(body.get("conversation") or person.chat)
        activity = body.get("activity")
        if not isinstance(activity, dict):
            raise bad_syntax("'activity' is an object.")
        whole = merged(envelope(self.state, "event", person, conversation), activity)
        return JSONResponse((await self.delivery.announce(whole)).json())

    async def post_install(self, request: Request) -> Response:
        """The app comes to or leaves a person, a channel or the team, or is upgraded there; the bot is told."""
        body = await json_object(request)
        installed = bool(body.get("installed", True))
        person, conversation = self._install(body, installed=installed, upgrade=body.get("action") == "upgrade")
        action = "upgrade" if body.get("action") == "upgrade" else ("add" if installed else "remove")
        told = [await self.delivery.announce(installation(self.state, person, conversation, action))]
        if action == "add" or (action == "remove" and conversation != person.chat):
            change = "membersAdded" if installed else "membersRemoved"
            told.append(await self.delivery.announce(bot_membership(self.state, person, conversation, change)))
        return JSONResponse({"conversation": conversation, "answers": [answer.json() for answer in told]})

    async def post_people(self, request: Request) -> Response:
        """One person, or many under `people`, join the tenant and, unless told otherwise, the team."""
        body = await json_object(request)
        rows = body.get("people", [body])
        if not all(isinstance(row, dict) and row.get("id") for row in rows):
            raise bad_syntax("Each person has an id.")
        joined = [_joining(row) for row in rows]
        for person in joined:
            self.state.add(person)
        self.state.events.record("people-joined", count=len(joined))
        return JSONResponse({"people": [person_json(person) for person in joined]}, 201)

    def _invoke(self, body: Json) -> tuple[Person, Message, Json]:
        person = self._reader(body.get("person"), str(body.get("conversation")))
        message = messages.find(self.state, str(body.get("conversation")), str(body.get("activity_id")))
        verb = str(body.get("verb"))
        action = action_with(message.card_for(person.id), verb)
        data = body.get("data", action and (action.get("data") or {}))
        if data is None:
            raise ConnectorError(409, "NoSuchAction", f"{person.name} sees no button with the verb '{verb}'.")
        press = pressed(action, verb, data, body.get("inputs") or {})
        trigger = "automatic" if body.get("trigger") == "automatic" else "manual"
        invoke = card_action(self.state, person, message, press, trigger)
        return person, message, merged(invoke, body.get("overrides") or {})

    def _install(self, body: Json, *, installed: bool, upgrade: bool) -> tuple[Person, str]:
        changed = installed or upgrade
        if body.get("person"):
            person = self._person(body["person"])
            person.installed = changed
            return person, person.chat
        somebody = next(iter(self.state.people.values()))
        if body.get("channel"):
            if body["channel"] not in self.state.channels:
                raise no_conversation()
            self.state.channels[body["channel"]].installed = changed
            return somebody, body["channel"]
        if body.get("team") != TEAM_ID:
            raise bad_syntax("'person', 'channel' or 'team' says where.")
        self.state.team_installed = changed
        return somebody, TEAM_ID

    def _reader(self, identifier: object, conversation: str) -> Person:
        person = self._person(identifier)
        if not self.state.reads(person, self.state.place(conversation)):
            raise ConnectorError(403, "Forbidden", f"{person.name} does not see this conversation.")
        return person

    def _person(self, identifier: object) -> Person:
        person = self.state.person(str(identifier))
        if person is None:
            raise ConnectorError(404, "NoSuchPerson", f"There is nobody with the id '{identifier}'.")
        return person


def _written(text: str, *, mention: bool) -> Json:
    if not mention:
        return {"type": "message", "text": text}
    called = f"<at>{BOT_NAME}</at>"
    entity = {"type": "mention", "text": called, "mentioned": {"id": BOT_ID, "name": BOT_NAME}}
    return {"type": "message", "text": f"{called} {text}", "entities": [entity]}


def _joining(row: Json) -> Person:
    person_id, name = str(row["id"]).lower(), str(row.get("name") or row["id"])
    email = str(row.get("email", "")).lower()
    return Person(person_id, name, email, bool(row.get("member", True)), bool(row.get("installed", True)))
