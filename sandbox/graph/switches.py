"""What the sandbox's operator can make Graph do wrong; everything is off by default."""

import asyncio
import copy
from dataclasses import dataclass, field
from typing import Any

DEFAULTS: dict[str, Any] = {
    # Answers to everybody except the sandbox's own admin; `fail` and `hang` take {"path": prefix, "count": n} too.
    "throttle": {"rate": 0, "retryAfter": 1},
    "fail": None,
    "latencyMs": 0,
    "hang": None,
    # Reads answer as of so many seconds ago; the three narrower ones replace the first for their kind unless null.
    "staleReadSeconds": 0,
    "staleDirectSeconds": None,
    "staleTransitiveSeconds": None,
    "staleDeltaSeconds": None,
    # Notifications; `drop` and `duplicate` are true for all or a number for the next ones.
    "delayMs": 0,
    "drop": 0,
    "duplicate": 0,
    "reorder": False,
    "coalesceMs": 0,
    "mergeMembers": False,
    "eventTime": False,
    "retryBaseMs": 1000,
    "slowEndpointRules": False,
    # Delta; the two refusals hit every token issued before the switch was set.
    "deltaPageSize": 200,
    "deltaMembersPerObject": 1000,
    "deltaReplay": 0,
    "deltaExpired": False,
    "deltaSyncStateNotFound": False,
}
_NULLABLE = frozenset(name for name, value in DEFAULTS.items() if value is None)
_NUMBERS = frozenset(name for name in DEFAULTS if name.endswith(("Ms", "Seconds", "Size", "Object", "Replay")))
_COUNTABLE = frozenset({"drop", "duplicate"})
_POSITIVE = frozenset({"deltaPageSize", "deltaMembersPerObject"})


@dataclass(slots=True)
class Switches:
    """The current settings, counted down where they hold a number of times."""

    values: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(DEFAULTS))
    released: asyncio.Event = field(default_factory=asyncio.Event)
    throttle_debt: float = 0.0

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - each switch has its own type
        """One setting."""
        return self.values[name]

    def merge(self, changes: dict[str, Any]) -> None:
        """Apply a partial update; raises ValueError, having changed nothing, for a name or value it does not know."""
        checked = {name: _checked(name, value) for name, value in changes.items()}
        if "throttle" in checked:
            checked["throttle"] = self.values["throttle"] | checked["throttle"]
        self.values |= checked
        if "hang" in checked:
            self._release()

    def reset(self) -> None:
        """Everything off; requests that hang go on."""
        self.values = copy.deepcopy(DEFAULTS)
        self.throttle_debt = 0.0
        self._release()

    def spend(self, name: str) -> bool:
        """Whether a countable switch applies this time; a number is counted down."""
        value = self.values[name]
        if value is True:
            return True
        if value:
            self.values[name] = value - 1
        return bool(value)

    def throttled(self) -> bool:
        """Whether this request is refused: exactly the given share of them, evenly spread."""
        self.throttle_debt += self.values["throttle"]["rate"]
        if self.throttle_debt < 1:
            return False
        self.throttle_debt -= 1
        return True

    def failure_for(self, path: str) -> dict[str, Any] | None:
        """The failure to answer with, counted down, when one is set for this path."""
        fault: dict[str, Any] | None = self.values["fail"]
        return fault if fault and self._strikes("fail", path) else None

    def hang_for(self, path: str) -> asyncio.Event | None:
        """What a request to this path has to wait for, when it is to hang."""
        return self.released if self.values["hang"] and self._strikes("hang", path) else None

    def _strikes(self, name: str, path: str) -> bool:
        fault = self.values[name]
        if fault is True:
            return True
        if not path.startswith(fault.get("path", "").removeprefix("/v1.0")):
            return False
        if "count" in fault:
            left = fault["count"] - 1
            self.values[name] = fault | {"count": left} if left > 0 else None
        return True

    def _release(self) -> None:
        self.released.set()
        self.released = asyncio.Event()


def _checked(name: str, value: object) -> object:
    if name not in DEFAULTS:
        raise ValueError(f"there is no switch '{name}'")
    if value is None and name in _NULLABLE:
        return None
    if not _fits(name, value):
        raise ValueError(f"switch '{name}' cannot be {value!r}")
    return value


def _fits(name: str, value: Any) -> bool:  # noqa: ANN401 - JSON from outside
    if name == "throttle":
        return isinstance(value, dict) and value.keys() <= {"rate", "retryAfter"} and 0 <= value.get("rate", 0) <= 1
    if name == "fail":
        return isinstance(value, dict) and isinstance(value.get("status"), int) and value.get("count", 1) > 0
    if name == "hang":
        return isinstance(value, bool) or (isinstance(value, dict) and value.get("count", 1) > 0)
    if name in _NUMBERS:
        return isinstance(value, int | float) and value >= (name in _POSITIVE)
    if name in _COUNTABLE:
        return isinstance(value, int) and value >= 0
    return isinstance(value, bool)
