"""What Tether remembers about approvals, in memory: rows saved by compare-and-swap."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.approval import Approval, PastDecision
from shared.domain.card_copy import CardCopy, Conversation, CopySpec
from shared.errors import AlreadyDecidedError, ClaimedElsewhereError
from tests.fakes.faults import Faults


class FakeApprovals:
    """Approvals by review id; every save needs the version that was read. `faults` plans failures."""

    def __init__(self) -> None:
        self.stored: dict[str, Approval] = {}
        self.open: dict[str, str] = {}
        self.past: dict[str, dict[tuple[datetime, str], PastDecision]] = {}
        self.faults = Faults()
        self._versions = 0

    async def read(self, review_id: str) -> Approval | None:
        await self.faults.meet("read")
        return self.stored.get(review_id)

    async def create(self, approval: Approval) -> Approval:
        await self.faults.meet("create")
        if approval.review_id in self.stored:
            raise ClaimedElsewhereError(approval.review_id)
        self.open[approval.review_id] = approval.session_id
        return self._store(approval)

    async def save(self, approval: Approval) -> Approval:
        await self.faults.meet("save")
        stored = self.stored.get(approval.review_id)
        if approval.version is None or stored is None or stored.version != approval.version:
            raise ClaimedElsewhereError(approval.review_id)
        return self._store(approval)

    async def open_ones(self) -> Mapping[str, str]:
        await self.faults.meet("open_ones")
        return dict(self.open)

    async def recent(self, subject: str, most: int) -> Sequence[PastDecision]:
        await self.faults.meet("recent")
        past = self.past.get(subject, {})
        return [past[key] for key in sorted(past, reverse=True)[:most]]

    async def all(self) -> AsyncIterator[Approval]:
        await self.faults.meet("all")
        for approval in list(self.stored.values()):
            yield approval

    def _store(self, approval: Approval) -> Approval:
        self._versions += 1
        saved = replace(approval, version=str(self._versions))
        self.stored[approval.review_id] = saved
        if not approval.is_open:
            ended_at = approval.outcome.at if approval.outcome else approval.created_at
            past = PastDecision(ended_at, approval.connection, approval.state)
            self.past.setdefault(approval.requester.subject, {})[approval.created_at, approval.review_id] = past
            self.open.pop(approval.review_id, None)
        return saved


class FakeCardCopies:
    """Copies by review and copy id; every save needs the version that was read. `faults` plans failures."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], CardCopy] = {}
        self.faults = Faults()
        self._versions = 0

    async def read(self, review_id: str, spec: CopySpec) -> CardCopy:
        await self.faults.meet("read")
        return self.stored.get((review_id, spec.copy_id)) or CardCopy(review_id, spec)

    async def find(self, review_id: str, copy_id: str) -> CardCopy | None:
        await self.faults.meet("find")
        return self.stored.get((review_id, copy_id))

    async def all(self, review_id: str) -> Sequence[CardCopy]:
        await self.faults.meet("all")
        return [copy for (of, _), copy in sorted(self.stored.items()) if of == review_id]

    async def save(self, copy: CardCopy) -> CardCopy:
        await self.faults.meet("save")
        stored = self.stored.get((copy.review_id, copy.copy_id))
        if (stored.version if stored else None) != copy.version:
            raise AlreadyDecidedError("storage-conflict")
        self._versions += 1
        saved = replace(copy, version=str(self._versions))
        self.stored[copy.review_id, copy.copy_id] = saved
        return saved


class FakeConversations:
    """Conversations by place. `faults` plans failures."""

    def __init__(self) -> None:
        self.stored: dict[str, Conversation] = {}
        self.faults = Faults()

    async def read(self, place_id: str) -> Conversation | None:
        await self.faults.meet("read")
        return self.stored.get(place_id)

    async def save(self, place_id: str, conversation: Conversation) -> None:
        await self.faults.meet("save")
        self.stored[place_id] = conversation

    async def forget(self, place_id: str) -> None:
        await self.faults.meet("forget")
        self.stored.pop(place_id, None)
