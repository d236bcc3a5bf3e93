"""`/sandbox`: who can sign in, and what goes wrong. No token, loopback only."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.login.people import Person
from sandbox.login.places import issuer
from sandbox.login.state import LoginState
from sandbox.login.user_tokens import sso_claims
from sandbox.tenant import TENANT_ID

Json = dict[str, Any]


class Control:
    """The control routes over one server's state."""

    def __init__(self, state: LoginState) -> None:
        self.state = state

    def routes(self) -> list[Route]:
        """The control route table."""
        return [
            Route("/sandbox/sso-token", self.post_sso_token, methods=["POST"]),
            Route("/sandbox/people", self.post_people, methods=["POST"]),
            Route("/sandbox/keys/rotate", self.post_rotate, methods=["POST"]),
            Route("/sandbox/switches", self.get_switches),
            Route("/sandbox/switches", self.put_switches, methods=["PUT"]),
            Route("/sandbox/counters", self.get_counters),
        ]

    async def post_sso_token(self, request: Request) -> Response:
        """Teams asks for a person's token; `overrides` change claims, and `null` leaves one out."""
        body = await _body(request)
        person = self.state.people.find(str(body.get("object_id", "")))
        if person is None:
            return JSONResponse({"message": "nobody has this object_id: add them through /sandbox/people"}, 404)
        claims = sso_claims(person, issuer(request, TENANT_ID), body.get("overrides") or {})
        return JSONResponse({"token": self.state.keys.sign(claims)})

    async def post_people(self, request: Request) -> Response:
        """Somebody beside the cast, with their subject at the gateway."""
        body = await _body(request)
        object_id, subject = str(body.get("object_id", "")).lower(), str(body.get("subject", ""))
        if not object_id or not subject:
            return JSONResponse({"message": "object_id and subject are needed"}, 400)
        email = str(body.get("email") or f"{subject}@sandbox.example")
        self.state.people.add(Person(object_id, subject, email, str(body.get("name") or subject)))
        return Response(status_code=204)

    async def post_rotate(self, _request: Request) -> Response:
        """Sign with a new key; the old one stays published."""
        return JSONResponse({"kid": self.state.keys.rotate()})

    async def get_switches(self, _request: Request) -> Response:
        """All switches."""
        return JSONResponse(self.state.switches.values)

    async def put_switches(self, request: Request) -> Response:
        """Set some switches; an unknown name sets none."""
        unknown = self.state.switches.merge(await _body(request))
        if unknown:
            return JSONResponse({"message": f"no such switch: {', '.join(unknown)}"}, 400)
        return JSONResponse(self.state.switches.values)

    async def get_counters(self, _request: Request) -> Response:
        """How often metadata, keys and each grant were asked for."""
        return JSONResponse(dict(self.state.requests))


async def _body(request: Request) -> Json:
    raw = await request.body()
    body: Json = json.loads(raw) if raw else {}
    return body
