"""`/sandbox`: looks at the stand-in, switches, keys, and deliveries that nobody in Teams would make. No token."""

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.teams.activities import merged
from sandbox.teams.delivery import Delivery, headers_for
from sandbox.teams.errors import ConnectorError, bad_syntax, json_object
from sandbox.teams.keys import claims_for
from sandbox.teams.picture import snapshot
from sandbox.teams.records import Json
from sandbox.teams.state import TeamsState


class Control:
    """The control routes over one stand-in's state."""

    def __init__(self, state: TeamsState, delivery: Delivery) -> None:
        self.state, self.delivery = state, delivery

    def routes(self) -> list[Route]:
        """The route table."""
        return [
            Route("/sandbox/snapshot", self.get_snapshot),
            Route("/sandbox/events", self.get_events),
            Route("/sandbox/counters", self.get_counters),
            Route("/sandbox/switches", self.get_switches),
            Route("/sandbox/switches", self.put_switches, methods=["PUT"]),
            Route("/sandbox/reset", self.post_reset, methods=["POST"]),
            Route("/sandbox/token", self.post_token, methods=["POST"]),
            Route("/sandbox/deliver", self.post_deliver, methods=["POST"]),
            Route("/sandbox/deliveries/resume", self.post_resume, methods=["POST"]),
            Route("/sandbox/keys/rotate", self.post_rotate, methods=["POST"]),
        ]

    async def get_snapshot(self, _request: Request) -> Response:
        """Everything this stand-in holds."""
        return JSONResponse(snapshot(self.state))

    async def get_events(self, request: Request) -> Response:
        """Events after a sequence number, and the newest number there is."""
        after = request.query_params.get("after", "0")
        if not after.isdecimal():
            raise bad_syntax("'after' is a sequence number.")
        return JSONResponse({"events": self.state.events.after(int(after)), "last": self.state.events.last})

    async def get_counters(self, _request: Request) -> Response:
        """Posts, updates and deletes by channel or chat, and the connector's answers by operation and status."""
        return JSONResponse({name: dict(counted) for name, counted in self.state.counters.items()})

    async def get_switches(self, _request: Request) -> Response:
        return JSONResponse(self.state.switches.values)

    async def put_switches(self, request: Request) -> Response:
        """Merge switches; with `?reset=1` they start from their defaults."""
        changes = await json_object(request)
        if request.query_params.get("reset") == "1":
            self.state.switches.reset()
        self.state.switches.merge(changes)
        return JSONResponse(self.state.switches.values)

    async def post_reset(self, _request: Request) -> Response:
        """Back to how the stand-in started; events are forgotten but keep counting."""
        self.state.reset()
        return Response(status_code=204)

    async def post_token(self, request: Request) -> Response:
        """A token as it comes with activities, changed as asked: {claims?, header?, signed_with?}."""
        return JSONResponse({"token": self._token(await json_object(request))})

    async def post_deliver(self, request: Request) -> Response:
        """Post an `activity` or `raw` text to the bot, with its token and `headers` changed as asked."""
        body = await json_object(request)
        activity = body.get("activity") or {}
        headers = merged(headers_for(activity, self._token(body)), body.get("headers") or {})
        content = body["raw"] if "raw" in body else json.dumps(activity)
        answer = await self.delivery.post(content.encode(), headers)
        return JSONResponse(answer.json())

    async def post_resume(self, _request: Request) -> Response:
        """Teams delivers again."""
        self.state.failures = 0
        self.state.events.record("delivery-resumed")
        return Response(status_code=204)

    async def post_rotate(self, request: Request) -> Response:
        """Sign with a new key: {keep: are older ones still published (true), endorsements: ["msteams"]}."""
        body = await json_object(request)
        key = self.state.keys.rotate(body.get("endorsements", ["msteams"]), keep=bool(body.get("keep", True)))
        self.state.events.record("key-rotated", kid=key.id)
        return JSONResponse({"kid": key.id, "published": [key.id for key in self.state.keys.published]})

    def _token(self, body: Json) -> str:
        signer, header = body.get("signed_with", "current"), body.get("header") or {}
        if signer not in {"current", "foreign", "none"}:
            raise bad_syntax("'signed_with' is current, foreign or none.")
        if "alg" in header:
            raise ConnectorError(400, "BadArgument", "For another algorithm send a token of your own in 'headers'.")
        claims = merged(claims_for(self.state.service_url), body.get("claims") or {})
        return self.state.keys.sign(claims, header, signer)
