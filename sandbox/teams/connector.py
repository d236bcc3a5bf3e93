"""The Bot Connector's REST API below `/teams/v3`: conversations, activities and rosters."""

from collections.abc import Awaitable, Callable

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.gateway.switches import NoAnswer
from sandbox.teams import messages
from sandbox.teams.acceptance import accept_message
from sandbox.teams.clients import TeamsClients
from sandbox.teams.conversations import place_for
from sandbox.teams.errors import ConnectorError, json_object
from sandbox.teams.records import Json, Message, Person, card_of
from sandbox.teams.roster import find_member, member_json, members_page, roster_of
from sandbox.teams.state import TeamsState
from sandbox.tokens import read_token

AUDIENCE = "https://api.botframework.com"
Handler = Callable[[Request], Awaitable[Response]]


class Connector:
    """The routes a bot calls, each behind its token and whatever the switches say."""

    def __init__(self, state: TeamsState, clients: TeamsClients) -> None:
        self.state, self.clients = state, clients

    def routes(self) -> list[Route]:
        """The route table."""
        conversation = "/teams/v3/conversations/{conversation}"
        activity = f"{conversation}/activities/{{activity}}"
        return [
            self._route("POST", "/teams/v3/conversations", "create", self.create_conversation),
            self._route("POST", f"{conversation}/activities", "send", self.send),
            self._route("POST", activity, "send", self.reply),
            self._route("PUT", activity, "update", self.update),
            self._route("DELETE", activity, "delete", self.delete),
            self._route("GET", f"{conversation}/members", "read", self.list_members),
            self._route("GET", f"{conversation}/pagedmembers", "read", self.page_members),
            self._route("GET", f"{conversation}/members/{{member}}", "read", self.get_member),
        ]

    async def create_conversation(self, request: Request) -> Response:
        """A new thread of a channel, or the chat with one person."""
        body = await json_object(request)
        first = accept_message(body["activity"]) if body.get("activity") is not None else None
        place = place_for(self.state, body, first)
        self._throttle(place)
        if first is None:
            return JSONResponse({"id": place}, 201)
        posted = self._post(place, first)
        made = {"id": posted[0].conversation, "activityId": posted[0].id}
        return JSONResponse(made if len(posted) == 1 else {"id": made["id"]}, 201)

    async def send(self, request: Request) -> Response:
        """A message in a chat or thread, or one that starts a thread of a channel."""
        return await self._send(request, request.path_params["conversation"])

    async def reply(self, request: Request) -> Response:
        """A message in the thread of another one."""
        conversation = request.path_params["conversation"]
        return await self._send(request, messages.find(self.state, conversation, self._activity(request)).conversation)

    async def update(self, request: Request) -> Response:
        """A new version of one of the bot's messages, for everybody."""
        activity = accept_message(await json_object(request))
        message = self._own_message(request)
        before = card_of(message.activity)
        messages.update(self.state, message, activity)
        self.clients.notice(message, before)
        return JSONResponse({"id": message.id})

    async def delete(self, request: Request) -> Response:
        """One of the bot's messages is gone."""
        messages.delete(self.state, self._own_message(request))
        return Response(status_code=200)

    async def list_members(self, request: Request) -> Response:
        """The whole roster, as older clients ask for it."""
        return JSONResponse([member_json(person) for person in self._roster(request)])

    async def page_members(self, request: Request) -> Response:
        """The roster in pages."""
        return JSONResponse(members_page(self._roster(request), request.query_params))

    async def get_member(self, request: Request) -> Response:
        """One person of the roster."""
        return JSONResponse(member_json(find_member(self.state, self._roster(request), request.path_params["member"])))

    async def _send(self, request: Request, conversation: str) -> Response:
        body = await json_object(request)
        place = self.state.place(conversation)
        self.state.admit(place)
        if body.get("type") == "typing":
            return JSONResponse({"id": self.state.next_activity_id()}, 201)
        activity = accept_message(body)
        self._throttle(place)
        posted = self._post(conversation, activity)
        return JSONResponse({"id": posted[0].id} if len(posted) == 1 else {}, 201)

    def _post(self, conversation: str, activity: Json) -> list[Message]:
        first, *others = messages.parts(activity)
        posted = [messages.post(self.state, conversation, first)]
        posted += [messages.post(self.state, posted[0].conversation, other) for other in others]
        for message in posted:
            self.clients.notice(message, None)
        return posted

    def _own_message(self, request: Request) -> Message:
        conversation = request.path_params["conversation"]
        self.state.admit(self.state.place(conversation))
        message = messages.find(self.state, conversation, self._activity(request))
        if message.author != messages.BOT:
            raise ConnectorError(403, "Forbidden", "The activity is somebody else's.")
        return message

    def _roster(self, request: Request) -> list[Person]:
        place, people = roster_of(self.state, request.path_params["conversation"])
        if self.state.switches.values["rateLimits"]:
            _refuse_for(self.state.limits.wait_to_read(place))
        return people

    def _throttle(self, place: str) -> None:
        if self.state.switches.values["rateLimits"]:
            _refuse_for(self.state.limits.wait_to_write(place))

    def _activity(self, request: Request) -> str:
        return str(request.path_params["activity"])

    def _route(self, method: str, path: str, operation: str, handler: Handler) -> Route:
        async def answer(request: Request) -> Response:
            await self.state.switches.wait()
            response = await self._answer(request, operation, handler)
            self.state.counters["requests"][f"{operation} {response.status_code}"] += 1
            if operation != "read" and response.status_code < 300 and self.state.switches.loses_answer():
                return NoAnswer()
            return response

        return Route(path, answer, methods=[method])

    async def _answer(self, request: Request, operation: str, handler: Handler) -> Response:
        try:
            _authenticate(request)
            self.state.switches.refuse(operation)
            return await handler(request)
        except ConnectorError as error:
            return error.response()


def _authenticate(request: Request) -> None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        read_token(token if scheme.lower() == "bearer" else "", audience=AUDIENCE)
    except jwt.InvalidTokenError:
        raise ConnectorError(401, "Unauthorized", "Authorization has been denied for this request.") from None


def _refuse_for(seconds: int) -> None:
    if seconds:
        raise ConnectorError(429, "TooManyRequests", "API calls quota exceeded.", seconds)
