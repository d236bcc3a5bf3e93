"""What the sandbox's operator can make the connector and the Teams clients do wrong; everything is off by default."""

import asyncio
import copy

from sandbox.teams.errors import ConnectorError
from sandbox.teams.records import Json

OPERATIONS = frozenset({"create", "send", "update", "delete", "read", "any"})
DEFAULTS: Json = {
    # Answers of the connector; `status` is {code, retryAfter?, count?, operation?, error?}.
    "latencyMs": 0,
    "status": None,
    # So many writes are done and their answer is lost with the connection.
    "answerLost": 0,
    "rateLimits": True,
    # How long a client waits for the bot before it sends an invoke again, and how often a card may refresh itself.
    "retryMs": 15_000,
    "noRetry": False,
    "refreshMs": 60_000,
}


class Switches:
    """The switches as a person set them; counted ones switch themselves off."""

    def __init__(self) -> None:
        self.values: Json = copy.deepcopy(DEFAULTS)

    def merge(self, changes: Json) -> None:
        """Set the switches given; raises ConnectorError, having changed nothing, for what it does not know."""
        for name, value in changes.items():
            if not _fits(name, value):
                raise ConnectorError(400, "BadArgument", f"switch '{name}' cannot be {value!r}")
        self.values |= changes

    def reset(self) -> None:
        """Everything works again."""
        self.values = copy.deepcopy(DEFAULTS)

    def loses_answer(self) -> bool:
        """Whether the answer to this write is lost; uses up one count."""
        left = self.values["answerLost"]
        self.values["answerLost"] = max(0, left - 1)
        return bool(left)

    async def wait(self) -> None:
        """Let the connector's latency pass."""
        await asyncio.sleep(self.values["latencyMs"] / 1000)

    def refuse(self, operation: str) -> None:
        """Raise the refusal that is set for this operation, if any; a count is used up."""
        wanted = self.values["status"]
        if not wanted or wanted.get("operation", "any") not in {operation, "any"}:
            return
        if "count" in wanted:
            left = wanted["count"] - 1
            self.values["status"] = {**wanted, "count": left} if left > 0 else None
        code = wanted.get("error", "ServiceError")
        raise ConnectorError(wanted["code"], code, "refused by a switch", wanted.get("retryAfter"))


def _fits(name: str, value: object) -> bool:
    if name == "status":
        return value is None or _is_status(value)
    if name in {"rateLimits", "noRetry"}:
        return isinstance(value, bool)
    if name == "answerLost":
        return isinstance(value, int) and value >= 0
    return name in DEFAULTS and isinstance(value, int | float) and value >= 0


def _is_status(value: object) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("code"), int):
        return False
    return value.get("operation", "any") in OPERATIONS and value.get("count", 1) > 0
