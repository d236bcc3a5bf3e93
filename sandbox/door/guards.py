"""What a page on another site must not do: reach the door under another name, or change anything through it."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL_NAMES = frozenset({"127.0.0.1", "localhost"})
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guards:
    """Refuses foreign host names (DNS rebinding) and changes that do not come from the door's own page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the door's headers, or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        answer = refusal(scope["method"], Headers(scope=scope)) or self._app
        await answer(scope, receive, send_guarded)


def refusal(method: str, headers: Headers) -> Response | None:
    """Why a request is refused, if it is."""
    host = headers.get("host", "")
    if host.partition(":")[0] not in LOCAL_NAMES:
        return PlainTextResponse("This page answers to its loopback address only.", 421)
    if method in ("GET", "HEAD"):
        return None
    own_page = headers.get("origin") == f"http://{host}"
    if not own_page or headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return PlainTextResponse("Changes come from the door's own page only.", 403)
    return None
