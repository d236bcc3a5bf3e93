"""Notices in memory: what was put first stays."""

from shared.domain.card_copy import Face
from tests.fakes.faults import Faults


class FakeNotices:
    """Faces by notice id; `faults` plans failures of `put`."""

    def __init__(self) -> None:
        self.stored: dict[str, Face] = {}
        self.faults = Faults()

    async def put(self, notice_id: str, face: Face) -> None:
        await self.faults.meet("put")
        self.stored.setdefault(notice_id, face)

    async def read(self, notice_id: str) -> Face | None:
        return self.stored.get(notice_id)
