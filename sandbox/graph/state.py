"""Everything the Graph stand-in remembers, and the moment in the past that a read answers from."""

import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

from infra.permissions import Permissions
from sandbox.graph.audit import AuditBook
from sandbox.graph.delivery import Sender
from sandbox.graph.directory import Directory
from sandbox.graph.events import Events
from sandbox.graph.subscriptions import Subscriptions
from sandbox.graph.switches import Switches
from sandbox.graph.view import View

DIRECT, TRANSITIVE, DELTA = "staleDirectSeconds", "staleTransitiveSeconds", "staleDeltaSeconds"
STALE_SWITCHES = frozenset({"staleReadSeconds", DIRECT, TRANSITIVE, DELTA})


class GraphState:
    """One tenant as Graph knows it."""

    def __init__(self, clock: Callable[[], float] = time.time, permissions: Permissions | None = None) -> None:
        self.clock = clock
        self.permissions = permissions
        self.epoch = uuid.uuid4().hex[:8]
        self.directory = Directory(clock)
        self.subscriptions = Subscriptions(clock)
        self.switches = Switches()
        self.events = Events(clock)
        self.audit = AuditBook(clock)
        self.requests: Counter[str] = Counter()
        self.role_assignments: list[dict[str, Any]] = []
        self.switched_at: dict[str, float] = {}
        self.lag_floor = 0.0
        self.sender = Sender(self.subscriptions, self.switches, self.events, clock)

    def set_switches(self, changes: dict[str, Any]) -> None:
        """Merge switches; raises ValueError for unknown ones."""
        self.switches.merge(changes)
        self.switched_at |= dict.fromkeys(changes, self.clock())
        if not STALE_SWITCHES.isdisjoint(changes):
            self.lag_floor = self.directory.grown_at

    def present(self) -> View:
        """The directory as it is."""
        return View(self.directory, self.directory.log.position)

    def position(self, kind_of_read: str = "staleReadSeconds") -> int:
        """The log position that a kind of read answers from.

        Lag hides changes, never the directory's making: what was created before a stale switch was set stays visible.
        """
        seconds = self.switches[kind_of_read]
        if seconds is None:
            seconds = self.switches["staleReadSeconds"]
        log = self.directory.log
        return log.position_at(max(self.clock() - seconds, self.lag_floor)) if seconds else log.position

    def view(self, kind_of_read: str = "staleReadSeconds") -> View:
        """The directory as a kind of read sees it."""
        return View(self.directory, self.position(kind_of_read))

    async def reset(self) -> None:
        """Forget everything; delta and page tokens that are still out become invalid."""
        await self.sender.close()
        self.epoch = uuid.uuid4().hex[:8]
        self.directory = Directory(self.clock)
        self.subscriptions.clear()
        self.switches.reset()
        self.events.forget()
        self.audit.forget()
        self.requests.clear()
        self.role_assignments.clear()
        self.switched_at.clear()
        self.lag_floor = 0.0
