"""Storage in memory: rows saved by compare-and-swap, append-only chains, delta links, holds."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.domain.evidence import GENESIS, ChainHead, EvidenceEntry, anchor, append, tail
from shared.domain.principals import Principal
from shared.domain.records import Claim, PrincipalRecord, PrincipalState
from shared.domain.sweep import Hold
from shared.errors import AlreadyDecidedError, ClaimedElsewhereError


class FakeRecords:
    """Facts and states; every save needs the version that was read."""

    def __init__(self) -> None:
        self.facts: dict[str, Principal] = {}
        self.states: dict[str, PrincipalState] = {}
        self._versions = 0

    async def read(self, principal_id: str) -> PrincipalRecord:
        return PrincipalRecord(self.facts.get(principal_id), self.states.get(principal_id))

    async def all(self) -> AsyncIterator[PrincipalRecord]:
        for principal_id in sorted(self.facts.keys() | self.states.keys()):
            yield await self.read(principal_id)

    async def by_app(self, app_id: str) -> Sequence[Principal]:
        return [facts for facts in self.facts.values() if app_id in (facts.app_id, facts.blueprint_id)]

    async def remember(self, principal: Principal) -> None:
        self.facts[principal.principal_id] = principal

    async def claim(self, principal_id: str, owner: str, now: datetime, expires_at: datetime) -> PrincipalState:
        state = self.states.get(principal_id) or PrincipalState(principal_id)
        if state.claim is not None and state.claim.is_held(now):
            raise ClaimedElsewhereError(principal_id)
        return await self.save(replace(state, claim=Claim(owner, expires_at)))

    async def save(self, state: PrincipalState) -> PrincipalState:
        stored = self.states.get(state.principal_id)
        if (stored.version if stored else None) != state.version:
            raise ClaimedElsewhereError(state.principal_id)
        self._versions += 1
        saved = replace(state, version=str(self._versions))
        self.states[state.principal_id] = saved
        return saved


class FakeEvidence:
    """Append-only chains; what is appended goes where the stored chain ends, or nowhere."""

    def __init__(self) -> None:
        self.chains: dict[str, bytes] = {}
        self.anchors: dict[str, Mapping[str, Any]] = {}

    async def append(self, principal_id: str, head: ChainHead, entries: Sequence[EvidenceEntry]) -> ChainHead:
        stored = self.chains.get(principal_id, b"")
        if head.size != len(stored):
            head = tail(stored)
        new_head, lines = append(head, entries)
        self.chains[principal_id] = stored + lines
        return new_head

    async def read(self, principal_id: str) -> bytes:
        return self.chains.get(principal_id, b"")

    async def anchor(self, day: str, heads: Mapping[str, ChainHead]) -> Mapping[str, Any]:
        if day not in self.anchors:
            before = max((stored for stored in self.anchors if stored < day), default=None)
            previous = self.anchors[before]["hash"] if before else GENESIS
            self.anchors[day] = anchor(day, previous, heads)
        return self.anchors[day]


class FakeDeltaLinks:
    """Links with versions."""

    def __init__(self) -> None:
        self.links: dict[str, tuple[str, str]] = {}

    async def read(self, resource: str) -> tuple[str | None, str | None]:
        return self.links.get(resource, (None, None))

    async def save(self, resource: str, link: str, version: str | None) -> None:
        stored = self.links.get(resource, (None, None))[1]
        if stored != version:
            raise AlreadyDecidedError("storage-conflict")
        self.links[resource] = (link, str(int(version or 0) + 1))


class FakeHolds:
    """Holds by id."""

    def __init__(self) -> None:
        self.holds: dict[str, Hold] = {}

    async def put(self, hold: Hold) -> None:
        self.holds[hold.hold_id] = hold

    async def read(self, hold_id: str) -> Hold | None:
        return self.holds.get(hold_id)

    async def delete(self, hold_id: str) -> None:
        self.holds.pop(hold_id, None)

    async def list_ids(self) -> Sequence[str]:
        return sorted(self.holds)
