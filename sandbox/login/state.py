"""Everything one sign-in server remembers."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox.login.people import People
from sandbox.login.signing import SigningKeys

Json = dict[str, Any]
DEFAULTS: Json = {"latencyMs": 0, "status": None, "consentMissing": False, "interactionRequired": False}


class Switches:
    """Bad days on demand, for Entra's own routes."""

    def __init__(self) -> None:
        self.values: Json = dict(DEFAULTS)

    def merge(self, changes: Json) -> list[str]:
        """Set the switches given, keep the others; answers the names it does not know and then sets nothing."""
        unknown = sorted(set(changes) - set(DEFAULTS))
        if not unknown:
            self.values |= changes
        return unknown

    async def fault(self) -> Response | None:
        """The answer that replaces the real one, if a switch asks for it, after the latency asked for."""
        await asyncio.sleep(self.values["latencyMs"] / 1000)
        wanted = self.values["status"]
        if not wanted:
            return None
        if "count" in wanted:
            left = wanted["count"] - 1
            self.values["status"] = {**wanted, "count": left} if left > 0 else None
        headers = {"Retry-After": str(wanted["retryAfter"])} if "retryAfter" in wanted else None
        if wanted.get("html"):
            return HTMLResponse(
                "<h1>Our services aren't available right now</h1><p>An error occurred.</p>", wanted["code"], headers
            )
        return JSONResponse({"error": "temporarily_unavailable"}, wanted["code"], headers)


@dataclass
class LoginState:
    """Keys, people and switches, and how often each thing was asked for."""

    keys: SigningKeys = field(default_factory=SigningKeys)
    people: People = field(default_factory=People)
    switches: Switches = field(default_factory=Switches)
    requests: Counter[str] = field(default_factory=Counter)
