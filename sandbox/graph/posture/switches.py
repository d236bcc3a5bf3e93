"""What the sandbox's operator can make Graph do wrong while a tenant is read, and Graph's own limits on such reads."""

import random
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from sandbox.graph.errors import GraphError

DEFAULTS: dict[str, Any] = {
    # So many percent of requests are refused, chosen by the seed.
    "throttle": {"percent": 0, "retryAfter": 1, "seed": 7},
    # So many of the next requests that carry a page token find it expired.
    "expireSkiptoken": 0,
    "expireStatus": 400,
    # Every read sees rows in another order; the pages of one read agree.
    "shuffle": False,
    # Path prefix below the host, such as "/beta/reports", to status.
    "fail": {},
    "unlicensed": False,
    "sovereign": False,
    # Microsoft's limits; 0 lifts them.
    "reportsPer10Seconds": 5,
    "keyCredentialsPerMinute": 150,
}
_NO_LICENCE = "Neither tenant is B2C or tenant doesn't have premium license"


@dataclass(slots=True)
class Faults:
    """The settings, and what has been spent of the limits."""

    values: dict[str, Any] = field(default_factory=lambda: dict(DEFAULTS))
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    spent: defaultdict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def merge(self, changes: dict[str, Any]) -> None:
        """Apply a partial update; raises ValueError, having changed nothing, for a name or value it does not know."""
        for name, value in changes.items():
            if name not in DEFAULTS or not _fits(name, value):
                raise ValueError(f"there is no posture switch '{name}' with the value {value!r}")
        if "throttle" in changes:
            changes = changes | {"throttle": DEFAULTS["throttle"] | changes["throttle"]}
            self.chance = random.Random(changes["throttle"]["seed"])
        self.values |= changes

    def strike(self, path: str) -> None:
        """Fail or throttle a request to this path as the switches say."""
        for prefix, status in self.values["fail"].items():
            if path.startswith(prefix):
                raise GraphError(status, "ServiceUnavailable" if status >= 500 else "Authorization_RequestDenied", "No")
        throttle = self.values["throttle"]
        if throttle["percent"] and self.chance.random() * 100 < throttle["percent"]:
            raise _throttled(throttle["retryAfter"])

    def expire_page_token(self) -> None:
        """Refuse a page token while the switch says so."""
        if self.values["expireSkiptoken"] > 0:
            self.values["expireSkiptoken"] -= 1
            message = "The specified page token value has expired and can no longer be included in your request."
            raise GraphError(self.values["expireStatus"], "DirectoryPageTokenNotFoundException", message)

    def spend_report(self, now: float) -> None:
        """Count a request for a report or log; raises Graph's 429 beyond five in ten seconds."""
        self._spend("reports", self.values["reportsPer10Seconds"], 10, now)

    def spend_key_credentials(self, now: float) -> None:
        """Count a request that selects key credentials; raises Graph's 429 beyond 150 in a minute."""
        self._spend("keyCredentials", self.values["keyCredentialsPerMinute"], 60, now)

    def judge_usage_report(self) -> None:
        """Refuse what Graph has only in the global cloud and for tenants with a licence."""
        if self.values["sovereign"]:
            raise GraphError(400, "BadRequest", "Resource not found for the segment 'reports'.")
        if self.values["unlicensed"]:
            raise GraphError(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", _NO_LICENCE)

    def _spend(self, name: str, most: int, seconds: float, now: float) -> None:
        recent = self.spent[name]
        while recent and recent[0] <= now - seconds:
            recent.popleft()
        if most and len(recent) >= most:
            raise _throttled(max(1, round(recent[0] + seconds - now + 0.5)))
        recent.append(now)


def _throttled(retry_after: float) -> GraphError:
    return GraphError(429, "TooManyRequests", "Too many requests.", {"Retry-After": str(retry_after)})


def _fits(name: str, value: Any) -> bool:  # noqa: ANN401 - JSON from outside
    if name == "throttle":
        return isinstance(value, dict) and value.keys() <= DEFAULTS["throttle"].keys()
    if name == "fail":
        return isinstance(value, dict) and all(isinstance(status, int) for status in value.values())
    if isinstance(DEFAULTS[name], bool):
        return isinstance(value, bool)
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
