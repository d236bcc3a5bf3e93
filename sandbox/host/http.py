"""The HTTP side as one small ASGI app: routes a request to its function and sends back what it returns."""

import json
import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from secrets import compare_digest
from typing import Any
from urllib.parse import parse_qsl

import azure.functions as func

from sandbox.host.admin import Admin
from sandbox.host.app import HostedFunction
from sandbox.host.invocation import InvocationError, Invocations
from sandbox.host.routes import Route, RouteTable
from sandbox.host.sign_in import PREFIX, SignIn, signs_in

log = logging.getLogger("sandbox.host")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class HttpTriggers:
    """The ASGI app for every HTTP function, for the host's own /admin pages, and for sign-in below /.auth."""

    def __init__(
        self, functions: list[HostedFunction], *, route_prefix: str, invocations: Invocations, admin: Admin
    ) -> None:
        self._invocations = invocations
        self._admin = admin
        self._sign_in = SignIn()
        self._routes = RouteTable()
        for function in functions:
            if function.kind == "httpTrigger":
                self._routes.add(route_prefix, function)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = _Request(scope)
        if request.path.startswith("/admin/"):
            response = await self._answer_admin(request, receive)
        elif request.path.lower().startswith(PREFIX) and signs_in():
            body = await _read_body(receive)
            response = await self._sign_in.answer(request.method, request.path, request.query, request.headers, body)
        else:
            response = await self._answer(request, receive)
        await _send(response, send, with_body=request.method != "HEAD")

    async def _answer(self, request: "_Request", receive: Receive) -> func.HttpResponse:
        routes = self._routes.find(request.path)
        if not routes:
            return func.HttpResponse(status_code=HTTPStatus.NOT_FOUND)
        for route in routes:
            function = _function_for(request.method, route)
            if function is not None:
                break
        else:
            allowed = sorted({method for route in routes for method in route.by_method})
            return func.HttpResponse(status_code=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(allowed)})
        if function.trigger.get("authLevel", "FUNCTION") != "ANONYMOUS" and not request.holds_function_key():
            return func.HttpResponse(status_code=HTTPStatus.UNAUTHORIZED)
        argument = func.HttpRequest(
            request.method,
            request.url,
            headers=self._sign_in.headers(request.headers),
            params=request.query,
            route_params=route.parameters,
            body=await _read_body(receive),
        )
        return await self._invoke(function, argument)

    async def _invoke(self, function: HostedFunction, argument: func.HttpRequest) -> func.HttpResponse:
        try:
            returned = await self._invocations.invoke(function, argument)
        except InvocationError:
            return func.HttpResponse(status_code=HTTPStatus.INTERNAL_SERVER_ERROR)
        if isinstance(returned, str):
            return func.HttpResponse(returned)
        if isinstance(returned, func.HttpResponse):
            return returned
        log.error("%s returned %s, which Azure cannot send", function.name, type(returned).__name__)
        return func.HttpResponse(status_code=HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _answer_admin(self, request: "_Request", receive: Receive) -> func.HttpResponse:
        if request.path == "/admin/host/status":
            return _json(self._admin.status())
        if not request.holds_function_key():
            return func.HttpResponse(status_code=HTTPStatus.UNAUTHORIZED)
        if request.path == "/admin/functions":
            return _json(self._admin.functions())
        body = await _read_body(receive)
        return func.HttpResponse(status_code=self._admin.run(request.method, request.path.split("/")[-1], body))


class _Request:
    """What an ASGI scope says, in the shapes the Functions API wants."""

    def __init__(self, scope: Scope) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        raw_query = scope["query_string"].decode("latin-1")
        self.query = dict(parse_qsl(raw_query, keep_blank_values=True)) if raw_query else {}
        raw_path = (scope.get("raw_path") or self.path.encode()).decode("latin-1")
        self.url = f"{scope['scheme']}://{self.headers.get('host', '')}{raw_path}{'?' + raw_query if raw_query else ''}"

    def holds_function_key(self) -> bool:
        key = os.environ.get("SANDBOX_FUNCTION_KEY", "")
        given = self.headers.get("x-functions-key") or self.query.get("code", "")
        return bool(key) and compare_digest(given.encode(), key.encode())


def _function_for(method: str, route: Route) -> HostedFunction | None:
    found = route.by_method.get(method)
    return route.by_method.get("GET") if found is None and method == "HEAD" else found


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


async def _send(response: func.HttpResponse, send: Send, *, with_body: bool) -> None:
    body = response.get_body()
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    names = {name for name, _ in headers}
    if b"content-type" not in names and body:
        kind = response.mimetype
        if kind.startswith("text/"):
            kind = f"{kind}; charset={response.charset}"
        headers.append((b"content-type", kind.encode("latin-1")))
    if b"content-length" not in names and response.status_code not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body if with_body else b""})


def _json(content: object) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(content), mimetype="application/json")
