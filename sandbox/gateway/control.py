"""`/sandbox`: what a person or a test does to the gateway, and what it really holds. No token, loopback only."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.gateway.connections import connection_json
from sandbox.gateway.history import remember
from sandbox.gateway.keys import add_key, key_json
from sandbox.gateway.machine_identities import machine_identity_json
from sandbox.gateway.plugins import plugin_json
from sandbox.gateway.records import Json, Key
from sandbox.gateway.reviews import review_json
from sandbox.gateway.service_accounts import service_account_json
from sandbox.gateway.sign_in import log_in, use_mcp
from sandbox.gateway.state import LOCAL_ADMIN, GatewayState
from sandbox.gateway.streams import Attempt, Command, connect, execute, stream_json
from sandbox.gateway.users import user_json
from sandbox.gateway.webhooks import endpoint_json, require_secret
from sandbox.gateway.wire import RefusalError, now, required, text, texts
from sandbox.tenant import GATEWAY_CLIENT_ID
from sandbox.tokens import issue_token


class Control:
    """The control routes over one gateway's state."""

    def __init__(self, state: GatewayState) -> None:
        self.state = state

    def routes(self) -> list[Route]:
        """The control route table."""
        return [
            Route("/sandbox/connect", self.post_connect, methods=["POST"]),
            Route("/sandbox/exec", self.post_exec, methods=["POST"]),
            Route("/sandbox/disconnect", self.post_disconnect, methods=["POST"]),
            Route("/sandbox/streams", self.get_streams),
            Route("/sandbox/login", self.post_login, methods=["POST"]),
            Route("/sandbox/mcp", self.post_mcp, methods=["POST"]),
            Route("/sandbox/history", self.post_history, methods=["POST"]),
            Route("/sandbox/keys", self.post_keys, methods=["POST"]),
            Route("/sandbox/rotate", self.post_rotate, methods=["POST"]),
            Route("/sandbox/switches", self.get_switches),
            Route("/sandbox/switches", self.put_switches, methods=["PUT"]),
            Route("/sandbox/events", self.get_events),
            Route("/sandbox/counters", self.get_counters),
            Route("/sandbox/snapshot", self.get_snapshot),
            Route("/sandbox/reset", self.post_reset, methods=["POST"]),
        ]

    async def post_connect(self, request: Request) -> Response:
        """A client opens a stream: 201 live, 202 waiting for a review, 403 refused."""
        body = await _body(request)
        subject, connection = required(body, "subject"), required(body, "connection")
        attempt = connect(self.state, subject, connection, body.get("seconds"), wait=bool(body.get("wait")))
        return _attempted(attempt)

    async def post_exec(self, request: Request) -> Response:
        """A client runs a command that takes `seconds`: 201 running, 202 under review, 403 refused."""
        body = await _body(request)
        subject, connection = required(body, "subject"), required(body, "connection")
        command = Command(required(body, "script"), body.get("seconds") or 0)
        return _attempted(execute(self.state, subject, connection, command, wait=bool(body.get("wait"))))

    async def post_disconnect(self, request: Request) -> Response:
        """The client of a stream hangs up."""
        session_id = required(await _body(request), "session_id")
        if not self.state.close_stream(session_id, "client disconnected"):
            raise RefusalError(404, "no such stream")
        return Response(status_code=204)

    async def post_history(self, request: Request) -> Response:
        """Sessions that ended long ago come into the log."""
        rows = (await _body(request)).get("sessions")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise RefusalError(400, "sessions is a list of objects")
        return JSONResponse({"remembered": remember(self.state, rows)}, 201)

    async def get_streams(self, request: Request) -> Response:
        """Streams really open in this process, whatever their rows say."""
        subject = request.query_params.get("subject")
        held = [stream for stream in self.state.streams.values() if subject in (None, stream.subject)]
        return JSONResponse({"streams": [stream_json(stream) for stream in held if not stream.waiting]})

    async def post_login(self, request: Request) -> Response:
        """Somebody signs in interactively; answers the row and a token for it."""
        body = await _body(request)
        groups = None if body.get("groups") is None else texts(body, "groups")
        user = log_in(self.state, required(body, "sub"), text(body, "email"), groups, text(body, "name"))
        token = issue_token(audience=GATEWAY_CLIENT_ID, object_id=user.subject)
        return JSONResponse({**user_json(self.state, user), "token": token})

    async def post_mcp(self, request: Request) -> Response:
        """Somebody's MCP client calls with a token that is still valid."""
        body = await _body(request)
        groups = None if body.get("groups") is None else texts(body, "groups")
        return JSONResponse(user_json(self.state, use_mcp(self.state, required(body, "subject"), groups)))

    async def post_keys(self, request: Request) -> Response:
        """An API key with a secret that is known beforehand; asking for the same key again changes nothing."""
        body = await _body(request)
        name, secret, groups = required(body, "name"), required(body, "key"), texts(body, "groups")
        if not secret.startswith("hpk_"):
            raise RefusalError(400, "the key must start with hpk_")
        held = self.state.keys_by_secret.get(secret)
        if held is None:
            key = add_key(self.state, "api-keys", Key(name, secret, now(), groups, LOCAL_ADMIN))
            return JSONResponse(key_json(key), 201)
        if (held.name, held.groups) != (name, groups):
            raise RefusalError(409, "this secret is another key's")
        return JSONResponse(key_json(held))

    async def post_rotate(self, request: Request) -> Response:
        """Every webhook endpoint gets a new secret; the old ones go on signing until `keep` is false."""
        body = await _body(request)
        secret = required(body, "secret")
        require_secret(secret)
        for endpoint in self.state.deliveries.endpoints.values():
            endpoint.secrets = [secret, *endpoint.secrets] if body.get("keep", True) else [secret]
        return Response(status_code=204)

    async def get_switches(self, _request: Request) -> Response:
        return JSONResponse(self.state.switches.values)

    async def put_switches(self, request: Request) -> Response:
        """Merge switches; with `?reset=1` they start from their defaults."""
        if request.query_params.get("reset") == "1":
            self.state.switches.reset()
        unknown = self.state.switches.merge(await _body(request))
        if unknown:
            raise RefusalError(400, f"unknown switches: {', '.join(unknown)}")
        return JSONResponse(self.state.switches.values)

    async def get_events(self, request: Request) -> Response:
        """Events after a sequence number, and the newest number there is."""
        try:
            after = int(request.query_params.get("after", 0))
        except ValueError:
            raise RefusalError(400, "after must be a number") from None
        return JSONResponse({"events": self.state.events.after(after), "last": self.state.events.last})

    async def get_counters(self, _request: Request) -> Response:
        return JSONResponse({"requests": dict(self.state.requests)})

    async def get_snapshot(self, _request: Request) -> Response:
        """Everything a web page needs to show this gateway."""
        state = self.state
        plugin = state.plugins.get("access_control")
        return JSONResponse(
            {
                "users": [user_json(state, user) for user in state.users.values()],
                "service_accounts": [service_account_json(row) for row in state.service_accounts.values()],
                "api_keys": _keys(state.keys["api-keys"]),
                "ai_agents": _keys(state.keys["ai-agents"]),
                "machine_identities": [machine_identity_json(row) for row in state.machine_identities.values()],
                "connections": [connection_json(state, row) for row in state.connections.values()],
                "access_control": plugin_json(plugin) if plugin else None,
                "rules": list(state.rules.values()),
                "streams": [stream_json(stream) for stream in state.streams.values()],
                "reviews": [
                    {**review_json(review), "owner": review.owner, "connection": review.connection}
                    for review in state.reviews.values()
                ],
                "webhook_endpoints": [endpoint_json(row) for row in state.deliveries.endpoints.values()],
                "last": state.events.last,
            }
        )

    async def post_reset(self, _request: Request) -> Response:
        """Back to how the gateway started; events are forgotten but keep counting."""
        self.state.reset()
        self.state.events.record("reset")
        return Response(status_code=204)


def _attempted(attempt: Attempt) -> Response:
    if attempt.refused:
        return JSONResponse({"refused": attempt.refused}, 403)
    if attempt.review_id:
        return JSONResponse({"session_id": attempt.session_id, "review_id": attempt.review_id}, 202)
    return JSONResponse({"session_id": attempt.session_id}, 201)


def _keys(table: dict[str, Key]) -> list[Json]:
    return [key_json(key) for key in table.values()]


async def _body(request: Request) -> Json:
    if not await request.body():
        return {}
    try:
        body = await request.json()
    except ValueError:
        raise RefusalError(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise RefusalError(400, "the body is not an object")
    return body
