"""Faults on demand: what the gateway does instead of answering, and how often."""

import asyncio
import contextlib

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.gateway.records import Json

INDEX_PAGE = '<!doctype html><html><head><title>gateway</title></head><body><div id="app"></div></body></html>'
TRANSPORT = "sandbox.transport"
DEFAULTS: Json = {
    "latencyMs": 0,
    "status": None,
    "emptyBody": 0,
    "html": 0,
    "down": False,
    "hang": False,
    "killDoesNothing": 0,
    "putIgnored": 0,
    "miscConfigMissing": False,
    "reviewPauseMs": 0,
    "license": "enterprise",
    "webhookDrop": 0,
    "webhookDuplicates": 0,
    "webhookDelayMs": 0,
    "webhookRetrySeconds": [0, 5, 300, 1800, 7200, 18000, 36000, 36000],
    "sessionOpenRepeats": 0,
}


class Switches:
    """The switches as a person set them; counted ones switch themselves off."""

    def __init__(self) -> None:
        self.values: Json = dict(DEFAULTS)

    def merge(self, changes: Json) -> list[str]:
        """Set the switches given, keep the others; answers the names it does not know and then sets nothing."""
        unknown = sorted(set(changes) - set(DEFAULTS))
        if not unknown:
            self.values |= changes
        return unknown

    def reset(self) -> None:
        """Everything works again."""
        self.values = dict(DEFAULTS)

    def take(self, name: str) -> bool:
        """Whether a counted switch applies now; uses up one count unless it is simply true."""
        remaining = self.values[name]
        if remaining is True:
            return True
        if not remaining:
            return False
        self.values[name] = remaining - 1
        return True

    async def wait(self, name: str) -> None:
        """Let the milliseconds of a switch pass."""
        if self.values[name]:
            await asyncio.sleep(self.values[name] / 1000)

    def fault(self, method: str, path: str) -> Response | None:
        """The answer that replaces the real one, if a switch asks for it."""
        if self.values["down"]:
            return NoAnswer()
        if self.values["hang"]:
            return NoAnswer(hanging=self)
        if self.take("html"):
            return HTMLResponse(INDEX_PAGE)
        if self.take("emptyBody"):
            return Response(status_code=500)
        return self._chosen_status(method, path)

    def _chosen_status(self, method: str, path: str) -> Response | None:
        wanted = self.values["status"]
        if not wanted or wanted.get("method", method).upper() != method:
            return None
        prefix = wanted.get("path", "/api").removeprefix("/api")
        if not path.removeprefix("/api").startswith(prefix):
            return None
        if "count" in wanted:
            left = wanted["count"] - 1
            self.values["status"] = {**wanted, "count": left} if left > 0 else None
        headers = {"Retry-After": str(wanted["retryAfter"])} if "retryAfter" in wanted else None
        return JSONResponse({"message": wanted.get("message", "refused by a switch")}, wanted["code"], headers)


class NoAnswer(Response):
    """Closes the connection without a byte, at once or once the hang is over."""

    def __init__(self, hanging: Switches | None = None) -> None:
        super().__init__()
        self._hanging = hanging

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(_disconnected(receive))
        # A server that stops cancels the hang; its client is then hung up on like any other.
        with contextlib.suppress(asyncio.CancelledError):
            while self._hanging and self._hanging.values["hang"] and not gone.done():
                await asyncio.wait([gone], timeout=0.05)
        lent = scope.get("extensions", {}).get(TRANSPORT)
        if lent is None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
            gone.cancel()
            return
        lent["transport"].abort()
        await gone


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
